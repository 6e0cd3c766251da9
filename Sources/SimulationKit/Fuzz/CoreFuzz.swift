import AccessControl
import BrokerCore
import MQTTCodec
import MQTTModel

/// Runs a script against a node: its invariants hold after every operation, clients understand all that they are sent,
/// and when everybody has left the tables are empty.
package struct CoreFuzz {
    private let driver: CoreDriver
    private var connections: [DriverConnection?]
    private var script: ArraySlice<UInt8>

    /// - Returns: what was wrong; nothing in a correct run. A broken invariant of the core stops the process.
    package static func run(_ script: CoreScript) -> [String] {
        var fuzz = CoreFuzz(script)
        fuzz.run()
        return fuzz.driver.faults
    }

    private init(_ script: CoreScript) {
        self.script = script.bytes[...]
        let first = self.script.popFirst() ?? 0
        var options = CoreFuzz.options(self.script.popFirst() ?? 0)
        options.access = FuzzAccess.policy(first)
        driver = CoreDriver(shardCount: 1 + Int(first) % 4, options: options, seed: 1)
        driver.authenticator = { FuzzAccess.outcome(of: $0) }
        connections = Array(repeating: nil, count: Int(CoreScript.connectionCount))
    }

    /// Small limits are where things go wrong; each bit of `choice` makes one small.
    private static func options(_ choice: UInt8) -> BrokerOptions {
        var options = BrokerOptions()
        options.statusInterval = .zero
        options.limits.maximumPacketSize = 1 << 16
        if choice & 0x01 != 0 { options.limits.maximumInflightMessages = 1 }
        if choice & 0x02 != 0 { options.limits.maximumQueuedMessages = 1 }
        if choice & 0x04 != 0 { options.limits.receiveMaximum = 1 }
        if choice & 0x08 != 0 { options.limits.maximumPendingPublishes = 1 }
        if choice & 0x10 != 0 { options.limits.maximumSessions = 2 }
        if choice & 0x20 != 0 { options.limits.maximumSubscriptionsPerSession = 1 }
        if choice & 0x40 != 0 { options.limits.maximumRetainedMessages = 2 }
        if choice & 0x80 != 0 { options.limits.maximumConnections = 3 }
        return options
    }

    private mutating func run() {
        while let byte = script.popFirst(), let argument = script.popFirst() {
            let slot = Int(argument % CoreScript.connectionCount)
            switch CoreScript.Operation(rawValue: byte % UInt8(CoreScript.Operation.allCases.count)) {
            case .send, nil: send(on: slot)
            case .close: close(slot)
            case .wait: driver.advance(by: .milliseconds(Int(argument) * 50))
            case .toggleWritability: toggleWritability(of: slot)
            case .read: read(slot)
            case .deliverMail: driver.deliverMail(to: Int(argument) % driver.shardCount)
            case .toggleMail:
                driver.deliversAtOnce.toggle()
                driver.run()
            case .changeRules:
                if driver.options.access != nil { driver.accessChanged(to: FuzzAccess.policy(argument, isFixed: true)) }
            }
            driver.checkInvariants()
        }
        finish()
    }

    private mutating func send(on slot: Int) {
        guard let high = script.popFirst(), let low = script.popFirst() else { return }
        let bytes = script.prefix(Int(high) << 8 | Int(low))
        script = script.dropFirst(bytes.count)
        driver.receive(bytes, on: connection(slot))
    }

    /// The slot's connection; a new one when it has none that lives.
    private mutating func connection(_ slot: Int) -> DriverConnection {
        if let connection = connections[slot], driver.isOpen(connection) { return connection }
        read(slot)
        let connection = driver.open(on: slot % driver.shardCount)
        connections[slot] = connection
        return connection
    }

    private mutating func close(_ slot: Int) {
        guard let connection = connections[slot] else { return }
        driver.close(connection)
        read(slot)
        connections[slot] = nil
    }

    private mutating func toggleWritability(of slot: Int) {
        guard let connection = connections[slot] else { return }
        let isWritable = driver.isWritable(connection)
        driver.setWritable(!isWritable, of: connection)
    }

    /// What the broker sent is understood by a client, or is put down as a fault by the driver.
    private func read(_ slot: Int) {
        guard let connection = connections[slot] else { return }
        _ = driver.receivePackets(of: connection)
    }

    /// Everybody leaves; every session is ended and what is retained deleted.
    private mutating func finish() {
        driver.deliversAtOnce = true
        driver.authenticator = { _ in .allowed(AccessGrant(userName: nil)) }
        driver.run()
        for slot in connections.indices { close(slot) }
        // Longer than any will delay that the generator knows; a longer one ends with its session.
        driver.advance(by: .seconds(60))
        for identifier in driver.acceptedIdentifiers.sorted() { endSession(of: identifier) }
        driver.checkInvariants()
        for (name, count) in driver.tableCounts where count != 0 && name != "retained messages" {
            driver.noteFault("\(count) \(name) are left")
        }
    }

    private func endSession(of identifier: String) {
        let connection = driver.connect(Connect(version: .v3_1_1, clientIdentifier: identifier, cleanStart: true))
        driver.send(.disconnect(Disconnect()), version: .v3_1_1, on: connection)
    }
}
