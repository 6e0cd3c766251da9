package import BrokerCore

/// What one run is like: sizes, limits, and how often what goes wrong. Every run draws its own, so that some runs know
/// no faults at all, some only one kind, and small limits meet big loads. Extremes are as common as the middle.
package struct Swarm: Sendable {
    package var shardCount = 1
    package var honestClients = 3
    package var hostileClients = 0
    /// Seconds of virtual time in which clients do things; then faults heal.
    package var seconds = 10
    package var options = BrokerOptions()

    // MARK: Network

    /// Bytes of the largest piece that arrives at once.
    package var maximumPiece = 65_536
    package var maximumLatencyMilliseconds = 5
    /// How long mail between shards may lie; 0 delivers it at once.
    package var maximumMailDelayMilliseconds = 0

    // MARK: The engine

    /// Whether the backbone is one that outlives the process.
    package var hasLastingEngine = false
    /// How often the broker's process ends without a word.
    package var crashCount = 0
    package var maximumDowntimeMilliseconds = 1000
    package var maximumCommitDelayMilliseconds = 5
    /// How often it cannot read what it is asked to.
    package var failedReadPercent = 0
    /// How often it cannot write, and nobody knows whether it did.
    package var failedCommitPercent = 0
    /// How often it has no room for a message.
    package var fullPercent = 0
    package var hasFailingEngine: Bool { nodeCount > 1 || hasLastingEngine && failedCommitPercent + fullPercent > 0 }

    // MARK: The flock

    /// More than one: a flock, whose log is a lasting engine.
    package var nodeCount = 1
    package var flockFaults = FlockFaults()
    /// How often a node's process ends without a word, stands still, or is cut off from the servers.
    package var nodeCrashes = 0
    package var nodePauses = 0
    package var nodeCuts = 0
    /// How often the servers are without a leader for a while.
    package var leaderLosses = 0
    /// How often a client that connects goes to another node, percent.
    package var roamingPercent = 50

    // MARK: What clients do, each a weight against the others

    package var publishWeight = 60
    package var subscribeWeight = 10
    package var unsubscribeWeight = 3
    package var disconnectWeight = 2
    package var resetWeight = 2
    package var vanishWeight = 1
    package var stallWeight = 1
    package var idleWeight = 10

    // MARK: What is published, percent

    package var topicCount = 3
    package var retainedPercent = 10
    package var clearPercent = 20
    package var expiryPercent = 0
    package var willPercent = 20
    package var sharedPercent = 20
    package var maximumPayload = 32
    /// Longest pause between two actions of a client.
    package var maximumPauseMilliseconds = 100
    package var maximumAcknowledgementDelayMilliseconds = 20

    /// Whether the session queue is so short that dropping is no fault.
    package var hasShortQueue: Bool { options.limits.maximumQueuedMessages < 1000 }

    package init() {}

    package init(using random: inout SplitMix64) {
        shardCount = random.pick([1, 2, 2, 3, 4])
        honestClients = random.integer(in: 2...6)
        hostileClients = random.pick([0, 0, 0, 1, 2])
        seconds = random.integer(in: 3...12)
        maximumPiece = random.pick([1, 5, 40, 65_536, 65_536])
        maximumLatencyMilliseconds = random.pick([0, 1, 5, 50])
        maximumMailDelayMilliseconds = random.pick([0, 1, 10, 100])
        publishWeight = random.pick([20, 60, 200])
        subscribeWeight = random.pick([2, 10, 30])
        unsubscribeWeight = random.pick([0, 0, 3, 15])
        disconnectWeight = random.pick([0, 0, 2, 10])
        resetWeight = random.pick([0, 0, 2, 10])
        vanishWeight = random.pick([0, 0, 1, 5])
        stallWeight = random.pick([0, 0, 1, 5])
        topicCount = random.integer(in: 1...4)
        retainedPercent = random.pick([0, 10, 50])
        expiryPercent = random.pick([0, 0, 30])
        willPercent = random.pick([0, 30, 80])
        sharedPercent = random.pick([0, 0, 20, 60])
        maximumPayload = random.pick([0, 32, 300])
        maximumPauseMilliseconds = random.pick([20, 100, 400])
        maximumAcknowledgementDelayMilliseconds = random.pick([0, 5, 50, 300])
        drawLimits(using: &random)
        drawEngine(using: &random)
        drawReading(using: random.split(1))
    }

    /// What is kept in memory of the log. A stream of its own.
    private mutating func drawReading(using stream: SplitMix64) {
        var random = stream
        options.limits.maximumCachedLogBytes = random.pick([0, 500, 5000, 1 << 24])
        options.limits.maximumFetchedMessages = random.pick([1, 3, 256])
        options.limits.maximumFetchedBytes = random.pick([1, 100, 1 << 20])
        options.limits.maximumConcurrentFetches = random.pick([1, 2, 4])
        options.queueFullPolicy = random.pick(QueueFullPolicy.allCases)
        failedReadPercent = random.pick([0, 0, 30])
        failedCommitPercent = random.pick([0, 0, 0, 3, 20])
        fullPercent = random.pick([0, 0, 0, 10])
    }

    private mutating func drawEngine(using random: inout SplitMix64) {
        hasLastingEngine = random.chance(50)
        crashCount = random.pick([0, 0, 1, 3])
        maximumDowntimeMilliseconds = random.pick([0, 300, 4000])
        maximumCommitDelayMilliseconds = random.pick([0, 2, 20, 100])
        if !hasLastingEngine { crashCount = 0 }
    }

    /// What the flock is like, and what goes wrong in it.
    mutating func drawFlock(using random: inout SplitMix64) {
        hasLastingEngine = true
        crashCount = 0
        sharedPercent = 0
        nodeCount = random.integer(in: 2...5)
        shardCount = min(shardCount, 2)
        roamingPercent = random.pick([0, 20, 50, 100])
        maximumDowntimeMilliseconds = random.pick([0, 300, 4000, 12_000])
        flockFaults.maximumDelayMilliseconds = random.pick([0, 1, 5, 50])
        flockFaults.maximumLagMilliseconds = random.pick([0, 5, 100, 1000])
        var faults = random.split(1)
        guard faults.chance(80) else { return }
        flockFaults.lostRequestPercent = faults.pick([0, 0, 5, 30])
        flockFaults.lostAnswerPercent = faults.pick([0, 0, 5, 30])
        flockFaults.lateRequestPercent = faults.pick([0, 0, 0, 10])
        flockFaults.fullPercent = faults.pick([0, 0, 0, 5])
        flockFaults.failedReadPercent = faults.pick([0, 0, 30])
        flockFaults.stalledTailPercent = faults.pick([0, 0, 1, 5])
        flockFaults.lostBroadcastPercent = faults.pick([0, 0, 20])
        flockFaults.lostBeatPercent = faults.pick([0, 0, 10, 50])
        flockFaults.maximumSkewMilliseconds = faults.pick([0, 0, 50, 2000])
        flockFaults.maximumLoadMilliseconds = faults.pick([10, 10, 1000, 10_000])
        nodeCrashes = faults.pick([0, 0, 1, 3])
        nodePauses = faults.pick([0, 0, 1, 2])
        nodeCuts = faults.pick([0, 0, 1, 2])
        leaderLosses = faults.pick([0, 0, 1, 2])
    }

    /// Nothing goes wrong between the nodes of a flock.
    package mutating func calm() {
        flockFaults = FlockFaults()
        (nodeCrashes, nodePauses, nodeCuts, leaderLosses) = (0, 0, 0, 0)
    }

    private mutating func drawLimits(using random: inout SplitMix64) {
        options.limits.maximumInflightMessages = random.pick([1, 2, 10, 256, 256])
        options.limits.maximumQueuedMessages = random.pick([1, 10, 10_000, 10_000, 10_000])
        options.limits.receiveMaximum = random.pick([1, 3, 1024, 1024])
        options.limits.maximumPendingPublishes = random.pick([1, 2, 1024, 1024])
        options.limits.topicAliasMaximum = random.pick([0, 1, 64])
        options.limits.maximumOutboundTopicAliases = random.pick([0, 1, 16])
        if random.chance(30) {
            options.limits.outboundHighWatermark = random.pick([64, 1000])
            options.limits.outboundLowWatermark = random.pick([1, 32])
        }
        options.limits.maximumMailboxMessages = random.pick([1, 16, 1 << 16])
        options.limits.maximumKeepAlive = random.pick([nil, nil, 3])
        options.sharedStrategy = random.pick(SharedStrategy.allCases)
        options.statusInterval = random.pick([.zero, .seconds(1), .seconds(10)])
    }
}
