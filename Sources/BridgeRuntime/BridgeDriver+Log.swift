import Logging
import MQTTBridge
import MQTTModel

/// Events that may come with every message, and of which the first is told, and then each thousandth.
enum RepeatedEvent: Hashable {
    case refused, unmatched, tooLarge, loop
}

// What an operator reads: what has happened, and what to do about it.
extension BridgeDriver {
    func log(_ event: BridgeEvent) {
        switch event {
        case .connected(let isLocalSessionPresent, let isRemoteSessionPresent):
            logger.notice(
                "bridge connected",
                metadata: [
                    "localSession": isLocalSessionPresent ? "resumed" : "new",
                    "remoteSession": isRemoteSessionPresent ? "resumed" : "new",
                ])
        case .disconnected(let side, let end, let delay):
            logger.warning(
                "bridge not connected",
                metadata: [
                    "side": "\(side)", "reason": "\(BridgeAdvice.reason(end))", "advice": "\(advice(side, end))",
                    "retryAfter": "\(delay)",
                ])
        case .subscriptionRefused(let side, let filter, let reasonCode):
            logger.error(
                "a broker refuses the bridge a subscription; nothing of it is passed on",
                metadata: ["side": "\(side)", "filter": "\(filter)", "reasonCode": "\(reasonCode)"])
        case .messageRefused(let side, let reasonCode):
            logRepeated(.refused, "a broker has refused a message of the bridge; it is dropped", side, "\(reasonCode)")
        case .messageUnmatched(let side, let topic):
            logRepeated(
                .unmatched,
                """
                a message matches no topic of the bridge; the session there has a subscription of an earlier \
                configuration
                """, side, topic)
        case .messageTooLarge(let side, let topic, let bytes):
            logRepeated(
                .tooLarge, "a message is larger than this side takes; it is dropped", side, "\(topic), \(bytes)")
        case .loopStopped(let side, let topic):
            logRepeated(.loop, "a message that has been here before is not passed on again", side, topic)
        case .stopped: logger.info("bridge stopped")
        }
    }

    private func advice(_ side: BridgeSide, _ end: BridgeEnd) -> String {
        BridgeAdvice.advice(side, end, options) ?? "none: it is tried again"
    }

    private func logRepeated(_ event: RepeatedEvent, _ message: Logger.Message, _ side: BridgeSide, _ what: String) {
        let count = repeatedEvents[event, default: 0] + 1
        repeatedEvents[event] = count
        guard count % 1_000 == 1 else { return }
        logger.warning(message, metadata: ["side": "\(side)", "what": "\(what)", "count": "\(count)"])
    }
}

/// What the end of a link means to whoever reads the log.
enum BridgeAdvice {
    static func reason(_ end: BridgeEnd) -> String {
        switch end {
        case .unreachable(let reason): "cannot be reached: \(reason)"
        case .refused(let reasonCode, let text): "CONNECT refused: \(told(reasonCode, text))"
        case .disconnected(let reasonCode, let text): "disconnected by the broker: \(told(reasonCode, text))"
        case .lost: "the connection ended"
        case .connectTimedOut: "no answer in time"
        case .pingTimedOut: "a ping was not answered in time"
        case .violation(let violation): "\(violation)"
        case .full: "the broker has no room for a message (quota exceeded)"
        case .tooMuchPending: "more messages are under way than there is room for"
        case .wouldLoop(let filter): "every message on \(filter) would come back"
        }
    }

    private static func told(_ reasonCode: ReasonCode, _ text: String?) -> String {
        let code = String(reasonCode.rawValue, radix: 16, uppercase: true)
        return "0x\(code) \(reasonCode)" + (text.map { ": \($0)" } ?? "")
    }

    /// What to do; nil when time will mend it.
    static func advice(_ side: BridgeSide, _ end: BridgeEnd, _ options: BridgeOptions) -> String? {
        let prefix = side == .local ? "local-" : ""
        switch end {
        case .refused(let reasonCode, _), .disconnected(let reasonCode, _):
            return advice(reasonCode, prefix: prefix, options)
        case .violation(let violation) where violation.reasonCode == .packetTooLarge:
            return "raise maximum-packet-size of the bridge, which is \(options.maximumPacketSize)"
        case .tooMuchPending: return "lower the messages that the remote broker sends unacknowledged to one client"
        case .wouldLoop:
            return "use version 5.0 or a broker that takes the bridge bit, or give each direction topics of its own"
        case .unreachable, .lost, .connectTimedOut, .pingTimedOut, .violation, .full: return nil
        }
    }

    private static func advice(_ reasonCode: ReasonCode, prefix: String, _ options: BridgeOptions) -> String? {
        switch reasonCode {
        case .badUserNameOrPassword: "check \(prefix)user-name and \(prefix)password-file of the bridge"
        case .notAuthorized: "let the bridge's user connect, or check \(prefix)user-name and \(prefix)password-file"
        case .unsupportedProtocolVersion: "set version of the bridge: the remote broker may speak only 3.1.1"
        case .clientIdentifierNotValid: "the remote broker takes no client-id \"\(options.clientIdentifier)\""
        case .sessionTakenOver:
            "another client uses client-id \"\(options.clientIdentifier)\"; each bridge needs one of its own"
        case .packetTooLarge: "the broker takes no messages as large"
        default: nil
        }
    }
}
