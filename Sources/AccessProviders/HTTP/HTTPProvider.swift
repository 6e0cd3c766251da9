package import AccessControl
import AsyncHTTPClient
import Foundation
package import Logging
import MQTTModel
import NIOCore
import NIOHTTP1
import Synchronization

package struct HTTPProviderOptions: Sendable, Hashable {
    package var url: String
    /// For one answer, all of it.
    package var timeout = Duration.seconds(2)
    /// How long an answer is remembered; zero: not at all.
    package var remembering = Duration.seconds(60)
    package var maximumRemembered = 10_000
    /// Failures in a row after which the server is not asked for `pause`.
    package var maximumFailures = 5
    package var pause = Duration.seconds(10)

    package init(url: String) { self.url = url }
}

/// Asks a server over HTTP. It fails closed: a server that is not there lets nobody in.
package final class HTTPProvider: AuthenticationProvider {
    package let name = "http"
    /// Of the answer's body.
    private static let maximumAnswerBytes = 1 << 20

    private struct State {
        var breaker: CircuitBreaker
        var recent: RecentAnswers<ProviderAnswer>
    }

    private let options: HTTPProviderOptions
    private let client: AccessHTTPClient
    private let logger: Logger
    private let state: Mutex<State>

    package init(_ options: HTTPProviderOptions, client: AccessHTTPClient, logger: Logger) {
        self.options = options
        self.client = client
        self.logger = logger
        self.state = Mutex(
            State(
                breaker: CircuitBreaker(maximumFailures: options.maximumFailures, pause: options.pause),
                recent: RecentAnswers(capacity: options.maximumRemembered)))
    }

    package func authenticate(_ request: AuthenticationRequest) async -> ProviderAnswer {
        guard request.method == nil, request.userName != nil || request.password != nil else { return .ignore }
        let digest = Self.digest(of: request)
        let now = ContinuousClock.now
        enum Decision { case known(ProviderAnswer), ask, unavailable }
        let decision = state.withLock { state -> Decision in
            if let answer = state.recent.answer(for: digest, at: now) { return .known(answer) }
            return state.breaker.allowsRequest(at: now) ? .ask : .unavailable
        }
        switch decision {
        case .known(let answer): return answer
        case .unavailable: return .deny(.serverUnavailable)
        case .ask: break
        }
        let answer = await ask(about: request)
        let answeredAt = ContinuousClock.now
        state.withLock { state in
            guard let answer else { return state.breaker.failed(at: answeredAt) }
            state.breaker.succeeded()
            // What has an end of its own is not good for longer than it was found.
            if options.remembering > .zero, !answer.hasEnd {
                state.recent.insert(answer, for: digest, validUntil: answeredAt + options.remembering)
            }
        }
        return answer ?? .deny(.serverUnavailable)
    }

    private static func digest(of request: AuthenticationRequest) -> CredentialDigest {
        // Whether there was a name or a password at all makes a difference, too.
        CredentialDigest([
            Array(request.clientIdentifier.utf8), request.userName.map { [1] + Array($0.utf8) } ?? [],
            request.password.map { [1] + $0 } ?? [], Array((request.transport?.address ?? "").utf8),
            Array((request.transport?.certificate?.commonName ?? "").utf8),
        ])
    }

    /// nil when there is no answer, or none that can be understood.
    private func ask(about request: AuthenticationRequest) async -> ProviderAnswer? {
        do {
            var message = HTTPClientRequest(url: options.url)
            message.method = .POST
            message.headers.add(name: "Content-Type", value: "application/json")
            message.headers.add(name: "Accept", value: "application/json")
            message.body = .bytes(ByteBuffer(bytes: try JSONEncoder().encode(HTTPQuestion(request))))
            let deadline = NIODeadline.now() + .nanoseconds(Int64(clamping: options.timeout.wholeNanoseconds))
            let response = try await client.client.execute(message, deadline: deadline)
            switch response.status.code {
            case 401, 403: return .deny(.badUserNameOrPassword)
            case 200: break
            default:
                warn("the authentication server answered with another status", "\(response.status.code)")
                return nil
            }
            let body = try await response.body.collect(upTo: Self.maximumAnswerBytes)
            let answer = try JSONDecoder().decode(HTTPAnswer.self, from: Data(body.readableBytesView))
            if let meaning = answer.meaning(for: request) { return meaning }
            warn("the authentication server's answer is not understood", "a rule or an expiry")
            return nil
        } catch {
            // Its type alone: the text of an error may quote what was sent.
            warn("the authentication server does not answer", "\(type(of: error))")
            return nil
        }
    }

    private func warn(_ message: Logger.Message, _ reason: String) {
        logger.warning(message, metadata: ["reason": "\(reason)"])
    }
}

extension ProviderAnswer {
    fileprivate var hasEnd: Bool { if case .allow(let grant) = self { grant.lifetime != nil } else { false } }
}
