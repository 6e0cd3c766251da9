import BrokerCore
import MQTTCodec
import MQTTModel
package import NIOCore

/// What a transport tells its shard.
extension Shard {
    /// A connection was accepted. The shard may close it at once.
    package func opened(_ connection: Connection) {
        loop.assertInEventLoop()
        runtimeCounters.connectionsOpened += 1
        begin(connection)
    }

    private func begin(_ connection: Connection) {
        guard !isShuttingDown, connectionCount < limits.maximumConnections + Shard.refusalHeadroom else {
            runtimeCounters.connectionsCut += 1
            return depart(connection, saying: nil)
        }
        readClock()
        let id = attach(connection)
        submit(.connectionOpened(id))
    }

    /// Connections above `Limits.maximumConnections` that may wait for the core to refuse them in their own language;
    /// further ones are cut.
    static let refusalHeadroom = 256

    /// A connection came from the shard that accepted it.
    package func adopted(_ connection: Connection, _ handover: Handover) {
        loop.assertInEventLoop()
        begin(connection)
        guard connection.id != nil else { return }
        connection.decoder = handover.decoder
        current = connection
        deliver(handover.packet, from: connection)
        current = nil
        if let undecoded = handover.undecoded { received(connection, undecoded) }
    }

    /// Bytes arrived. `bytes` is only lent: the transport uses its storage again.
    package func received(_ connection: Connection, _ bytes: ByteBuffer) {
        loop.assertInEventLoop()
        guard connection.id != nil, !connection.pauses.contains(.violated) else { return }
        runtimeCounters.bytesReceived += UInt64(bytes.readableBytes)
        readClock()
        if lastReceiver != ObjectIdentifier(connection) {
            lastReceiver = ObjectIdentifier(connection)
            lastOther = now
        }
        bytes.withUnsafeReadableBytes { decode($0, from: connection) }
        if isThrottling { slowUnfinishedPacket(of: connection) }
    }

    /// The network connection ended from the other side or by a fault.
    package func closed(_ connection: Connection) {
        loop.assertInEventLoop()
        guard let id = connection.id, let index = slot(of: id) else { return finished(connection) }
        readClock()
        detach(connection, from: index)
        submit(.connectionClosed(id))
        announceIfEmpty()
    }

    /// A connection that the shard had let go of has ended.
    private func finished(_ connection: Connection) {
        departing[ObjectIdentifier(connection)] = nil
        announceIfEmpty()
    }

    // MARK: Decoding

    /// Decodes in place; keeps what is left over.
    private func decode(_ bytes: UnsafeRawBufferPointer, from connection: Connection) {
        current = connection
        defer { current = nil }
        var rest = bytes
        // A packet that began in an earlier read is completed first, so that only its bytes are copied.
        while !rest.isEmpty, connection.undecoded != nil, connection.pauses.isEmpty {
            let missing = connection.missingBytes
            let count = min(missing, rest.count)
            connection.undecoded?.writeBytes(UnsafeRawBufferPointer(rebasing: rest[..<count]))
            rest = UnsafeRawBufferPointer(rebasing: rest[count...])
            if count == missing { decodeUndecoded(of: connection) }
            guard connection.id != nil else { return }
        }
        let count = connection.undecoded == nil ? decodePackets(rest, from: connection) : 0
        guard count < rest.count, connection.id != nil else { return }
        connection.keep(UnsafeRawBufferPointer(rebasing: rest[count...]))
    }

    /// Decodes what was kept, as far as it goes.
    func decodeUndecoded(of connection: Connection) {
        guard var kept = connection.undecoded else { return }
        connection.undecoded = nil
        let count = kept.withUnsafeReadableBytes { decodePackets($0, from: connection) }
        guard count < kept.readableBytes, connection.id != nil else { return }
        kept.moveReaderIndex(forwardBy: count)
        if count > 0 { kept.discardReadBytes() }
        connection.undecoded = kept
    }

    /// - Returns: the number of bytes that were decoded; all when the connection is gone.
    private func decodePackets(_ bytes: UnsafeRawBufferPointer, from connection: Connection) -> Int {
        // Held for the loop: reading a property of a class counts a reference each time.
        let mailbox = mailbox
        var offset = 0
        var packetsUntilLook = packetsBetweenLooks
        while offset < bytes.count, connection.pauses.isEmpty {
            if mailbox.hasMail { drainMailbox() }
            guard let id = connection.id else { return bytes.count }
            do throws(ProtocolViolation) {
                let rest = UnsafeRawBufferPointer(rebasing: bytes[offset...])
                var byteCount = 0
                guard let packet = try connection.decoder.decode(rest, pool: &pool, byteCount: &byteCount)
                else { break }
                offset += byteCount
                runtimeCounters.packetsReceived &+= 1
                if case .connect = packet {
                    let rest = UnsafeRawBufferPointer(rebasing: bytes[offset...])
                    guard connectDecoded(packet, from: connection, rest) else { return bytes.count }
                } else {
                    if isThrottling { throttle(connection, after: packet, byteCount: byteCount) }
                    step(packet, of: id)
                    packetsUntilLook -= 1
                    if packetsUntilLook == 0 {
                        if offset < bytes.count { yieldIfTurnIsOver(connection) }
                        packetsUntilLook = packetsBetweenLooks
                    }
                }
            } catch {
                connection.pauses.insert(.violated)
                // The answer to a CONNECT that was refused for its version is in the version it asked for.
                if let version = connection.decoder.version { slots[Int(id.slot)].version = version }
                submit(.violationReceived(id, error, version: connection.decoder.version))
                return bytes.count
            }
        }
        return connection.id == nil ? bytes.count : offset
    }

    // MARK: Home shards

    /// Hands a CONNECT to the core if the client is at home here; sends the connection to its home shard if not.
    ///
    /// - Parameter rest: what arrived behind it.
    /// - Returns: whether it stayed.
    @inline(never)
    private func connectDecoded(
        _ packet: Packet, from connection: Connection, _ rest: UnsafeRawBufferPointer
    ) -> Bool {
        guard case .connect(let connect) = packet else { return true }
        let count = UInt16(allShards.count)
        let home = HomeShard.index(of: connect.clientIdentifier, shardCount: count)
        if connect.clientIdentifier.isEmpty || home == index {
            deliver(packet, from: connection)
            return true
        }
        move(connection, to: allShards[Int(home)], packet, rest)
        return false
    }

    private func deliver(_ connect: Packet, from connection: Connection) {
        guard let id = connection.id else { return }
        slots[Int(id.slot)].version = connection.decoder.version ?? .v5_0
        if case .connect(let said) = connect, isBanned(said.clientIdentifier, [said.userName], connection) {
            runtimeCounters.bannedRefused += 1
            submit(.connectForbidden(id, connect, .banned))
            return
        }
        if connection.isRevoked { return submit(.connectForbidden(id, connect, .notAuthorized)) }
        if let redirection {
            let reference = redirection.serverReference
            return submit(.connectForbidden(id, connect, redirection.connectReason, serverReference: reference))
        }
        submit(.packetReceived(id, connect))
    }

    /// To this shard's core the connection ends.
    private func move(_ connection: Connection, to home: Shard, _ packet: Packet, _ rest: UnsafeRawBufferPointer) {
        guard let id = connection.id, let index = slot(of: id) else { return }
        let handover = Handover(
            home: home, decoder: connection.decoder, packet: packet,
            undecoded: rest.isEmpty ? nil : ByteBuffer(bytes: rest))
        runtimeCounters.connectionsMoved += 1
        detach(connection, from: index)
        submit(.connectionClosed(id))
        connection.move(handover)
    }
}
