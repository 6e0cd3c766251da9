import BrokerCore
import MQTTModel
import NIOCore
import Synchronization
import TransportModel

/// Counts the connections of one listener and says which ones it takes. From any thread.
final class AdmissionGate: Sendable {
    /// Why a connection is not taken.
    enum Refusal: Error {
        case connections, addressConnections, rate, addressRate, handshakes
    }

    /// Addresses whose rate is known at the same time; those beyond share one rate.
    static let maximumAddresses = 1 << 16

    private struct State {
        var options: ListenerOptions
        var counts = ListenerCounts()
        var rate = TokenBucket()
        var addressRates: [IPAddress: TokenBucket] = [:]
        var otherAddresses = TokenBucket()
        /// Connections of each address, while somebody wants to know.
        var addressConnections: [IPAddress: Int] = [:]
    }

    private let state: Mutex<State>

    init(_ options: ListenerOptions) { state = Mutex(State(options: options)) }

    /// Whether a plain connection needs an admission. One that was taken without is not counted later on.
    var isCounting: Bool { state.withLock { $0.options.hasLimits } }

    var counts: ListenerCounts { state.withLock { $0.counts } }

    /// The limits that hold from now on. Connections that are there stay.
    func setOptions(_ options: ListenerOptions) { state.withLock { $0.options = options } }

    /// Takes a connection that was accepted, which the caller ends with the admission.
    ///
    /// - Parameter isHandshaking: whether something comes before MQTT, whose end is `Admission.handshakeEnded`.
    func admit(isHandshaking: Bool) throws(Refusal) -> Admission {
        let refusal: Refusal? = state.withLock { state in
            let refusal = Self.refusal(&state, isHandshaking)
            if let refusal {
                state.counts.refuse(refusal)
            } else {
                state.counts.accepted += 1
                state.counts.connections += 1
                if isHandshaking { state.counts.handshakes += 1 }
            }
            return refusal
        }
        if let refusal { throw refusal }
        return Admission(self, isHandshaking: isHandshaking)
    }

    private static func refusal(_ state: inout State, _ isHandshaking: Bool) -> Refusal? {
        let options = state.options
        if options.maximumConnections > 0, state.counts.connections >= options.maximumConnections {
            return .connections
        }
        if isHandshaking, state.counts.handshakes >= options.maximumHandshakes { return .handshakes }
        let now = Self.now
        if options.connectionRate > 0, !state.rate.take(at: now, rate: options.connectionRate) { return .rate }
        return nil
    }

    private static var now: Instant { Instant(nanoseconds: NIODeadline.now().uptimeNanoseconds) }

    /// Asks whether this address may connect once more; for a proxied connection when its header has told the address.
    fileprivate func enter(_ address: IPAddress) throws(Refusal) {
        let refusal: Refusal? = state.withLock { state in
            let refusal = Self.refusal(&state, of: address)
            if let refusal {
                state.counts.refuse(refusal)
            } else {
                state.addressConnections[address, default: 0] += 1
            }
            return refusal
        }
        if let refusal { throw refusal }
    }

    private static func refusal(_ state: inout State, of address: IPAddress) -> Refusal? {
        let most = state.options.maximumConnectionsPerAddress
        if most > 0, state.addressConnections[address, default: 0] >= most { return .addressConnections }
        let rate = state.options.connectionRatePerAddress
        guard rate > 0 else { return nil }
        let now = Self.now
        if state.addressRates[address] == nil, state.addressRates.count >= Self.maximumAddresses {
            state.addressRates = state.addressRates.filter { !$0.value.isFull(at: now) }
        }
        let isTaken =
            if state.addressRates[address] != nil || state.addressRates.count < Self.maximumAddresses {
                state.addressRates[address, default: TokenBucket()].take(at: now, rate: rate)
            } else {
                state.otherAddresses.take(at: now, rate: rate)
            }
        return isTaken ? nil : .addressRate
    }

    /// Whether addresses are told apart.
    fileprivate var countsAddresses: Bool { state.withLock { $0.options.hasAddressLimits } }

    /// Whoever has an IPv6 address has a whole /64 of them.
    fileprivate static func key(_ address: IPAddress) -> IPAddress {
        let address = address.unmapped
        guard address.bytes.count == 16 else { return address }
        return IPAddress(bytes: address.bytes.prefix(8) + [UInt8](repeating: 0, count: 8))
    }

    fileprivate func leave(isHandshaking: Bool, address: IPAddress?) {
        state.withLock { state in
            state.counts.connections -= 1
            if isHandshaking { state.counts.handshakes -= 1 }
            guard let address, let count = state.addressConnections[address] else { return }
            state.addressConnections[address] = count > 1 ? count - 1 : nil
        }
    }

    fileprivate func endHandshake() { state.withLock { $0.counts.handshakes -= 1 } }

    func count(_ change: (inout ListenerCounts) -> Void) { state.withLock { change(&$0.counts) } }
}

/// A connection's place within its listener's limits; gives it back when the connection, wherever it has moved to, is
/// gone. Confined to the connection's loop.
final class Admission: @unchecked Sendable {
    let gate: AdmissionGate
    private var isHandshaking: Bool
    /// The client's, as far as the limits tell addresses apart.
    private var address: IPAddress?

    fileprivate init(_ gate: AdmissionGate, isHandshaking: Bool) {
        self.gate = gate
        self.isHandshaking = isHandshaking
    }

    func handshakeEnded() {
        guard isHandshaking else { return }
        isHandshaking = false
        gate.endHandshake()
    }

    /// The client's address is known; asked once.
    func enter(from address: IPAddress?) throws(AdmissionGate.Refusal) {
        guard let address, gate.countsAddresses else { return }
        let key = AdmissionGate.key(address)
        try gate.enter(key)
        self.address = key
    }

    deinit { gate.leave(isHandshaking: isHandshaking, address: address) }
}

/// What a listener has counted since the start.
package struct ListenerCounts: Sendable, Hashable {
    /// Connections that are there.
    package var connections = 0
    /// Those of them that have not come to MQTT yet.
    package var handshakes = 0
    package var accepted: UInt64 = 0
    package var refusedByConnections: UInt64 = 0
    package var refusedByAddressConnections: UInt64 = 0
    package var refusedByRate: UInt64 = 0
    package var refusedByAddressRate: UInt64 = 0
    package var refusedByHandshakes: UInt64 = 0
    /// Handshakes that took longer than their timeout.
    package var handshakeTimeouts: UInt64 = 0
    /// Handshakes that ended with an error of the client.
    package var handshakeFailures: UInt64 = 0

    package init() {}

    fileprivate mutating func refuse(_ refusal: AdmissionGate.Refusal) {
        switch refusal {
        case .connections: refusedByConnections += 1
        case .addressConnections: refusedByAddressConnections += 1
        case .rate: refusedByRate += 1
        case .addressRate: refusedByAddressRate += 1
        case .handshakes: refusedByHandshakes += 1
        }
    }
}
