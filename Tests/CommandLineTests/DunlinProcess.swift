import Foundation

/// The executable that was built beside the tests, run as a person runs it.
final class DunlinProcess {
    struct Result {
        var exitCode: Int32
        var output: String
        var errorOutput: String
    }

    private let process = Process()
    private let input = Pipe()
    private let output = Pipe()
    private let errorOutput = Pipe()

    init(_ arguments: String...) throws {
        // The test bundle lies beside the executable.
        process.executableURL = Bundle.main.bundleURL.appendingPathComponent("dunlin")
        process.arguments = arguments
        process.standardInput = input
        process.standardOutput = output
        process.standardError = errorOutput
        try process.run()
    }

    func write(_ text: String) throws {
        try input.fileHandleForWriting.write(contentsOf: Data(text.utf8))
    }

    func closeInput() throws { try input.fileHandleForWriting.close() }

    func send(_ signal: Int32) { kill(process.processIdentifier, signal) }

    /// Reads standard error until it contains `text`.
    func waitForErrorOutput(_ text: String) throws {
        var read = ""
        while !read.contains(text) {
            let bytes = errorOutput.fileHandleForReading.availableData
            guard !bytes.isEmpty else { throw EndOfOutput(read: read) }
            read += String(decoding: bytes, as: UTF8.self)
        }
    }

    struct EndOfOutput: Error { let read: String }

    func result() throws -> Result {
        let text = String(decoding: try output.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
        let errors = String(decoding: try errorOutput.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
        process.waitUntilExit()
        return Result(exitCode: process.terminationStatus, output: text, errorOutput: errors)
    }
}
