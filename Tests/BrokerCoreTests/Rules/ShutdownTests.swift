import BrokerCore
import MQTTModel
import SimulationKit
import Testing

/// The end of a broker (`Input.shutdownRequested`).
@Suite struct ShutdownTests {
    @Test(arguments: [1, 3]) func everybodyIsToldAndClosed(shards: Int) {
        let node = Node(shards: shards)
        let will = Will(message: ApplicationMessage(topic: "w", payload: []))
        let clients = (1...5).map { node.connect("client \($0)", expiry: 100, will: will) }
        let unidentified = node.driver.open()
        node.driver.shutdown()
        for client in clients {
            var reasons: [ReasonCode] = []
            for case .disconnect(let disconnect) in node.packets(client) { reasons.append(disconnect.reasonCode) }
            #expect(reasons == [.serverShuttingDown])
            #expect(node.driver.isClosed(client))
        }
        #expect(node.driver.isClosed(unidentified))
        #expect(node.counts(\.willsPublished) == 0)
        #expect(node.driver.faults.isEmpty)
    }

    @Test func connectionAfterTheShutdownIsClosed() {
        let node = Node()
        node.driver.shutdown()
        #expect(node.driver.isClosed(node.driver.open()))
    }

    @Test func nothingIsLeftWhenAllSessionsHaveEnded() {
        let node = Node(shards: 3)
        for number in 1...20 {
            let client = node.connect("client \(number)", expiry: UInt32(number % 3) * 10)
            node.subscribe(client, "t/\(number % 4)", qos: .exactlyOnce)
            node.subscribe(client, "$share/s/t/#", qos: .atLeastOnce)
            node.publish(client, "t/1", qos: .exactlyOnce, identifier: 7)
            node.driver.close(client)
        }
        node.driver.advance(by: .seconds(60))
        node.driver.checkInvariants()
        for (name, count) in node.driver.tableCounts { #expect(count == 0, "\(name)") }
    }
}
