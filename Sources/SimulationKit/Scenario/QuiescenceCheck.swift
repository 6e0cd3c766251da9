import BrokerCore
import Flock
import MQTTModel
import MQTTSession

/// When every session has been ended and every retained message deleted, the tables are empty: what is left is a leak.
struct QuiescenceCheck {
    let simulation: Simulation

    func run() {
        guard simulation.failures.isEmpty else { return }
        checkAgreement()
        simulation.isClosing = true
        for client in simulation.clients where client.session.isConnected { client.disconnect(Disconnect()) }
        settle()
        let identifiers = simulation.nodes.reduce(into: Set<String>()) { $0.formUnion($1.acceptedIdentifiers) }
        for identifier in identifiers.sorted() { endSession(of: identifier) }
        clearRetained()
        settle()
        simulation.checkInvariants()
        for (node, driver) in simulation.nodes.enumerated() {
            for (name, count) in driver.tableCounts where count != 0 {
                // A packet that was spoiled on the way may have retained something on any topic.
                if name == "retained messages", !simulation.hostiles.isEmpty { continue }
                simulation.fail(.emptyTables, "\(count) \(name) are left on node \(node)")
            }
        }
        checkAgreement()
        checkStore()
    }

    /// Every node of a flock adds the log up to the same.
    private func checkAgreement() {
        guard let flock = simulation.flock else { return }
        for node in flock.nodes where node.state.summary != flock.nodes[0].state.summary {
            simulation.fail(
                .agreement, "\(node.name) has \(node.state.summary), node-0 has \(flock.nodes[0].state.summary)")
        }
    }

    private func checkStore() {
        if let state = simulation.flock?.nodes[0].state,
            state.sessions.count + state.owners.count + state.shared.unfinishedCount > 0
        {
            simulation.fail(.emptyTables, "the log still has \(state.summary)")
        }
        if let store = simulation.driver.engine?.store, simulation.hostiles.isEmpty,
            store.clientIdentifiers.count + store.retainedCount > 0
        {
            simulation.fail(
                .emptyTables,
                "the engine has the sessions \(store.clientIdentifiers) and \(store.retainedCount) retained messages left"
            )
        }
    }

    private func settle() {
        simulation.runEvents(until: simulation.now.advanced(by: .seconds(simulation.flock == nil ? 1 : 5)))
        for driver in simulation.nodes {
            driver.deliversAtOnce = true
            driver.run()
        }
    }

    private func endSession(of identifier: String) {
        let driver = simulation.driver
        let connection = driver.connect(Connect(version: .v3_1_1, clientIdentifier: identifier, cleanStart: true))
        driver.send(.disconnect(Disconnect()), version: .v3_1_1, on: connection)
        _ = driver.takeOutput(of: connection)
    }

    private func clearRetained() {
        let driver = simulation.driver
        let connection = driver.connect(Connect(version: .v3_1_1, clientIdentifier: "cleaner", cleanStart: true))
        let topics = Set(simulation.history.messages.filter(\.isRetained).map(\.topic))
        for topic in topics.sorted() {
            let message = ApplicationMessage(topic: topic, payload: [], isRetained: true)
            driver.send(
                .publish(Publish(message: message, qos: .atMostOnce, isRetained: true)), version: .v3_1_1,
                on: connection)
        }
        driver.send(.disconnect(Disconnect()), version: .v3_1_1, on: connection)
        _ = driver.takeOutput(of: connection)
    }
}

extension FlockState {
    /// All that the log says, as text.
    var summary: String {
        let living = nodes.map { "\($0.key.string) \($0.value.incarnation)" }.sorted()
        let clients = owners.keys.map { "\($0.string) on \(owners[$0]?.string ?? "")" }.sorted()
        let records = sessions.keys.sorted { $0.string < $1.string }.map { "\(sessions[$0].debugDescription)" }
        let needs = needed.map { "\($0.key.string) \($0.value)" }.sorted()
        return "place \(stream), nodes \(living), clients \(clients), sessions \(records), "
            + "unfinished \(shared.unfinishedCount), kept \(kept.count), needed \(needs)"
    }
}
