import BrokerCore
import MQTTModel
import SimulationKit
import Testing

/// What the core does to keep one client from hurting the others (P7).
@Suite("Overload")
struct OverloadTests {
    // MARK: Flapping

    @Test func aClientThatConnectsTooOftenIsRefusedForATime() {
        var harness = CoreHarness(
            options: options {
                $0.maximumConnectsPerWindow = 3
                $0.connectsWindow = .seconds(10)
                $0.banTime = .seconds(100)
            })
        for _ in 0..<3 { #expect(connect(&harness, "flapping") == .success) }
        #expect(connect(&harness, "flapping") == .banned)
        #expect(connect(&harness, "other") == .success)
        #expect(harness.counters.clientsBanned == 1)
        _ = harness.advance(by: .seconds(99))
        #expect(connect(&harness, "flapping") == .banned)
        _ = harness.advance(by: .seconds(1))
        #expect(connect(&harness, "flapping") == .success)
        #expect(harness.counters.clientsBanned == 1)
    }

    @Test func aClientThatConnectsSlowlyIsNotBanned() {
        var harness = CoreHarness(
            options: options {
                $0.maximumConnectsPerWindow = 1
                $0.connectsWindow = .seconds(10)
            })
        for _ in 0..<20 {
            #expect(connect(&harness, "slow") == .success)
            _ = harness.advance(by: .seconds(10))
        }
    }

    @Test func theTableOfClientsIsBounded() {
        var limits = Limits()
        limits.maximumConnectsPerWindow = 1
        var clients = FlappingClients()
        let long = String(repeating: "x", count: 65_000)
        // 8 MiB hold 129 of them; the next are not counted, so not banned.
        for number in 0..<200 { #expect(clients.connected("\(number)\(long)", at: .zero, limits) == false) }
        #expect(clients.connected("0\(long)", at: .zero, limits) == true)
        #expect(clients.connected("199\(long)", at: .zero, limits) == false)
        #expect(!clients.isBanned("199\(long)", at: .zero))
    }

    // MARK: Clients that fight over one identifier

    @Test func clientsThatTakeTheSessionFromEachOtherWaitLongerAndLonger() {
        var harness = CoreHarness(
            options: options {
                $0.maximumQuickTakeovers = 3
                $0.maximumTakeoverDelay = .milliseconds(400)
            })
        // The first finds nobody, and the next three are quick enough to be chance.
        for _ in 0..<4 { #expect(connect(&harness, "rival") == .success) }
        var waits: [Int] = []
        for _ in 0..<5 {
            var answer = connect(&harness, "rival")
            var wait = 0
            while answer == nil {
                wait += 100
                answer =
                    harness.advance(by: .milliseconds(100)).compactMap { effect -> ReasonCode? in
                        if case .connAck(_, let reasonCode, _) = effect { reasonCode } else { nil }
                    }.first
            }
            #expect(answer == .success)
            waits.append(wait)
        }
        #expect(waits == [100, 200, 400, 400, 400])
        #expect(harness.counters.connectsDelayed == 5)
        #expect(connect(&harness, "other") == .success)
    }

    @Test func aClientThatMovesNowAndThenDoesNotWait() {
        var harness = CoreHarness(
            options: options {
                $0.maximumQuickTakeovers = 1
                $0.takeoverWindow = .seconds(10)
            })
        for _ in 0..<20 {
            #expect(connect(&harness, "mover") == .success)
            _ = harness.advance(by: .seconds(10))
        }
        #expect(harness.counters.connectsDelayed == 0)
    }

    /// Who loses patience leaves nothing behind, and whoever has the session keeps it.
    @Test func aConnectionThatEndsWhileItWaitsTakesNothingOver() {
        var harness = CoreHarness(options: options { $0.maximumQuickTakeovers = 1 })
        #expect(connect(&harness, "rival") == .success)
        #expect(connect(&harness, "rival") == .success)
        let waiting = harness.open()
        _ = harness.step(
            .packetReceived(waiting, .connect(Connect(version: .v5_0, clientIdentifier: "rival"))))
        _ = harness.step(.connectionClosed(waiting))
        #expect(harness.advance(by: .seconds(5)).isEmpty)
        #expect(harness.counters.takeovers == 1)
    }

    @Test func theTableOfContestsIsBounded() {
        var limits = Limits()
        limits.maximumQuickTakeovers = 1
        var contests = TakeoverContests()
        let long = String(repeating: "x", count: 65_000)
        for number in 0..<200 { contests.sessionTakenOver("\(number)\(long)", at: .zero, limits) }
        #expect(contests.delay(of: "0\(long)", at: .zero, limits) == .milliseconds(100))
        #expect(contests.delay(of: "199\(long)", at: .zero, limits) == .zero)
        // And it is emptied.
        let later = Instant.zero.advanced(by: .seconds(60))
        contests.sessionTakenOver("199\(long)", at: later, limits)
        #expect(contests.delay(of: "199\(long)", at: later, limits) == .milliseconds(100))
    }

    // MARK: Memory

    @Test func whileMemoryIsCriticalNothingNewIsTakenAndWhatIsThereGoesOn() {
        var harness = CoreHarness(options: options { _ in })
        let lasting = harness.connect("lasting", cleanStart: false, properties: [.sessionExpiryInterval(100)])
        _ = harness.subscribe(lasting, to: "t", qos: .atMostOnce)
        let publisher = harness.connect("publisher")
        _ = harness.step(.memoryLevelChanged(.critical))
        #expect(connect(&harness, "new") == .serverBusy)
        let answers = harness.subscribe(lasting, to: "u")
        #expect(answers.contains(.subAck(slot: lasting.slot, [.quotaExceeded])))
        #expect(
            harness.publish(publisher, "r", qos: .atLeastOnce, identifier: 1, isRetained: true)
                == [.acknowledge(slot: publisher.slot, .pubAck, 1, .quotaExceeded)])
        #expect(harness.publish(publisher, "t", qos: .atMostOnce).count == 1)
        #expect(harness.counters.refusedForMemory == 3)
        // Who has a session may come for what waits in it.
        #expect(connect(&harness, "lasting") == .success)
        _ = harness.step(.memoryLevelChanged(.normal))
        #expect(connect(&harness, "new") == .success)
    }

    // MARK: Retained messages of one client

    @Test func oneClientMayRetainSoManyAndOthersStillCan() {
        let node = Node { $0.limits.maximumRetainedMessagesPerClient = 2 }
        let greedy = node.connect("greedy")
        for topic in ["1", "2", "3"] { node.publish(greedy, topic, isRetained: true) }
        #expect(node.counts(\.retainedRefused) == 1)
        // Another message for a topic it has is none more; a topic that it deletes is one less.
        node.publish(greedy, "2", "again", isRetained: true)
        node.publish(greedy, "1", "", isRetained: true)
        node.publish(greedy, "3", isRetained: true)
        #expect(node.counts(\.retainedRefused) == 1)
        let other = node.connect("other")
        node.publish(other, "4", isRetained: true)
        // A topic that another takes over counts for the other.
        node.publish(other, "3", isRetained: true)
        node.publish(greedy, "5", isRetained: true)
        #expect(node.counts(\.retainedRefused) == 1)
        node.publish(other, "6", isRetained: true)
        #expect(node.counts(\.retainedRefused) == 2)
    }

    @Test func oneClientMayRetainSoManyBytes() {
        let node = Node { $0.limits.maximumRetainedBytesPerClient = 1000 }
        let greedy = node.connect("greedy")
        node.publish(greedy, "1", String(repeating: "x", count: 600), isRetained: true)
        node.publish(greedy, "2", String(repeating: "x", count: 600), isRetained: true)
        #expect(node.counts(\.retainedRefused) == 1)
        node.publish(node.connect("other"), "2", String(repeating: "x", count: 600), isRetained: true)
        #expect(node.counts(\.retainedRefused) == 1)
    }

    // MARK: Filters in one packet

    @Test func onePacketMayHoldSoManyFilters() {
        let node = Node { $0.limits.maximumFiltersPerPacket = 2 }
        let client = node.connect("client")
        let entries = ["1", "2", "3"].map { Subscribe.Entry(filter: $0, options: SubscriptionOptions()) }
        node.send(.subscribe(Subscribe(packetIdentifier: 1, entries: entries)), client)
        guard case .subAck(let subAck) = node.packets(client).first else { return #expect(Bool(false)) }
        #expect(subAck.reasonCodes == [.granted(.atMostOnce), .granted(.atMostOnce), .quotaExceeded])
        #expect(node.counts(\.subscriptionsRefused) == 1)
    }

    // MARK: Queues of all sessions

    @Test func allQueuesTogetherHoldSoManyBytes() {
        let node = Node { $0.limits.maximumTotalQueuedBytes = 1500 }
        let away = ["a", "b"].map { node.connect($0, expiry: 100) }
        for client in away {
            node.subscribe(client, "t", qos: .atLeastOnce)
            node.driver.close(client)
        }
        let publisher = node.connect("publisher")
        node.publish(publisher, "t", String(repeating: "x", count: 600), qos: .atLeastOnce)
        #expect(node.counts(\.droppedQueueFull) == 0)
        node.publish(publisher, "t", String(repeating: "x", count: 600), qos: .atLeastOnce)
        #expect(node.counts(\.droppedQueueFull) == 2)
        // What one has fetched makes room.
        #expect(node.payloads(node.connect("a", expiry: 100, keepsAnswer: true)).count == 1)
        _ = node.connect("a", expiry: 0)
        node.publish(publisher, "t", String(repeating: "x", count: 600), qos: .atLeastOnce)
        #expect(node.counts(\.droppedQueueFull) == 2)
    }

    // MARK: -

    private func options(_ change: (inout Limits) -> Void) -> BrokerOptions {
        var options = BrokerOptions()
        options.statusInterval = .zero
        change(&options.limits)
        return options
    }

    private func connect(_ harness: inout CoreHarness, _ clientIdentifier: String) -> ReasonCode? {
        let connection = harness.open()
        let connect = Connect(version: .v5_0, clientIdentifier: clientIdentifier, cleanStart: false)
        for seen in harness.step(.packetReceived(connection, .connect(connect))) {
            if case .connAck(_, let reasonCode, _) = seen { return reasonCode }
        }
        return nil
    }
}
