import Foundation
import FuzzKit
import Testing

/// The inputs in the tree, corpus and failures, go through the decoder.
@Suite struct FuzzReplayTests {
    static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent("Fuzzing")

    static func files(_ directory: String, prefix: String = "") throws -> [URL] {
        try FileManager.default.contentsOfDirectory(
            at: root.appendingPathComponent(directory), includingPropertiesForKeys: nil
        ).filter { $0.pathExtension == "bin" && $0.lastPathComponent.hasPrefix(prefix) }
    }

    @Test func corpusAndFailuresPass() throws {
        let corpus = try FuzzReplayTests.files("Corpus/decoder")
        #expect(corpus.count > 50)
        for file in try corpus + FuzzReplayTests.files("Failures", prefix: "decoder-") {
            let bytes = try Array(Data(contentsOf: file))
            #expect(throws: Never.self, "\(file.lastPathComponent)") {
                try DecoderCheck.run(DecoderInput(file: bytes))
            }
        }
    }

    @Test func corpusIsWhatTheGeneratorMakes() throws {
        for (name, input) in DecoderCorpus.inputs() {
            let file = FuzzReplayTests.root.appendingPathComponent("Corpus/decoder/\(name).bin")
            #expect(try Array(Data(contentsOf: file)) == input.file, "run fuzz decoder --generate-corpus")
        }
    }
}
