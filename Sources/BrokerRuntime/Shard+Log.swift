import BrokerCore
import Logging
import MQTTModel

/// The core's events as log entries: constant messages with metadata, none above `info`, because a peer causes them. Each
/// names the client and the reason code, `none` where the network told nothing.
extension Shard {
    func log(_ event: BrokerEvent) {
        guard logger.logLevel <= .info else { return }
        switch event {
        case .clientConnected(_, let client, let version, let isSessionPresent):
            logger.debug(
                "client connected",
                metadata: metadata(
                    client, .success, ["version": "\(version)", "sessionPresent": "\(isSessionPresent)"]))
        case .connectionRefused(_, let client, let reason):
            logger.info("connection refused", metadata: metadata(client, reason))
        case .clientBanned(let client):
            logger.info("client banned: it connects too often", metadata: metadata(client, .banned))
        case .connectDelayed(let client, let delay):
            let milliseconds = delay.wholeNanoseconds / 1_000_000
            logger.info(
                "CONNECT waits: clients fight over this identifier",
                metadata: ["client": "\(client)", "milliseconds": "\(milliseconds)"])
        case .authenticationDenied(_, let client, let user, let reason):
            logger.info("authentication denied", metadata: metadata(client, reason, ["user": "\(user ?? "")"]))
        case .publishDenied(let client, let topic):
            logger.debug("publish denied", metadata: metadata(client, .notAuthorized, ["topic": "\(topic)"]))
        case .subscriptionDenied(let client, let filter):
            logger.debug("subscription denied", metadata: metadata(client, .notAuthorized, ["filter": "\(filter)"]))
        case .subscriptionRevoked(let client, let filter):
            logger.info("subscription revoked", metadata: metadata(client, .notAuthorized, ["filter": "\(filter)"]))
        case .clientDisconnected(let client, let reason):
            logger.debug("client disconnected", metadata: metadata(client, reason))
        case .connectionLost(let client):
            logger.debug("connection lost", metadata: metadata(client, nil))
        case .protocolViolated(let client, let violation):
            logger.info(
                "protocol violated",
                metadata: metadata(
                    client ?? "", violation.reasonCode,
                    ["clause": "\(violation.clause)", "detail": "\(violation.detail)"]))
        case .sessionTakenOver(let client):
            logger.debug("session taken over", metadata: metadata(client, .sessionTakenOver))
        case .sessionExpired(let client):
            logger.debug("session expired", metadata: metadata(client, nil))
        case .willPublished(let client):
            logger.debug("will published", metadata: metadata(client, nil))
        case .queueOverflowed(let client):
            logger.info("queue overflowed", metadata: metadata(client, .quotaExceeded))
        }
    }

    func logRevoked(_ client: String) {
        logger.info("client is not let in any longer", metadata: metadata(client, .notAuthorized))
    }

    private func metadata(
        _ client: String, _ reason: ReasonCode?, _ more: Logger.Metadata = [:]
    ) -> Logger.Metadata {
        var metadata = more
        metadata["client"] = "\(client)"
        metadata["reason"] = reason.map { "\($0)" } ?? "none"
        metadata["reasonCode"] = reason.map { "0x\(hexadecimal($0.rawValue))" } ?? "none"
        return metadata
    }

    private func hexadecimal(_ byte: UInt8) -> String {
        (byte < 0x10 ? "0" : "") + String(byte, radix: 16, uppercase: true)
    }
}
