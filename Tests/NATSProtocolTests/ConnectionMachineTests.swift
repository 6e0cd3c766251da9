import Testing

@testable import NATSProtocol

@Suite("NATS: connection")
struct ConnectionMachineTests {
    private let a = ServerAddress(host: "a")
    private let b = ServerAddress(host: "b")
    private var random = SeededGenerator(state: 1)

    private static var plainPolicy: ReconnectPolicy {
        var policy = ReconnectPolicy()
        policy.jitter = 0
        return policy
    }

    private func machine(
        _ servers: [ServerAddress], tls: ConnectionMachine.TLSMode = .asServerRequires,
        policy: ReconnectPolicy = plainPolicy
    ) -> ConnectionMachine { ConnectionMachine(servers: servers, policy: policy, tlsMode: tls) }

    /// Connected to the first of the servers at time 0.
    private mutating func connected(_ servers: [ServerAddress], info: ServerInfo = .init()) -> ConnectionMachine {
        var machine = machine(servers)
        _ = machine.start(at: .zero)
        _ = machine.opened(at: .zero)
        _ = machine.infoReceived(info, at: .zero, using: &random)
        _ = machine.pongReceived(at: .zero)
        return machine
    }

    @Test mutating func infoThenConnectThenPong() {
        var machine = machine([a])
        let info = ServerInfo()
        #expect(machine.start(at: .zero) == [.open(a)])
        #expect(machine.opened(at: .zero) == [])
        #expect(machine.infoReceived(info, at: .zero, using: &random) == [.authenticate(info)])
        #expect(!machine.isConnected)
        #expect(machine.pongReceived(at: .zero) == [.report(.connected(a, info))])
        #expect(machine.isConnected)
    }

    @Test mutating func aServerThatRequiresTLSGetsIt() {
        var machine = machine([a])
        var info = ServerInfo()
        info.requiresTLS = true
        _ = machine.start(at: .zero)
        _ = machine.opened(at: .zero)
        #expect(machine.infoReceived(info, at: .zero, using: &random) == [.secure])
        #expect(machine.secured() == [.authenticate(info)])
    }

    @Test mutating func tlsCanComeFirst() {
        var machine = machine([a], tls: .handshakeFirst)
        _ = machine.start(at: .zero)
        #expect(machine.opened(at: .zero) == [.secure])
        #expect(machine.secured() == [])
        #expect(machine.infoReceived(.init(), at: .zero, using: &random) == [.authenticate(.init())])
    }

