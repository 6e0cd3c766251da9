extension MQTTClient {
    /// When a lost connection is made anew. Each delay is twice the one before, up to a bound, and a random part of it is
    /// left out, so that a thousand clients do not come back in the same instant.
    public struct ReconnectPolicy: Sendable, Hashable {
        public var isEnabled = true
        /// Before the first attempt.
        public var initialDelay: Duration = .milliseconds(500)
        public var maximumDelay: Duration = .seconds(30)
        /// The largest part of a delay that is left out at random, 0...1.
        public var jitter = 0.5
        /// Attempts in a row before the client gives up; nil: it never does.
        public var maximumAttempts: Int?

        public init() {}

        /// A lost connection stays lost.
        public static var never: ReconnectPolicy {
            var policy = ReconnectPolicy()
            policy.isEnabled = false
            return policy
        }

        /// The delay before attempt number `attempt`, which counts from 1; nil when there is none.
        func delay(beforeAttempt attempt: Int, using random: inout some RandomNumberGenerator) -> Duration? {
            guard isEnabled, attempt <= maximumAttempts ?? .max else { return nil }
            var delay = min(initialDelay, maximumDelay)
            for _ in 1..<max(attempt, 1) where delay < maximumDelay { delay = min(delay * 2, maximumDelay) }
            let leftOut = Double.random(in: 0...1, using: &random) * min(max(jitter, 0), 1)
            return delay * (1 - leftOut)
        }
    }
}
