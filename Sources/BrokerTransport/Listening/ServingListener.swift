import Synchronization
import TransportModel

/// A listener while it serves: what its connections share. From any thread.
final class ServingListener: Sendable {
    /// As it was when it was bound. Its options may have changed since: `options` has those that hold.
    let listener: Listener
    let gate: AdmissionGate
    private let state: Mutex<State>

    private struct State {
        var options: ListenerOptions
        var tlsContext: TLSContext?
    }

    /// - Throws: `TLSContext.Problem`.
    init(_ listener: Listener) throws(TLSContext.Problem) {
        self.listener = listener
        self.gate = AdmissionGate(listener.options)
        let context = try Self.context(for: listener.address, listener.options)
        state = Mutex(State(options: listener.options, tlsContext: context))
    }

    /// As logs and metrics call it.
    var name: String { listener.name ?? listener.description }

    var options: ListenerOptions { state.withLock { $0.options } }

    /// What the next TLS connection is made of; nil when none is spoken here.
    var tlsContext: TLSContext? { state.withLock { $0.tlsContext } }

    /// The TLS context that these options and the files they name give.
    static func context(
        for address: ListenAddress, _ options: ListenerOptions
    ) throws(TLSContext.Problem) -> TLSContext? {
        address.transport.isEncrypted ? try TLSContext(options) : nil
    }

    /// What new connections meet from now on; those that are there keep what they have. Whether there are proxies is
    /// decided when the listener is bound.
    func reload(_ options: ListenerOptions, _ context: TLSContext?) {
        var options = options
        options.proxies = listener.options.proxies
        gate.setOptions(options)
        state.withLock { $0 = State(options: options, tlsContext: context) }
    }
}
