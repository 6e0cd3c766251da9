import BrokerCore
import MQTTCodec
import MQTTModel
import NIOCore

/// Runs what the core asks for.
extension Shard {
    /// Runs the effects of one step, in order.
    func runEffects() {
        let all = effects.all
        for effect in all {
            switch effect {
            case .publish(let message, let recipients, let remainingExpiry):
                publish(message, to: recipients, remainingExpiry: remainingExpiry)
            case .acknowledge(let id, let kind, let packetIdentifier, let reasonCode):
                append(to: id) { buffer, version in
                    PacketEncoder.appendAcknowledgement(
                        kind, packetIdentifier, reasonCode, version: version, to: &buffer)
                }
            case .send(let id, let packet):
                append(to: id) { buffer, version in PacketEncoder.append(packet, version: version, to: &buffer) }
            case .close(let id): close(id)
            case .pauseReading(let id):
                if let index = slot(of: id) { pause(index, .core) }
            case .resumeReading(let id):
                if let index = slot(of: id) { resume(index, .core) }
            case .authenticate(let id, let request): authenticate(request, of: id)
            case .setDeadline(let instant): setDeadline(instant)
            case .execute(let token, let command):
                // Mail that was put out before keeps its place before the change.
                if hasOutgoingMail { postOutgoingMail() }
                backbone.execute(command, token, for: self)
            case .forward(BrokerCore.everyNode, let message): backbone.broadcast(message)
            case .forward(let shard, let message): forward(message, to: Int(shard))
            case .report(let event):
                if case .clientConnected(let id, _, let version, _) = event { clientConnected(id, version) }
                log(event)
            }
        }
    }

    private func publish(_ message: ApplicationMessage, to recipients: Range<Int>, remainingExpiry: UInt32) {
        // Held for the loop: each read through `effects` would count a reference to the array.
        let all = effects.recipients
        let allIdentifiers = effects.subscriptionIdentifiers
        let none: ArraySlice<UInt32> = []
        let payloadLength = message.payloadLength
        if message.timedSince != .zero { timedSince = message.timedSince }
        for position in recipients {
            let recipient = all[position]
            guard let index = slot(of: recipient.connection) else { continue }
            var identifiers = none
            if recipient.subscriptionIdentifierCount > 0 {
                let first = Int(recipient.firstSubscriptionIdentifier)
                identifiers = allIdentifiers[first..<(first + Int(recipient.subscriptionIdentifierCount))]
            }
            let header = PublishHeader(
                qos: recipient.qos, isDuplicate: recipient.isDuplicate, isRetained: recipient.isRetained,
                packetIdentifier: recipient.packetIdentifier, topicAlias: recipient.topicAlias,
                omitsTopic: recipient.omitsTopic, remainingExpiry: remainingExpiry)
            sent.add(recipient.qos, payloadBytes: payloadLength)
            append(to: index) { buffer, version in
                PacketEncoder.appendPublish(
                    message, header, subscriptionIdentifiers: identifiers, version: version, to: &buffer)
            }
        }
    }

    private func clientConnected(_ id: ConnectionID, _ version: ProtocolVersion) {
        guard let index = slot(of: id) else { return }
        // Counted under this one as long as it is there.
        slots[index].version = version
        slots[index].isClient = true
        clients[version] += 1
    }

    private func append(to id: ConnectionID, _ write: (inout ByteBuffer, ProtocolVersion) -> Void) {
        if let index = slot(of: id) { append(to: index, write) }
    }

    /// Lets `write` append to the connection's outbound buffer.
    @inline(__always)
    private func append(to index: Int, _ write: (inout ByteBuffer, ProtocolVersion) -> Void) {
        runtimeCounters.packetsSent &+= 1
        var buffer: ByteBuffer
        if let outbound = slots[index].outbound.take() { buffer = outbound } else { buffer = buffers.borrow() }
        write(&buffer, slots[index].version)
        let count = buffer.readableBytes
        slots[index].outbound = consume buffer
        if !slots[index].isDirty { markDirty(index) }
        if count >= earlyWriteThreshold(index) { outboundGrew(index, to: count) }
    }

    private func markDirty(_ index: Int) {
        slots[index].isDirty = true
        dirtySlots.append(UInt32(index))
        scheduleFlush()
    }

    /// The core has forgotten the connection: its place is free at once, its transport ends with the flush.
    private func close(_ id: ConnectionID) {
        guard let index = slot(of: id), let connection = slots[index].connection else { return }
        let outbound = detach(connection, from: index)
        depart(connection, saying: outbound)
    }

    /// Ends the transport of a connection that is not in the table, with the next flush.
    func depart(_ connection: Connection, saying bytes: ByteBuffer?) {
        departing[ObjectIdentifier(connection)] = connection
        farewells.append(Farewell(connection: connection, bytes: bytes))
        scheduleFlush()
    }

    // MARK: Reading

    func pause(_ index: Int, _ reason: PauseReasons) {
        guard let connection = slots[index].connection else { return }
        let wasReading = connection.pauses.isEmpty
        connection.pauses.insert(reason)
        if wasReading { connection.setReading(false) }
    }

    /// Takes the reason away. What was kept is decoded with the flush, before anything more is read.
    func resume(_ index: Int, _ reason: PauseReasons) {
        guard let connection = slots[index].connection, connection.pauses.contains(reason) else { return }
        connection.pauses.remove(reason)
        guard connection.pauses.isEmpty, let id = connection.id else { return }
        resumable.append(id)
        scheduleFlush()
    }

    /// Decodes what connections kept while they were paused, then reads from them again.
    func resumeConnections() {
        var next = 0
        while next < resumable.count {
            let id = resumable[next]
            next += 1
            guard let index = slot(of: id), let connection = slots[index].connection, connection.pauses.isEmpty
            else { continue }
            current = connection
            decodeUndecoded(of: connection)
            current = nil
            if connection.id == id, connection.pauses.isEmpty { connection.setReading(true) }
        }
        resumable.removeAll(keepingCapacity: true)
    }
}
