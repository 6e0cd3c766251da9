import BrokerTransport
import BrokerConfiguration
import AdminAPI
import Foundation
import MQTTClient
import Testing

@Suite struct OrderTests {
    @Test func kickingEndsTheConnectionWithItsReason() async throws {
        try await AdministeredBroker.with { broker in
            let client = broker.client("a/b &c")
            let events = client.events
            try await client.connect()
            let outcome = try await broker.admin.ask(.delete, "/v1/clients?client=a%2Fb%20%26c", for: Outcome.self)
            #expect(outcome.count == 1)
            #expect(await reasonOfTheEnd(events) == .administrativeAction)
            try await broker.admin.expect(404, .delete, "/v1/clients?client=a%2Fb%20%26c")
            try await broker.admin.expect(400, .delete, "/v1/clients")
        }
    }

    @Test(arguments: [BanRow(kind: .client, value: "bad"), BanRow(kind: .user, value: "mallory")])
    func aBanEndsTheConnectionAndKeepsTheClientOut(ban: BanRow) async throws {
        try await AdministeredBroker.with { broker in
            let client = broker.client("bad", user: "mallory")
            let other = broker.client("good", user: "ada")
            let events = client.events
            try await client.connect()
            try await other.connect()
            let outcome = try await broker.admin.ask(.post, "/v1/bans", body: ban, for: Outcome.self)
            #expect(outcome.count == 1)
            #expect(await reasonOfTheEnd(events) == .administrativeAction)
            let error = await #expect(throws: MQTTClientError.self) {
                _ = try await broker.client("bad", user: "mallory").connect()
            }
            #expect(error?.reasonCode == .banned)
            #expect(try await broker.metrics()["dunlin_banned_connections_total"] == 1)
            try await other.publish(topic: "still", text: "there", qos: .atLeastOnce)

            let list = try await broker.admin.ask(.get, "/v1/bans", for: ListPage<BanRow>.self)
            #expect(list.items == [ban])
            try await broker.admin.expect(200, .delete, "/v1/bans?kind=\(ban.kind.rawValue)&value=\(ban.value)")
            try await broker.admin.expect(404, .delete, "/v1/bans?kind=\(ban.kind.rawValue)&value=\(ban.value)")
            let again = broker.client("bad", user: "mallory")
            try await again.connect()
            await again.disconnect()
            await other.disconnect()
        }
    }

    @Test func aBannedAddressIsKeptOut() async throws {
        try await AdministeredBroker.with { broker in
            let clients = [broker.client("one"), broker.client("two")]
            for client in clients { try await client.connect() }
            let ban = BanRow(kind: .address, value: "127.0.0.1")
            let outcome = try await broker.admin.ask(.post, "/v1/bans", body: ban, for: Outcome.self)
            #expect(outcome.count == 2)
            let error = await #expect(throws: MQTTClientError.self) { _ = try await broker.client("three").connect() }
            #expect(error?.reasonCode == .banned)
            try await broker.admin.expect(
                400, .post, "/v1/bans", body: try JSONEncoder().encode(BanRow(kind: .address, value: "localhost")))
        }
    }

    @Test func aBanForATimeSaysHowLongItHolds() async throws {
        try await AdministeredBroker.with { broker in
            let ban = BanRow(kind: .client, value: "bad", seconds: 60, reason: "too loud")
            _ = try await broker.admin.ask(.post, "/v1/bans", body: ban, for: Outcome.self)
            let list = try await broker.admin.ask(.get, "/v1/bans", for: ListPage<BanRow>.self)
            #expect(list.items.first?.seconds == 60)
            #expect(list.items.first?.reason == "too loud")
        }
    }

    @Test func drainingClosesEveryClientAndTakesNoOther() async throws {
        try await AdministeredBroker.with { broker in
            let clients = (1...5).map { broker.client("client-\($0)") }
            let events = clients.map(\.events)
            for client in clients { try await client.connect() }
            let answer = try await broker.admin.send(
                .post, "/v1/drain", body: try JSONEncoder().encode(DrainOrder(connectionsPerSecond: 50)))
            #expect(answer.status == 202)
            for one in events { #expect(await reasonOfTheEnd(one) == .serverShuttingDown) }
            await #expect(throws: MQTTClientError.self) { _ = try await broker.client("late").connect() }
            #expect(try await broker.admin.send(.get, "/ready").status == 503)
            #expect(try await broker.admin.send(.get, "/ready?draining=404").status == 404)
            let node = try await broker.admin.ask(.get, "/v1/nodes", for: ListPage<NodeRow>.self).items.first
            #expect(node?.isDraining == true)
            #expect(node?.isReady == false)
        }
    }

    @Test func whoIsNotDrainedAnyMoreTakesClientsAgain() async throws {
        try await AdministeredBroker.with { broker in
            _ = try await broker.admin.ask(.post, "/v1/drain", body: DrainOrder(), for: Outcome.self)
            await #expect(throws: MQTTClientError.self) { _ = try await broker.client("late").connect() }
            let undone = try await broker.admin.ask(
                .post, "/v1/drain", body: DrainOrder(isUndone: true), for: Outcome.self)
            #expect(undone.message == "takes clients again")
            let client = broker.client("later")
            try await client.connect()
            let node = try await broker.admin.ask(.get, "/v1/nodes", for: ListPage<NodeRow>.self).items.first
            #expect(node?.isDraining == false)
            #expect(node?.isReady == true)
            await client.disconnect()
        }
    }

    @Test func withoutAFlockThereIsNoOtherNodeToDrain() async throws {
        try await AdministeredBroker.with { broker in
            await #expect(throws: AdminFailure.self) {
                try await broker.admin.ask(.post, "/v1/drain", body: DrainOrder(node: "n2"), for: Outcome.self)
            }
            #expect(!broker.server.isDraining)
        }
    }

    @Test(arguments: [(false, ReasonCode.useAnotherServer), (true, .serverMoved)])
    func drainingToAnotherServerSaysSo(isPermanent: Bool, reason: ReasonCode) async throws {
        try await AdministeredBroker.with(settings: .changed { $0.admin.serverReference = "broker-2.example:1883" }) {
            broker in
            let client = broker.client("one")
            let events = client.events
            try await client.connect()
            _ = try await broker.admin.ask(
                .post, "/v1/drain", body: DrainOrder(isPermanent: isPermanent), for: Outcome.self)
            #expect(await reasonOfTheEnd(events) == reason)
        }
    }

    @Test func theLogLevelCanBeChanged() async throws {
        try await AdministeredBroker.with { broker in
            let before = try await broker.admin.ask(.get, "/v1/log-level", for: LogLevelRow.self)
            #expect(before.level == "info")
            let row = LogLevelRow(level: "debug")
            let after = try await broker.admin.ask(.put, "/v1/log-level", body: row, for: LogLevelRow.self)
            #expect(after == row)
            await #expect(throws: AdminFailure.self) {
                try await broker.admin.ask(
                    .put, "/v1/log-level", body: LogLevelRow(level: "loud"), for: LogLevelRow.self)
            }
        }
    }

    @Test func reloadingIsTheProcesssAffair() async throws {
        try await AdministeredBroker.with { broker in
            let outcome = try await broker.admin.ask(.post, "/v1/reload", for: Outcome.self)
            #expect(outcome == Outcome("reloaded", count: 0))
        }
    }
}
