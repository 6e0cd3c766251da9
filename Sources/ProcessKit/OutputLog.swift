package import Foundation
import Synchronization

/// Lines that arrive over time, and whoever waits for one.
package final class OutputLog: Sendable {
    private struct State {
        var partial: [UInt8] = []
        var lines: [String] = []
        var isAtEnd = false
        var nextWaiter = 0
        /// By number; called with a line when it comes, or with nil at the end.
        var waiters: [Int: Waiter] = [:]
    }

    private struct Waiter {
        /// nil waits for the end.
        let text: String?
        let continuation: CheckedContinuation<String?, Never>
    }

    private let state = Mutex(State())

    package var lines: [String] { state.withLock { $0.lines } }
    package var text: String { lines.joined(separator: "\n") }

    /// Takes what was read; nothing stands for the end.
    package func append(_ data: Data) {
        let resumed = state.withLock { state -> [(CheckedContinuation<String?, Never>, String?)] in
            state.partial += data
            if data.isEmpty { state.isAtEnd = true }
            var complete = state.partial.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
            let rest = complete.removeLast()
            if state.isAtEnd, !rest.isEmpty { complete.append(rest) }
            let lines = complete.map { String(decoding: $0, as: UTF8.self) }
            state.partial = state.isAtEnd ? [] : Array(rest)
            state.lines += lines
            return take(from: &state, lines)
        }
        for (continuation, line) in resumed { continuation.resume(returning: line) }
    }

    /// The first line with this text, from the beginning on; nil when the output ended without one.
    package func line(containing text: String) async -> String? {
        if let line = lines.first(where: { $0.contains(text) }) { return line }
        return await wait(for: text)
    }

    package func waitForEnd() async { _ = await wait(for: nil) }

    private func wait(for text: String?) async -> String? {
        let number = state.withLock { state in
            state.nextWaiter += 1
            return state.nextWaiter
        }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let answer = state.withLock { state -> (isKnown: Bool, line: String?) in
                    if let text, let line = state.lines.first(where: { $0.contains(text) }) { return (true, line) }
                    if state.isAtEnd || Task.isCancelled { return (true, nil) }
                    state.waiters[number] = Waiter(text: text, continuation: continuation)
                    return (false, nil)
                }
                if answer.isKnown { continuation.resume(returning: answer.line) }
            }
        } onCancel: {
            state.withLock { $0.waiters.removeValue(forKey: number) }?.continuation.resume(returning: nil)
        }
    }

    private func take(
        from state: inout State, _ lines: [String]
    ) -> [(CheckedContinuation<String?, Never>, String?)] {
        var resumed: [(CheckedContinuation<String?, Never>, String?)] = []
        for (number, waiter) in state.waiters {
            let line = waiter.text.flatMap { text in lines.first { $0.contains(text) } }
            guard line != nil || state.isAtEnd else { continue }
            resumed.append((waiter.continuation, line))
            state.waiters.removeValue(forKey: number)
        }
        return resumed
    }
}
