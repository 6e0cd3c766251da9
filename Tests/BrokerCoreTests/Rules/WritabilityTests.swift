import BrokerCore
import MQTTModel
import SimulationKit
import Testing

/// A client that does not read (P7): QoS 0 is dropped and counted, QoS 1 waits, and others do not notice.
@Suite struct WritabilityTests {
    @Test func clientThatDoesNotReadLosesOnlyQoS0() {
        let node = Node()
        let slow = node.connect("slow")
        node.subscribe(slow, "t", qos: .atLeastOnce)
        let other = node.connect("other")
        node.subscribe(other, "t")
        let publisher = node.connect("p")

        node.driver.setWritable(false, of: slow)
        node.publish(publisher, "t", "0")
        node.publish(publisher, "t", "1", qos: .atLeastOnce)
        #expect(node.payloads(slow) == [])
        #expect(node.payloads(other) == ["0", "1"])
        #expect(node.counts(\.droppedNotWritable) == 1)

        node.driver.setWritable(true, of: slow)
        #expect(node.payloads(slow) == ["1"])
        node.publish(publisher, "t", "2")
        #expect(node.payloads(slow) == ["2"])
    }

    @Test func sharedSubscriptionPassesOverAMemberThatDoesNotRead() {
        let node = Node()
        let slow = node.connect("slow")
        node.subscribe(slow, "$share/s/t")
        let other = node.connect("other")
        node.subscribe(other, "$share/s/t")
        let publisher = node.connect("p")
        node.driver.setWritable(false, of: slow)
        for number in 1...4 { node.publish(publisher, "t", "\(number)") }
        #expect(node.payloads(other) == ["1", "2", "3", "4"])
    }

    @Test func retainedMessagesWaitForAClientThatDoesNotRead() {
        let node = Node()
        let publisher = node.connect("p")
        for number in 1...3 { node.publish(publisher, "t/\(number)", "\(number)", isRetained: true) }
        let slow = node.connect("slow")
        node.driver.setWritable(false, of: slow)
        node.subscribe(slow, "t/+")
        #expect(node.payloads(slow) == [])
        // Newer messages of those topics must not pass them.
        node.publish(publisher, "t/1", "new")
        node.driver.setWritable(true, of: slow)
        let payloads = node.payloads(slow)
        #expect(payloads.filter { $0 != "new" }.sorted() == ["1", "2", "3"])
    }

    @Test func sessionThatIsAwayAndComesBackUnwritableLosesNothing() {
        let node = Node()
        let first = node.connect("a", expiry: 100)
        node.subscribe(first, "t", qos: .atLeastOnce)
        node.driver.close(first)
        let publisher = node.connect("p")
        for number in 1...3 { node.publish(publisher, "t", "\(number)", qos: .atLeastOnce) }
        let second = node.connect("a", expiry: 100, [.receiveMaximum(1)])
        node.driver.setWritable(false, of: second)
        node.send(.acknowledgement(Acknowledgement(.pubAck, 1)), second)
        #expect(node.payloads(second) == [])
        node.driver.setWritable(true, of: second)
        #expect(node.payloads(second) == ["2"])
    }
}
