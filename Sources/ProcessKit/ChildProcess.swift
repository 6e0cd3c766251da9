import Foundation

/// A program that runs beside a test or a measurement, and what it has written so far, line by line.
package final class ChildProcess: Sendable {
    package struct Failure: Error, CustomStringConvertible {
        package let description: String

        package init(description: String) { self.description = description }
    }

    /// What standard output and standard error said, in the order of arrival.
    package let output = OutputLog()
    private let name: String
    private let process = Process()
    private let exit: AsyncStream<Int32>

    /// - Parameter isLineBuffered: makes a C program write a line when it has one, which it would not do into a pipe.
    package init(
        _ executable: String, _ arguments: [String], environment: [String: String] = [:], input: String? = nil,
        isLineBuffered: Bool = false
    ) throws {
        name = ([executable.split(separator: "/").last.map(String.init) ?? executable] + arguments).joined(
            separator: " ")
        process.executableURL = URL(filePath: isLineBuffered ? try Tool.path("stdbuf") : executable)
        process.arguments = isLineBuffered ? ["-oL", "-eL", executable] + arguments : arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = pipe
        let (exit, continuation) = AsyncStream.makeStream(of: Int32.self)
        self.exit = exit
        process.terminationHandler = { process in
            continuation.yield(process.terminationStatus)
            continuation.finish()
        }
        let output = output
        let inputPipe = Pipe()
        process.standardInput = input == nil ? FileHandle.nullDevice : inputPipe
        try process.run()
        // A thread, since Foundation's handler for readable files has crashed here when a program ended at once.
        Thread.detachNewThread {
            var data = Data()
            repeat {
                data = pipe.fileHandleForReading.availableData
                output.append(data)
            } while !data.isEmpty
            // At once: tests start hundreds of processes, and Foundation's Process.run reads beyond a page when some 1,360
            // file descriptors are open.
            try? pipe.fileHandleForReading.close()
        }
        if let input {
            inputPipe.fileHandleForWriting.write(Data(input.utf8))
            try inputPipe.fileHandleForWriting.close()
        }
    }

    deinit {
        if process.isRunning { kill(process.processIdentifier, SIGKILL) }
    }

    package var identifier: Int32 { process.processIdentifier }

    package func signal(_ number: Int32) { kill(process.processIdentifier, number) }

    /// The status it ended with; fails the test when it does not end.
    package func wait(seconds: Double = 30) async throws -> Int32 {
        let exit = exit
        let status = try await withDeadline(seconds) { () -> Int32? in
            for await status in exit { return status }
            return nil
        }
        guard let status else { throw Failure(description: "\(name) does not end; it said:\n\(output.text)") }
        await output.waitForEnd()
        return status
    }

    /// Waits for it to end and fails the test when it ends with something else than 0; what it wrote.
    @discardableResult
    package func succeed(seconds: Double = 30) async throws -> [String] {
        let status = try await wait(seconds: seconds)
        guard status == 0 else {
            throw Failure(description: "\(name) ended with \(status); it said:\n\(output.text)")
        }
        return output.lines
    }

    /// Waits for a line with this text; fails the test when none comes.
    @discardableResult
    package func line(containing text: String, seconds: Double = 30) async throws -> String {
        let output = output
        let found = try await withDeadline(seconds) { await output.line(containing: text) }
        guard let found else { throw Failure(description: "\(name) did not say \"\(text)\" but:\n\(output.text)") }
        return found
    }
}

/// The value of the operation, or nil when it takes longer.
package func withDeadline<Value: Sendable>(
    _ seconds: Double, _ operation: @escaping @Sendable () async throws -> Value?
) async throws -> Value? {
    try await withThrowingTaskGroup(of: Value?.self) { group in
        group.addTask { try await operation() }
        group.addTask {
            try await Task.sleep(for: .seconds(seconds))
            return nil
        }
        defer { group.cancelAll() }
        return try await group.next() ?? nil
    }
}
