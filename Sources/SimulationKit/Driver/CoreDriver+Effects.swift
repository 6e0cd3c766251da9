import AccessControl
import Backbone
import BrokerCore
import MQTTCodec
import MQTTModel
import struct NIOCore.ByteBuffer

extension CoreDriver {
    /// Runs the effects of the shard's last step, in order.
    func runEffects(of shard: Shard) {
        var touched: [DriverConnection] = []
        for effect in shard.effects.all {
            guard !isCrashing else { return }
            effectsUntilCrash? -= 1
            observer?(.effect(shard: shard.index, effect))
            run(effect, of: shard, touched: &touched)
        }
        // The core is never told anything from inside an effect.
        for connection in touched { updateWritability(of: connection) }
    }

    private func run(_ effect: Effect, of shard: Shard, touched: inout [DriverConnection]) {
        switch effect {
        case .publish(let message, let recipients, let remainingExpiry):
            for recipient in shard.effects.recipients[recipients] {
                send(message, to: recipient, remainingExpiry: remainingExpiry, of: shard, touched: &touched)
            }
        case .acknowledge(let identifier, let kind, let packetIdentifier, let reasonCode):
            write(to: identifier, of: shard, touched: &touched) { version, buffer in
                PacketEncoder.appendAcknowledgement(kind, packetIdentifier, reasonCode, version: version, to: &buffer)
            }
        case .send(let identifier, let packet):
            write(to: identifier, of: shard, touched: &touched) { version, buffer in
                PacketEncoder.append(packet, version: version, to: &buffer)
            }
        case .close(let identifier):
            guard let connection = shard.connection(of: identifier) else { break }
            detach(connection)
            connections[connection.index].isClosedByBroker = true
        case .pauseReading(let identifier):
            guard let connection = shard.connection(of: identifier) else { break }
            connections[connection.index].isReadingPaused = true
        case .resumeReading(let identifier):
            guard let connection = shard.connection(of: identifier) else { break }
            connections[connection.index].isReadingPaused = false
            continueReading(connection)
        case .authenticate(let identifier, let request):
            shard.mailbox.append(.outcome(identifier, authenticator(request)))
        case .setDeadline(let instant):
            shard.deadline = instant
        case .execute(let token, let command):
            if let flock { return flock.submit(command, token, of: UInt16(shard.index)) }
            if engine != nil { return submit(command, token, of: shard) }
            let execution = backbone.execute(command)
            if let entry = execution.entry {
                for other in shards { other.mailbox.append(.logEntry(entry)) }
            }
            shard.mailbox.append(
                execution.found.map { .fetched(token, $0) } ?? .answer(token, execution.outcome))
        case .forward(BrokerCore.everyNode, let message):
            flock?.broadcast(message)
        case .forward(let target, let message):
            guard Int(target) < shards.count, Int(target) != shard.index else {
                faults.append("shard \(shard.index) forwarded to shard \(target)")
                break
            }
            shards[Int(target)].mailbox.append(.peerMessage(source: UInt16(shard.index), message))
        case .report:
            break
        }
    }

    private func send(
        _ message: ApplicationMessage, to recipient: Recipient, remainingExpiry: UInt32, of shard: Shard,
        touched: inout [DriverConnection]
    ) {
        let header = PublishHeader(
            qos: recipient.qos, isDuplicate: recipient.isDuplicate, isRetained: recipient.isRetained,
            packetIdentifier: recipient.packetIdentifier, topicAlias: recipient.topicAlias,
            omitsTopic: recipient.omitsTopic, remainingExpiry: remainingExpiry)
        let first = Int(recipient.firstSubscriptionIdentifier)
        let identifiers = shard.effects.subscriptionIdentifiers[
            first..<(first + Int(recipient.subscriptionIdentifierCount))]
        write(to: recipient.connection, of: shard, touched: &touched) { version, buffer in
            PacketEncoder.appendPublish(
                message, header, subscriptionIdentifiers: identifiers, version: version, to: &buffer)
        }
    }

    /// Appends to the connection's outbound bytes; nothing if it is gone.
    private func write(
        to identifier: ConnectionID, of shard: Shard, touched: inout [DriverConnection],
        _ encode: (ProtocolVersion, inout ByteBuffer) -> Void
    ) {
        guard let connection = shard.connection(of: identifier) else { return }
        let version = connections[connection.index].decoder.version ?? .v3_1_1
        encode(version, &connections[connection.index].outbound)
        if touched.last != connection { touched.append(connection) }
    }

    /// Tells the core when the outbound bytes have passed one of the watermarks, if the driver watches them.
    func updateWritability(of connection: DriverConnection) {
        guard tracksWritability, connections[connection.index].location != nil else { return }
        let count = connections[connection.index].outbound.readableBytes
        if connections[connection.index].isWritable, count > options.limits.outboundHighWatermark {
            setWritable(false, of: connection)
        } else if !connections[connection.index].isWritable, count < options.limits.outboundLowWatermark {
            setWritable(true, of: connection)
        }
    }
}
