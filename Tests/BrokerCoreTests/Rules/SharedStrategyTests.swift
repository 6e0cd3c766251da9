import BrokerCore
import MQTTModel
import SimulationKit
import Testing

/// Which member of a shared subscription gets a message (5.0 section 4.8.2 leaves it to the server).
@Suite struct SharedStrategyTests {
    @Test(arguments: [1, 3]) func roundRobinGivesEachMemberTheSame(shards: Int) {
        let node = Node(shards: shards)
        let members = (1...4).map { node.connect("member \($0)") }
        for member in members { node.subscribe(member, "$share/s/t") }
        let publisher = node.connect("p")
        for number in 1...40 { node.publish(publisher, "t", "\(number)") }
        let received = members.map { node.payloads($0) }
        #expect(Set(received.flatMap(\.self)).count == 40)
        #expect(received.map(\.count) == [10, 10, 10, 10])
    }

    @Test func leastInflightPrefersWhoAcknowledges() {
        let node = Node { $0.sharedStrategy = .leastInflight }
        let idle = node.connect("idle")
        let busy = node.connect("busy")
        for member in [idle, busy] { node.subscribe(member, "$share/s/t", qos: .atLeastOnce) }
        let publisher = node.connect("p")
        for number in 1...10 {
            node.publish(publisher, "t", "\(number)", qos: .atLeastOnce)
            // Only one of the two acknowledges.
            for case .publish(let publish) in node.packets(idle) {
                node.send(.acknowledgement(Acknowledgement(.pubAck, publish.packetIdentifier)), idle)
            }
        }
        #expect(node.payloads(busy).count <= 2)
    }

    @Test(arguments: [1, 3]) func messageIsNeverGivenToTwoMembers(shards: Int) {
        let node = Node(shards: shards)
        let members = (1...3).map { node.connect("member \($0)", expiry: 100) }
        for member in members { node.subscribe(member, "$share/s/t", qos: .atLeastOnce) }
        let publisher = node.connect("p")
        for number in 1...9 {
            if number == 4 { node.driver.close(members[0]) }
            node.publish(publisher, "t", "\(number)", qos: .atLeastOnce)
        }
        let back = node.connect("member 1", expiry: 100, keepsAnswer: true)
        var received: [String] = []
        for connection in members.dropFirst() { received += node.payloads(connection) }
        // What the first member had not acknowledged comes to it once more, and to nobody else.
        received += node.payloads(back)
        #expect(received.sorted() == (1...9).map { "\($0)" })
    }
}
