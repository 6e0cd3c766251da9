import ArgumentParser
import Foundation
import MQTTClient
import UnixSignals

/// What `dunlin pub` and `dunlin sub` have in common when they run: connect, work, and end in order, whether the work is
/// done, a signal comes, or time is over.
struct ClientCommand {
    private enum End {
        case finished
        case failed(any Error)
        case signalled
        case timedOut
    }

    let options: ClientOptions
    /// Time for all of it; nil: no limit.
    var timeoutSeconds: UInt32?

    /// - Throws: `ExitCode`, after the error was told.
    func run(_ work: @escaping @Sendable (MQTTClient) async throws -> Void) async throws {
        let client = MQTTClient(configuration: try options.configuration())
        let log = ClientLog(options)
        let events = client.events
        let logging = Task { for await event in events { log.write(event) } }
        let end = await firstEnd(client, work)
        let properties = try ClientProperties(arguments: options.property)[.disconnect]
        await client.disconnect(properties: properties)
        logging.cancel()
        switch end {
        case .finished, .signalled: return
        case .timedOut:
            log.error("timed out after \(timeoutSeconds ?? 0) s")
            throw ClientExitCode.timedOut
        case .failed(let exitCode as ExitCode): throw exitCode
        case .failed(let error as MQTTClientError):
            log.error(error.message)
            throw ClientExitCode.code(for: error)
        case .failed(let error):
            log.error("\(error)")
            throw ClientExitCode.failure
        }
    }

    /// Runs `work` until it ends, a signal comes, or time is over.
    private func firstEnd(
        _ client: MQTTClient, _ work: @escaping @Sendable (MQTTClient) async throws -> Void
    ) async -> End {
        await withTaskGroup(of: End?.self) { group in
            group.addTask {
                do {
                    try await client.connect()
                    try await work(client)
                    return .finished
                } catch is CancellationError {
                    return nil
                } catch {
                    return .failed(error)
                }
            }
            group.addTask {
                for await _ in await UnixSignalsSequence(trapping: .sigint, .sigterm) { return .signalled }
                return nil
            }
            if let timeoutSeconds {
                group.addTask {
                    try? await Task.sleep(for: .seconds(Int64(timeoutSeconds)))
                    return Task.isCancelled ? nil : .timedOut
                }
            }
            for await case let end? in group {
                group.cancelAll()
                return end
            }
            return .finished
        }
    }
}

/// What the client commands say on standard error.
struct ClientLog: Sendable {
    private let isDebug: Bool
    private let isQuiet: Bool

    init(_ options: ClientOptions) {
        isDebug = options.debug
        isQuiet = options.isQuiet
    }

    func error(_ text: String) { if !isQuiet { StandardStreams.writeErrorLine("Error: \(text)") } }
    func warning(_ text: String) { if !isQuiet { StandardStreams.writeErrorLine("Warning: \(text)") } }
    func debug(_ text: @autoclosure () -> String) { if isDebug { StandardStreams.writeErrorLine(text()) } }

    func write(_ event: MQTTClient.Event) {
        switch event {
        case .connected(let info):
            debug("connected as \"\(info.clientIdentifier)\"\(info.isSessionPresent ? ", session resumed" : "")")
        case .connectionLost: break
        case .reconnecting(let attempt, let delay, let error):
            if attempt == 1 { warning("\(error.message); connecting again") }
            debug("attempt \(attempt) in \(delay)")
        case .resubscribed(let subscriptions, _):
            debug("subscribed again to \(subscriptions.map(\.filter).joined(separator: ", "))")
        case .messagesDropped(let count): warning("\(count) messages of QoS 0 were left out")
        case .closed: debug("disconnected")
        }
    }
}
