import BrokerCore
import MQTTModel
import MQTTSession

/// When every session has been ended and every retained message deleted, the tables are empty: what is left is a leak.
struct QuiescenceCheck {
    let simulation: Simulation

    func run() {
        guard simulation.failures.isEmpty else { return }
        let driver = simulation.driver
        simulation.isClosing = true
        for client in simulation.clients where client.session.isConnected { client.disconnect(Disconnect()) }
        settle()
        for identifier in driver.acceptedIdentifiers.sorted() { endSession(of: identifier) }
        clearRetained()
        settle()
        simulation.checkInvariants()
        for (name, count) in driver.tableCounts where count != 0 {
            // A packet that was spoiled on the way may have retained something on any topic.
            if name == "retained messages", !simulation.hostiles.isEmpty { continue }
            simulation.fail(.emptyTables, "\(count) \(name) are left")
        }
        if let store = driver.engine?.store, simulation.hostiles.isEmpty,
            store.clientIdentifiers.count + store.retainedCount > 0
        {
            simulation.fail(
                .emptyTables,
                "the engine has the sessions \(store.clientIdentifiers) and \(store.retainedCount) retained messages left"
            )
        }
    }

    private func settle() {
        simulation.runEvents(until: simulation.driver.now.advanced(by: .seconds(1)))
        simulation.driver.deliversAtOnce = true
        simulation.driver.run()
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
