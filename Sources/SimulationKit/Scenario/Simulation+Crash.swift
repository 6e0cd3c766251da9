import MQTTModel

// The broker's process ends without a word, and another takes its place.
extension Simulation {
    func scheduleCrashes() {
        for _ in 0..<swarm.crashCount {
            schedule(.crash, after: .milliseconds(crashRandom.integer(in: 0...(swarm.seconds * 1000))))
        }
    }

    /// From now on the process has a few effects to go: it may end between any two of them.
    func beginCrash() {
        guard !hasHealed, !isDown else { return }
        driver.effectsUntilCrash = crashRandom.pick([0, crashRandom.integer(in: 0...40)])
    }

    func crash() {
        isDown = true
        let ended = driver.crash()
        for index in activeLinks { cut(index) }
        history.crashed(at: now)
        observe(.crashed)
        for connection in ended { observe(.ended(connection: Simulation.number(of: connection, on: 0))) }
        schedule(
            .restart, after: .milliseconds(crashRandom.integer(in: 0...swarm.maximumDowntimeMilliseconds)))
    }

    /// Some of what was sent still arrives, then the connection is gone.
    func cut(_ index: Int) {
        let link = links[index]
        let driver = nodes[link.node]
        guard case .honest(let owner) = link.owner, clients[owner].link == index else { return }
        if link.clientEnd == .open, !link.isStalled {
            let count = driver.outputCount(of: link.connection)
            let piece = driver.takeOutput(of: link.connection, maximum: crashRandom.integer(in: 0...count))
            if !piece.isEmpty {
                trace(.downstream, index, piece)
                clients[owner].receive(piece, from: index)
            }
        }
        if clients[owner].link == index { clients[owner].breakConnection(noticedAfter: .zero) }
    }

    func restart() {
        isDown = false
        history.restarted(at: now)
        observe(.restarted)
        driver.restart()
    }
}