    @Test mutating func aServerWithoutTLSIsNotUsedWhenItIsRequired() {
        var machine = machine([a, b], tls: .required)
        _ = machine.start(at: .zero)
        _ = machine.opened(at: .zero)
        #expect(
            machine.infoReceived(.init(), at: .zero, using: &random)
                == [.cut, .report(.attemptFailed(a, .tlsNotOffered)), .open(b)])
    }

    @Test mutating func allServersAreTriedBeforeADelay() {
        var machine = machine([a, b])
        _ = machine.start(at: .zero)
        #expect(
            machine.closed(.lost, at: .zero, using: &random)
                == [.cut, .report(.attemptFailed(a, .lost)), .open(b)])
        #expect(
            machine.closed(.lost, at: .zero, using: &random)
                == [.cut, .report(.attemptFailed(b, .lost)), .report(.waiting(.milliseconds(50)))])
        #expect(machine.deadline == .milliseconds(50))
        #expect(machine.deadlineReached(at: .milliseconds(49), using: &random) == [])
        #expect(machine.deadlineReached(at: .milliseconds(50), using: &random) == [.open(a)])
    }

    @Test mutating func delaysGrowUpToTheirBound() {
        var machine = machine([a])
        _ = machine.start(at: .zero)
        var now = Duration.zero
        var delays: [Duration] = []
        for _ in 0..<8 {
            _ = machine.closed(.lost, at: now, using: &random)
            let due = machine.deadline ?? .zero
            delays.append(due - now)
            now = due
            _ = machine.deadlineReached(at: now, using: &random)
        }
        #expect(delays == [50, 100, 200, 400, 800, 1600, 2000, 2000].map { Duration.milliseconds($0) })
    }

    @Test mutating func jitterLeavesOutAPart() {
        var policy = ReconnectPolicy()
        policy.jitter = 0.5
        for _ in 0..<100 {
            let delay = policy.delay(afterRound: 1, using: &random)
            #expect(delay >= .milliseconds(25) && delay <= .milliseconds(50))
        }
    }

    @Test mutating func theLastRoundEndsIt() {
        var policy = ConnectionMachineTests.plainPolicy
        policy.maximumRounds = 1
        var machine = machine([a], policy: policy)
        _ = machine.start(at: .zero)
        #expect(
            machine.closed(.lost, at: .zero, using: &random)
                == [.cut, .report(.attemptFailed(a, .lost)), .cut, .report(.closed(.lost))])
        #expect(machine.deadline == nil)
    }

    @Test mutating func aLostConnectionMovesToAnotherServerAtOnce() {
        var machine = connected([a, b])
        #expect(
            machine.closed(.lost, at: .seconds(5), using: &random)
                == [.cut, .report(.disconnected(.lost)), .open(b)])
    }

    @Test mutating func aConnectionThatNeverHoldsIsNotMadeInATightLoop() {
        var machine = connected([a])
        var rounds = 0
        while rounds < 10 {
            let actions = machine.closed(.lost, at: .zero, using: &random)
            guard actions.last == .open(a) else { break }
            _ = machine.opened(at: .zero)
            _ = machine.infoReceived(.init(), at: .zero, using: &random)
            _ = machine.pongReceived(at: .zero)
            rounds += 1
        }
        #expect(rounds == 1)
    }

    @Test mutating func anAttemptHasATimeout() {
        var machine = machine([a, b])
        _ = machine.start(at: .zero)
        _ = machine.opened(at: .zero)
        #expect(machine.deadline == .seconds(2))
        #expect(
            machine.deadlineReached(at: .seconds(2), using: &random)
                == [.cut, .report(.attemptFailed(a, .timedOut)), .open(b)])
    }

    @Test mutating func theServersReasonIsKept() {
        var machine = machine([a, b])
        _ = machine.start(at: .zero)
        _ = machine.opened(at: .zero)
        machine.errorReceived("Authorization Violation")
        let actions = machine.closed(.lost, at: .zero, using: &random)
        #expect(actions.contains(.report(.attemptFailed(a, .refused("Authorization Violation")))))
        #expect(DisconnectReason.refused("Authorization Violation").isAuthorization)
    }

    @Test mutating func aSilentServerIsAskedAndThenLeft() {
        var machine = connected([a, b])
        #expect(machine.deadlineReached(at: .seconds(1), using: &random) == [.sendPing])
        #expect(machine.deadlineReached(at: .seconds(2), using: &random) == [.sendPing])
        #expect(
            machine.deadlineReached(at: .seconds(3), using: &random)
                == [.cut, .report(.disconnected(.silent)), .open(b)])
    }

    @Test mutating func aServerThatIsHeardIsNotAsked() {
        var machine = connected([a])
        #expect(machine.deadlineReached(at: .seconds(1), using: &random) == [.sendPing])
        machine.heard(at: .milliseconds(1500))
        #expect(machine.deadlineReached(at: .seconds(2), using: &random) == [])
        #expect(machine.deadline == .milliseconds(2500))
        #expect(machine.deadlineReached(at: .milliseconds(2500), using: &random) == [.sendPing])
    }

    @Test mutating func aServerThatWillStopIsLeftAfterAMoment() {
        var machine = connected([a, b])
        var info = ServerInfo()
        info.isLameDuck = true
        #expect(machine.infoReceived(info, at: .seconds(2), using: &random) == [.report(.lameDuck)])
        #expect(machine.deadline == .seconds(1))
        _ = machine.deadlineReached(at: .seconds(2), using: &random)
        #expect(machine.deadline == .milliseconds(2200))
        #expect(
            machine.deadlineReached(at: .milliseconds(2200), using: &random)
                == [.cut, .report(.disconnected(.lameDuck)), .open(b)])
    }

    @Test mutating func membersOfTheClusterAreLearned() {
        var info = ServerInfo()
        info.clusterAddresses = ["a:4222", "c:4223", "[::1]:1", "nonsense url"]
        var machine = connected([a], info: info)
        #expect(
            machine.closed(.lost, at: .seconds(5), using: &random).last == .open(ServerAddress(host: "c", port: 4223)))
        #expect(
            machine.closed(.lost, at: .seconds(5), using: &random).last == .open(ServerAddress(host: "::1", port: 1)))
        #expect(machine.closed(.lost, at: .seconds(5), using: &random).last == .open(a))
    }

    @Test mutating func closingIsForGood() {
        var machine = connected([a, b])
        #expect(machine.close() == [.cut, .report(.closed(nil))])
        #expect(machine.close() == [])
        #expect(machine.closed(.lost, at: .zero, using: &random) == [])
        #expect(machine.start(at: .zero) == [])
        #expect(machine.deadline == nil)
    }
}
