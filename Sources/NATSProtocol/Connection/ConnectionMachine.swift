/// Keeps a client connected to one of several servers: pure, with time and randomness as arguments.
///
/// The driver's duties: (1) tell what happens by the functions below, of the present network connection only; (2) perform
/// the actions of a call in order before the next call; (3) call `deadlineReached` when `deadline` has come; (4) answer
/// each PING of the server itself. Times are durations since any fixed point, and never go back.
package struct ConnectionMachine: Sendable {
    private enum State: Sendable {
        /// Can transition to: opening, closed.
        case idle
        /// A network connection is being made. Can transition to: awaitingInfo, opening, waiting, closed.
        case opening
        /// INFO comes first. Can transition to: securing, authenticating, opening, waiting, closed.
        case awaitingInfo
        /// The TLS handshake. Can transition to: awaitingInfo (TLS came first), authenticating, opening, waiting, closed.
        case securing(ServerInfo?)
        /// CONNECT and PING are sent, PONG says that they are accepted. Can transition to: connected, opening, waiting,
        /// closed.
        case authenticating(ServerInfo)
        /// Can transition to: opening, waiting, closed.
        case connected(ServerInfo)
        /// All servers were tried. Can transition to: opening, closed.
        case waiting
        /// For good.
        case closed
    }

    package enum TLSMode: Hashable, Sendable {
        /// When the server requires it, or the address says so.
        case asServerRequires
        /// Always; a server without it is not used.
        case required
        /// Always, and before INFO: for servers with `handshake_first`.
        case handshakeFirst
    }

    package let policy: ReconnectPolicy
    private let tlsMode: TLSMode
    private var pool: ServerPool
    private var state = State.idle
    /// Rounds through all servers since the last connection that held.
    private var round = 0
    /// Losses in a row of connections that had just been made.
    private var quickLosses = 0
    private var connectedAt = Duration.zero
    private var lastHeard = Duration.zero
    private var pings = 0
    private var leavesAt: Duration?
    private var lastError: String?
    /// When `deadlineReached` is due; nil: never.
    package private(set) var deadline: Duration?

    /// A connection that lasted less is no proof that the server is well.
    private static let quickLoss = Duration.seconds(1)

    package init(servers: [ServerAddress], policy: ReconnectPolicy = .init(), tlsMode: TLSMode = .asServerRequires) {
        self.policy = policy
        self.tlsMode = tlsMode
        pool = ServerPool(servers)
    }

    package var info: ServerInfo? {
        if case .connected(let info) = state { info } else { nil }
    }

    package var isConnected: Bool { info != nil }

    // MARK: What the application wants

    package mutating func start(at now: Duration) -> [ConnectionAction] {
        guard case .idle = state else { return [] }
        return openPresent(at: now)
    }

    package mutating func close() -> [ConnectionAction] {
        if case .closed = state { return [] }
        return end(nil)
    }

    // MARK: What happens on the network

    package mutating func opened(at now: Duration) -> [ConnectionAction] {
        guard case .opening = state else { return [] }
        if tlsMode == .handshakeFirst {
            state = .securing(nil)
            return [.secure]
        }
        state = .awaitingInfo
        return []
    }

    package mutating func infoReceived(
        _ info: ServerInfo, at now: Duration, using random: inout some RandomNumberGenerator
    ) -> [ConnectionAction] {
        switch state {
        case .awaitingInfo:
            learn(from: info)
            let isSecure = tlsMode == .handshakeFirst
            guard !isSecure else { return authenticate(info) }
            guard info.requiresTLS || tlsMode == .required || pool.present?.requiresTLS == true else {
                return authenticate(info)
            }
            guard info.requiresTLS || info.offersTLS else { return lost(.tlsNotOffered, at: now, using: &random) }
            state = .securing(info)
            return [.secure]
        case .connected:
            learn(from: info)
            guard info.isLameDuck, leavesAt == nil, pool.count > 1 else { return [] }
            leavesAt = now + policy.lameDuckDelay
            deadline = min(deadline ?? .seconds(Int64.max), now + policy.lameDuckDelay)
            return [.report(.lameDuck)]
        case .authenticating:
            learn(from: info)
            return []
        case .idle, .opening, .securing, .waiting, .closed: return []
        }
    }

    package mutating func secured() -> [ConnectionAction] {
        guard case .securing(let info) = state else { return [] }
        guard let info else {
            state = .awaitingInfo
            return []
        }
        return authenticate(info)
    }

    package mutating func pongReceived(at now: Duration) -> [ConnectionAction] {
        guard case .authenticating(let info) = state, let present = pool.present else { return [] }
        state = .connected(info)
        (connectedAt, lastHeard, pings, leavesAt) = (now, now, 0, nil)
        deadline = now + policy.pingInterval
        return [.report(.connected(present, info))]
    }

    /// Bytes arrived, whatever they are: the server lives.
    package mutating func heard(at now: Duration) { lastHeard = now }

    /// -ERR: the reason, if the server closes after it.
    package mutating func errorReceived(_ text: String) { lastError = text }

    /// The network connection was not made, or is no more.
    package mutating func closed(
        _ reason: DisconnectReason, at now: Duration, using random: inout some RandomNumberGenerator
    ) -> [ConnectionAction] {
        lost(lastError.map { .refused($0) } ?? reason, at: now, using: &random)
    }

    package mutating func deadlineReached(
        at now: Duration, using random: inout some RandomNumberGenerator
    ) -> [ConnectionAction] {
        guard let due = deadline, due <= now else { return [] }
        deadline = nil
        switch state {
        case .waiting:
            pool.startRound()
            return openPresent(at: now)
        case .opening, .awaitingInfo, .securing, .authenticating: return lost(.timedOut, at: now, using: &random)
        case .connected:
            if let leavesAt, leavesAt <= now { return lost(.lameDuck, at: now, using: &random) }
            return checkLiveness(at: now, using: &random)
        case .idle, .closed: return []
        }
    }

    // MARK: Transitions

    private mutating func checkLiveness(
        at now: Duration, using random: inout some RandomNumberGenerator
    ) -> [ConnectionAction] {
        if now < lastHeard + policy.pingInterval {
            pings = 0
            deadline = min(lastHeard + policy.pingInterval, leavesAt ?? .seconds(Int64.max))
            return []
        }
        guard pings < policy.maximumPings else { return lost(.silent, at: now, using: &random) }
        pings += 1
        deadline = min(now + policy.pingInterval, leavesAt ?? .seconds(Int64.max))
        return [.sendPing]
    }

    private mutating func openPresent(at now: Duration) -> [ConnectionAction] {
        guard let server = pool.present else { return end(.unreachable("there is no server to connect to")) }
        state = .opening
        lastError = nil
        deadline = now + policy.attemptTimeout
        return [.open(server)]
    }

    private mutating func authenticate(_ info: ServerInfo) -> [ConnectionAction] {
        state = .authenticating(info)
        return [.authenticate(info)]
    }

    private mutating func learn(from info: ServerInfo) {
        pool.learn(info.clusterAddresses, requiresTLS: info.requiresTLS)
    }

    private mutating func lost(
        _ reason: DisconnectReason, at now: Duration, using random: inout some RandomNumberGenerator
    ) -> [ConnectionAction] {
        switch state {
        case .idle, .waiting, .closed: return []
        case .connected:
            let isQuick = now < connectedAt + ConnectionMachine.quickLoss
            quickLosses = isQuick ? quickLosses + 1 : 0
            if !isQuick { round = 0 }
            let actions: [ConnectionAction] = [.cut, .report(.disconnected(reason))]
            _ = pool.advance()
            pool.startRound()
            if quickLosses > pool.count { return actions + wait(reason, at: now, using: &random) }
            return actions + openPresent(at: now)
        case .opening, .awaitingInfo, .securing, .authenticating:
            var actions: [ConnectionAction] = [.cut]
            if let present = pool.present { actions.append(.report(.attemptFailed(present, reason))) }
            if pool.advance() { return actions + openPresent(at: now) }
            return actions + wait(reason, at: now, using: &random)
        }
    }

    private mutating func wait(
        _ reason: DisconnectReason, at now: Duration, using random: inout some RandomNumberGenerator
    ) -> [ConnectionAction] {
        round += 1
        if let maximum = policy.maximumRounds, round >= maximum { return end(reason) }
        let delay = policy.delay(afterRound: round, using: &random)
        state = .waiting
        deadline = now + delay
        return [.report(.waiting(delay))]
    }

    private mutating func end(_ reason: DisconnectReason?) -> [ConnectionAction] {
        state = .closed
        deadline = nil
        return [.cut, .report(.closed(reason))]
    }
}
