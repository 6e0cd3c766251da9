/// When and how often a lost connection is made anew.
///
/// After a loss every other server is tried at once. Only when all have been tried a delay follows, each time twice the
/// one before, up to a bound, with a random part left out, so that the nodes of a flock do not come back in one instant.
package struct ReconnectPolicy: Hashable, Sendable {
    /// Before the second round through the servers.
    package var initialDelay: Duration = .milliseconds(50)
    package var maximumDelay: Duration = .seconds(2)
    /// The largest part of a delay that is left out at random, 0...1.
    package var jitter = 0.5
    /// Rounds through all servers in a row before the client gives up; nil: it never does.
    package var maximumRounds: Int?
    /// For an attempt until the server takes it, TLS and authentication included.
    package var attemptTimeout: Duration = .seconds(2)
    /// Silence after which the server is asked for a sign of life, and after which, if none comes, it counts as gone.
    package var pingInterval: Duration = .seconds(1)
    /// How often it is asked.
    package var maximumPings = 2
    /// From a server's word that it will stop until the client leaves it: time for the answers under way.
    package var lameDuckDelay: Duration = .milliseconds(200)

    package init() {}

    /// The delay after round number `round`, which counts from 1.
    func delay(afterRound round: Int, using random: inout some RandomNumberGenerator) -> Duration {
        var delay = min(initialDelay, maximumDelay)
        for _ in 1..<max(round, 1) where delay < maximumDelay { delay = min(delay * 2, maximumDelay) }
        let leftOut = Double.random(in: 0...1, using: &random) * min(max(jitter, 0), 1)
        return delay * (1 - leftOut)
    }
}
