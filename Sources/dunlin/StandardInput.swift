import Dispatch
import Foundation
import Synchronization

/// Standard input, read on a thread of its own and only when asked, so that nothing piles up and no task is blocked.
final class StandardInput: Sendable {
    private let queue = DispatchQueue(label: "standard input")

    /// The bytes that have come since the last call, at least one and at most `maximumCount`; nil at the end. Throws
    /// `CancellationError` at once when the task is cancelled; the read that was under way is given up.
    func read(maximumCount: Int = 1 << 16) async throws -> [UInt8]? {
        try await run {
            var bytes = [UInt8](repeating: 0, count: maximumCount)
            let count = bytes.withUnsafeMutableBytes { Foundation.read(STDIN_FILENO, $0.baseAddress, maximumCount) }
            guard count > 0 else { return nil }
            return Array(bytes[..<count])
        }
    }

    private func run(_ body: @escaping @Sendable () -> [UInt8]?) async throws -> [UInt8]? {
        let waiting = Waiting()
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                waiting.set(continuation)
                queue.async { waiting.resume(.success(body())) }
            }
        } onCancel: {
            waiting.resume(.failure(CancellationError()))
        }
    }

    /// A continuation that the first of two resumes.
    private final class Waiting: Sendable {
        private enum State {
            case empty
            case cancelled
            case waiting(CheckedContinuation<[UInt8]?, any Error>)
            case resumed
        }

        private let state = Mutex(State.empty)

        func set(_ continuation: CheckedContinuation<[UInt8]?, any Error>) {
            let isCancelled = state.withLock { state in
                if case .cancelled = state { return true }
                state = .waiting(continuation)
                return false
            }
            if isCancelled { continuation.resume(throwing: CancellationError()) }
        }

        func resume(_ result: Result<[UInt8]?, any Error>) {
            let continuation: CheckedContinuation<[UInt8]?, any Error>? = state.withLock { state in
                switch state {
                case .empty, .cancelled:
                    state = .cancelled
                    return nil
                case .resumed: return nil
                case .waiting(let continuation):
                    state = .resumed
                    return continuation
                }
            }
            continuation?.resume(with: result)
        }
    }
}

/// Splits bytes into lines without their ends (LF, or CR LF).
struct LineSplitter {
    private var rest: [UInt8] = []

    /// The lines that `bytes` end, in order.
    mutating func lines(in bytes: [UInt8]) -> [[UInt8]] {
        var lines: [[UInt8]] = []
        for byte in bytes {
            if byte == UInt8(ascii: "\n") {
                lines.append(takeRest())
            } else {
                rest.append(byte)
            }
        }
        return lines
    }

    /// What comes after the last line end; nil when there is nothing.
    mutating func last() -> [UInt8]? { rest.isEmpty ? nil : takeRest() }

    private mutating func takeRest() -> [UInt8] {
        defer { rest = [] }
        if rest.last == UInt8(ascii: "\r") { rest.removeLast() }
        return rest
    }
}
