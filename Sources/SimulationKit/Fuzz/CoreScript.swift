import MQTTModel

/// Something to try a node with: any bytes are a script, so that it can be changed at random, kept in a file and run
/// again.
///
/// Byte 0 chooses the number of shards and the rules about access, byte 1 the limits. Then come operations: a byte that
/// says what (`Operation`), a byte that says on which of eight connections, and for `send` two bytes of length and what is
/// sent. A script that ends within an operation ends before it.
package struct CoreScript: Sendable, Hashable {
    package var bytes: [UInt8]

    package init(bytes: [UInt8]) { self.bytes = bytes }

    enum Operation: UInt8, CaseIterable {
        case send, close, wait, toggleWritability, read, deliverMail, toggleMail, changeRules
    }

    /// In byte 0: there are rules; clients are checked.
    static let hasRules: UInt8 = 0x10
    static let checksClients: UInt8 = 0x20

    static let connectionCount: UInt8 = 8

    /// A script of packets, some spoiled, from several connections.
    package init(using random: inout SplitMix64) {
        bytes = [UInt8(random.integer(in: 0...3)), UInt8(truncatingIfNeeded: random.next())]
        if random.chance(40) { bytes[0] |= random.pick([CoreScript.hasRules, CoreScript.checksClients, 0x30]) }
        var generator = PacketGenerator(random: random.split(1))
        generator.authenticates = bytes[0] & CoreScript.checksClients != 0
        var versions = (0..<Int(CoreScript.connectionCount)).map { _ in
            random.pick([ProtocolVersion.v3_1_1, .v5_0, .v5_0])
        }
        let spoiledPercent = random.pick([0, 0, 2, 20])
        for connection in versions.indices.shuffled(using: &random).prefix(random.integer(in: 1...8)) {
            appendSend(generator.connectPacket(versions[connection]), on: connection)
        }
        for _ in 0..<random.integer(in: 1...60) {
            let connection = random.integer(in: 0...(versions.count - 1))
            if random.chance(80) {
                var packet = generator.packet(version: versions[connection])
                if random.chance(spoiledPercent) { generator.mutate(&packet) }
                appendSend(packet, on: connection)
                continue
            }
            let operation = random.pick(Operation.allCases.filter { $0 != .send })
            bytes += [operation.rawValue, operation == .wait ? UInt8(random.integer(in: 0...255)) : UInt8(connection)]
            if operation == .close {
                versions[connection] = random.pick([.v3_1_1, .v5_0, .v5_0])
                appendSend(generator.connectPacket(versions[connection]), on: connection)
            }
        }
    }

    private mutating func appendSend(_ packet: [UInt8], on connection: Int) {
        bytes += [
            Operation.send.rawValue, UInt8(connection), UInt8(packet.count >> 8 & 0xFF), UInt8(packet.count & 0xFF),
        ]
        bytes += packet
    }

    /// Changes a byte or a few, anywhere.
    package mutating func mutate(using random: inout SplitMix64) {
        var generator = PacketGenerator(random: random.split(random.next()))
        for _ in 0..<random.integer(in: 1...4) { generator.mutate(&bytes) }
    }
}
