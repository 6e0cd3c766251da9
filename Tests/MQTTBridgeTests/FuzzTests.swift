import Foundation
import FuzzKit
import Testing

@Suite("Fuzzing of the bridge")
struct FuzzTests {
    @Test func scriptsOfOneSeedKeepWhatMustHold() throws {
        var random = SeededRandom(seed: 7)
        for _ in 0..<2_000 { _ = try BridgeCheck.run(BridgeCheck.script(using: &random)) }
    }

    /// What failed once: `Fuzzing/Failures/bridge-*.bin`.
    @Test func whatFailedOnceHolds() throws {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("../../Fuzzing/Failures")
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        for name in names.sorted() where name.hasPrefix("bridge-") && name.hasSuffix(".bin") {
            _ = try BridgeCheck.run(Array(Data(contentsOf: folder.appendingPathComponent(name))))
        }
    }
}
