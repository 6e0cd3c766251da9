import BrokerCore
import MQTTModel

// The links between clients and the broker: pieces of any size, latency, ends in every way.
extension Simulation {
    func openLink(for owner: VirtualLink.Owner) -> Int {
        let shard = networkRandom.integer(in: 0...(swarm.shardCount - 1))
        let node = chooseNode(for: owner)
        let latency = hasHealed ? 1 : networkRandom.integer(in: 0...swarm.maximumLatencyMilliseconds)
        let link = VirtualLink(
            node: node, connection: nodes[node].open(on: shard), owner: owner,
            latency: isWitness(owner) ? .zero : .milliseconds(latency))
        links.append(link)
        activeLinks.append(links.count - 1)
        return links.count - 1
    }

    private func isWitness(_ owner: VirtualLink.Owner) -> Bool {
        if case .honest(let index) = owner { clients[index].profile.role != .ordinary } else { false }
    }

    /// The client sends bytes.
    func write(_ bytes: [UInt8], to index: Int) {
        guard links[index].clientEnd == .open else { return }
        links[index].upstream += bytes
        scheduleUpstream(index, after: links[index].latency)
    }

    /// The client has sent its last byte and closes.
    func finish(_ index: Int) {
        guard links[index].clientEnd == .open else { return }
        links[index].clientEnd = .finishing
        scheduleUpstream(index, after: links[index].latency)
    }

    /// The connection breaks: what is under way is lost, and the broker learns of it `delay` later.
    func breakLink(_ index: Int, noticedAfter delay: Duration) {
        links[index].clientEnd = .gone
        links[index].upstream = []
        schedule(.breakNoticed(index), after: delay)
    }

    func scheduleUpstream(_ index: Int, after delay: Duration) {
        guard !links[index].isUpstreamScheduled else { return }
        links[index].isUpstreamScheduled = true
        schedule(.upstream(index), after: delay)
    }

    private func scheduleUpstream(_ index: Int, at due: Instant) {
        links[index].isUpstreamScheduled = true
        schedule(.upstream(index), at: due)
    }

    /// A piece of what the client sent arrives.
    func deliverUpstream(_ index: Int) {
        let link = links[index]
        link.isUpstreamScheduled = false
        let driver = nodes[link.node]
        guard link.clientEnd != .gone, driver.isOpen(link.connection) else { return }
        if let due = wakes(link.node) { return scheduleUpstream(index, at: due) }
        if !link.upstream.isEmpty {
            // The broker does not read: the bytes wait in the network.
            if driver.isReadingPaused(link.connection) { return scheduleUpstream(index, after: .milliseconds(2)) }
            let count = min(link.upstream.count, pieceLength(backlog: link.upstream.count))
            let piece = Array(link.upstream.prefix(count))
            link.upstream.removeFirst(count)
            trace(.upstream, index, piece)
            driver.receive(piece, on: link.connection)
        }
        if !link.upstream.isEmpty {
            scheduleUpstream(index, after: .microseconds(networkRandom.integer(in: 0...100)))
        } else if link.clientEnd == .finishing {
            link.clientEnd = .gone
            schedule(.breakNoticed(index), after: .zero)
        }
    }

    /// As many bytes as arrive at once. Larger pieces when much waits, or small ones would make up most of a run.
    private func pieceLength(backlog: Int) -> Int {
        networkRandom.integer(in: 1...max(swarm.maximumPiece, backlog / 16, 1))
    }

    /// The broker learns that the client is gone.
    func noticeBreak(_ index: Int) {
        let (driver, connection) = (nodes[links[index].node], links[index].connection)
        if let due = wakes(links[index].node) { return schedule(.breakNoticed(index), at: due) }
        // Bytes that the broker has not read yet, because it has paused, come before the end of the stream.
        if driver.isReadingPaused(connection), driver.isOpen(connection), !hasHealed {
            return schedule(.breakNoticed(index), after: .milliseconds(5))
        }
        if driver.isOpen(connection) {
            trace(.ended, index, [])
            observe(.ended(connection: links[index].number))
            driver.close(connection)
        }
        links[index].isOver = true
    }

    /// A piece of what the broker sent arrives, or the news that it has closed.
    func deliverDownstream(_ index: Int) {
        let link = links[index]
        link.isDownstreamScheduled = false
        guard link.clientEnd != .gone, !link.isStalled, !link.isOver else { return }
        if let due = wakes(link.node) {
            link.isDownstreamScheduled = true
            return schedule(.downstream(index), at: due)
        }
        let driver = nodes[link.node]
        let backlog = driver.outputCount(of: link.connection)
        let piece = driver.takeOutput(of: link.connection, maximum: pieceLength(backlog: backlog))
        if !piece.isEmpty {
            trace(.downstream, index, piece)
            if driver.outputCount(of: link.connection) > 0 {
                link.isDownstreamScheduled = true
                schedule(.downstream(index), after: .microseconds(networkRandom.integer(in: 0...100)))
            }
            if case .honest(let client) = link.owner { clients[client].receive(piece, from: index) }
        } else if driver.isClosed(link.connection) {
            link.clientEnd = .gone
            link.isOver = true
            trace(.closed, index, [])
            if case .honest(let client) = link.owner { clients[client].linkClosed(index) }
        }
    }

    /// Gives whatever the broker has to say, and whatever waits between shards, its time.
    func collect() {
        activeLinks.removeAll { links[$0].isOver }
        for index in activeLinks {
            let link = links[index]
            let driver = nodes[link.node]
            checkOutboundBound(link)
            if link.clientEnd == .gone, driver.isClosed(link.connection) { link.isOver = true }
            guard link.clientEnd != .gone, !link.isStalled, !link.isDownstreamScheduled,
                driver.outputCount(of: link.connection) > 0 || driver.isClosed(link.connection)
            else { continue }
            link.isDownstreamScheduled = true
            schedule(.downstream(index), after: link.latency)
        }
        for (node, driver) in nodes.enumerated() {
            for shard in 0..<swarm.shardCount where driver.hasMail(shard) && !isMailScheduled[node][shard] {
                isMailScheduled[node][shard] = true
                let longest = swarm.maximumMailDelayMilliseconds * 1000
                schedule(.mail(node, shard), after: .microseconds(networkRandom.integer(in: 0...longest)))
            }
        }
    }

    /// A client that does not read makes the broker keep no more than the high watermark, and what one step adds.
    private func checkOutboundBound(_ link: VirtualLink) {
        let count = nodes[link.node].outputCount(of: link.connection)
        if count > swarm.options.limits.outboundHighWatermark + (1 << 18) {
            fail(.boundedQueue, "\(count) bytes wait for connection \(link.number)")
        }
    }
}
