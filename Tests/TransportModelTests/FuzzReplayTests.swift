import Foundation
import FuzzKit
import Testing

/// The inputs that failed once, and those that fuzzing starts from.
@Suite("Inputs of fuzzing")
struct FuzzReplayTests {
    @Test func corpusAndFailuresPass() throws {
        let failures = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("Fuzzing/Failures")
        let files = try FileManager.default.contentsOfDirectory(at: failures, includingPropertiesForKeys: nil)
            .filter { $0.lastPathComponent.hasPrefix("transport-") }
        for input in try TransportCorpus.inputs + files.map({ try Array(Data(contentsOf: $0)) }) {
            #expect(throws: Never.self) { try TransportCheck.run(input) }
        }
    }
}
