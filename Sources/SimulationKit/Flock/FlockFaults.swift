/// What may go wrong between the nodes of a flock and the servers that hold its log, and how often.
package struct FlockFaults: Sendable, Hashable {
    /// Of whatever goes between a node and a server, one way.
    package var maximumDelayMilliseconds = 2
    /// How long the log's tail lies before a node has it: each node draws its own bound up to this.
    package var maximumLagMilliseconds = 5
    /// How often a batch does not reach the servers, and how often their answer does not come back.
    package var lostRequestPercent = 0
    package var lostAnswerPercent = 0
    /// How often a batch is under way for longer than its node waits for the answer: it is sent again meanwhile.
    package var lateRequestPercent = 0
    /// How often the servers have no room.
    package var fullPercent = 0
    /// How often what is read is not there: the replica is behind, or nobody answers.
    package var failedReadPercent = 0
    /// How often the tail stands still for seconds.
    package var stalledTailPercent = 0
    package var lostBroadcastPercent = 0
    package var lostBeatPercent = 0
    /// How far the nodes' clocks may be apart from the true time.
    package var maximumSkewMilliseconds = 0
    /// How long a start may take to read the log.
    package var maximumLoadMilliseconds = 10

    package init() {}

    /// What is left when faults heal.
    var healed: FlockFaults {
        var healed = FlockFaults()
        healed.maximumSkewMilliseconds = maximumSkewMilliseconds
        return healed
    }
}
