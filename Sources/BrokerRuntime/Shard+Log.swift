import BrokerCore
import Logging
import MQTTModel

/// The core's events as log entries: constant messages with metadata, none above `info`, because a peer causes them.
extension Shard {
    func log(_ event: BrokerEvent) {
        guard logger.logLevel <= .info else { return }
        switch event {
        case .clientConnected(_, let client, let version, let isSessionPresent):
            logger.debug(
                "client connected",
                metadata: [
                    "client": "\(client)", "version": "\(version)", "sessionPresent": "\(isSessionPresent)",
                ])
        case .connectionRefused(_, let client, let reason):
            logger.info("connection refused", metadata: ["client": "\(client)", "reason": "\(reason)"])
        case .authenticationDenied(_, let client, let user, let reason):
            logger.info(
                "authentication denied",
                metadata: ["client": "\(client)", "user": "\(user ?? "")", "reason": "\(reason)"])
        case .publishDenied(let client, let topic):
            logger.debug("publish denied", metadata: ["client": "\(client)", "topic": "\(topic)"])
        case .subscriptionDenied(let client, let filter):
            logger.debug("subscription denied", metadata: ["client": "\(client)", "filter": "\(filter)"])
        case .subscriptionRevoked(let client, let filter):
            logger.info("subscription revoked", metadata: ["client": "\(client)", "filter": "\(filter)"])
        case .clientDisconnected(let client, let reason):
            logger.debug("client disconnected", metadata: ["client": "\(client)", "reason": "\(reason)"])
        case .connectionLost(let client):
            logger.debug("connection lost", metadata: ["client": "\(client)"])
        case .protocolViolated(let client, let violation):
            logger.info(
                "protocol violated",
                metadata: [
                    "client": "\(client ?? "")", "reason": "\(violation.reasonCode)", "clause": "\(violation.clause)",
                    "detail": "\(violation.detail)",
                ])
        case .sessionTakenOver(let client):
            logger.debug("session taken over", metadata: ["client": "\(client)"])
        case .sessionExpired(let client):
            logger.debug("session expired", metadata: ["client": "\(client)"])
        case .willPublished(let client):
            logger.debug("will published", metadata: ["client": "\(client)"])
        case .queueOverflowed(let client):
            logger.info("queue overflowed", metadata: ["client": "\(client)"])
        }
    }
}
