package import Backbone
import Flock
import MQTTModel
import NATSClient
import NATSProtocol
import NIOCore

/// What nodes tell each other, for whoever looks after them: figures with every beat, and orders.
extension LogLink {
    /// Beats between two looks at the stream.
    private static let beatsBetweenLooks: UInt64 = 5
    /// Time for another node to answer an order.
    private static let orderTimeout = Duration.seconds(5)

    func heard(_ beat: Liveness.Beat, _ facts: NodeFacts?) { roll.heard(beat, facts, at: now) }

    /// This node's own, as they are now.
    var ownFacts: NodeFacts {
        var facts = board.current.facts
        facts.version = options.version
        facts.lagBatches = counts.lagBatches
        facts.lagMilliseconds = UInt64(counts.lag.wholeNanoseconds) / 1_000_000
        return facts
    }

    /// With each beat.
    func lookAround() {
        counts.lag = silence.length(at: .now())
        board.see(roll.sightings(living: state.nodes.mapValues(\.incarnation), at: now), counts)
        beats += 1
        guard beats % LogLink.beatsBetweenLooks == 1, let connection else { return }
        connection.askJetStream("STREAM.INFO.\(options.stream)", for: StreamInfo.self) { result in
            guard let stream = (try? result.get())?.state else { return }
            self.counts.lagBatches =
                stream.lastSequence > self.state.stream ? stream.lastSequence - self.state.stream : 0
            self.counts.keptBatches = stream.messages
            self.counts.keptBytes = stream.bytes
            self.counts.firstPlace = stream.firstSequence
        }
    }

    private var now: Instant { Instant(nanoseconds: NIODeadline.now().uptimeNanoseconds) }

    // MARK: Orders

    private func orders(to node: String) -> Subject { subject("node." + node) }

    func takeOrders(_ connection: NATSConnection) {
        _ = connection.subscribe(SubjectFilter(orders(to: log.node))) { message in
            guard let reply = message.reply else { return }
            let order = message.payload.read { reader throws(MalformedRecord) in try reader.nodeOrder() }
            guard let order = order.flatMap({ $0 }), let onOrder = self.onOrder else {
                return self.answer(.refused("the node is of another version and does not know this order"), to: reply)
            }
            onOrder(order) { answer in
                self.eventLoop.execute { self.assumeIsolated { $0.answer(answer, to: reply) } }
            }
        }
    }

    private func answer(_ answer: NodeAnswer, to reply: Subject) {
        var writer = RecordWriter()
        writer.append(answer)
        connection?.publish(ByteBuffer(bytes: writer.bytes), to: reply)
    }

    func give(_ order: NodeOrder, to node: String, _ completion: @escaping @Sendable (NodeAnswer) -> Void) {
        guard FlockOptions.isNodeName(node) else { return completion(.noAnswer("no node is called \(node)")) }
        guard !isDone, let connection else { return completion(.noAnswer("this node is not connected to the flock")) }
        var writer = RecordWriter()
        writer.append(order)
        connection.request(ByteBuffer(bytes: writer.bytes), to: orders(to: node), timeout: LogLink.orderTimeout) {
            outcome in
            guard case .answer(let message) = outcome,
                let answer = message.payload.read({ reader throws(MalformedRecord) in try reader.nodeAnswer() })
            else { return completion(.noAnswer("\(node) does not answer: \(outcome)")) }
            completion(answer)
        }
    }
}

extension NATSBackbone {
    package func announce(_ facts: NodeFacts) { link.board.announce(facts) }

    package var nodes: [NodeSighting] { link.board.current.sightings }

    package func give(_ order: NodeOrder, to node: String, answer: @escaping @Sendable (NodeAnswer) -> Void) {
        link.eventLoop.execute { [link] in link.assumeIsolated { $0.give(order, to: node, answer) } }
    }

    package func onOrder(
        _ handler: @escaping @Sendable (NodeOrder, @escaping @Sendable (NodeAnswer) -> Void) -> Void
    ) {
        link.eventLoop.execute { [link] in link.assumeIsolated { $0.onOrder = handler } }
    }
}
