import BrokerTransport
import BrokerConfiguration
@testable import AdminAPI
import MQTTClient
import Testing

@Suite struct ListTests {
    @Test func clientsAreListedPageByPage() async throws {
        try await AdministeredBroker.with { broker in
            var clients: [MQTTClient] = []
            let names = (1...7).map { "client-\($0)" }
            for name in names {
                let client = broker.client(name)
                try await client.connect()
                clients.append(client)
            }
            var seen: [String] = []
            var after = "0.0"
            var pages = 0
            while true {
                let page = try await broker.admin.ask(
                    .get, "/v1/clients?limit=2&after=\(after)", for: ListPage<SessionRow>.self)
                #expect(page.items.count <= 2)
                seen += page.items.map(\.clientIdentifier)
                pages += 1
                guard let next = page.next else { break }
                after = next
            }
            #expect(seen.sorted() == names)
            #expect(pages >= 4)
            let some = try await broker.admin.ask(.get, "/v1/clients?filter=*-3", for: ListPage<SessionRow>.self)
            #expect(some.items.map(\.clientIdentifier) == ["client-3"])
            for client in clients { await client.disconnect() }
        }
    }

    @Test func aSessionWithoutClientIsASessionAndNoClient() async throws {
        try await AdministeredBroker.with { broker in
            let client = broker.client("away", user: "ada", expiry: .seconds(60))
            try await client.connect()
            try await client.subscribe(to: "a/#", qos: .atLeastOnce)
            try await client.subscribe(to: "$share/g/b", qos: .exactlyOnce)
            let row = try #require(
                try await broker.admin.ask(.get, "/v1/clients", for: ListPage<SessionRow>.self).items.first)
            #expect(row.clientIdentifier == "away")
            #expect(row.userName == "ada")
            #expect(row.address == "127.0.0.1")
            #expect(row.version == "5.0")
            #expect(row.subscriptions == 2)
            #expect(row.sessionExpiryInterval == 60)
            #expect(row.keepAliveTimeoutSeconds == 90)
            let subscriptions = try await broker.admin.ask(
                .get, "/v1/subscriptions", for: ListPage<SubscriptionRow>.self)
            #expect(
                Set(subscriptions.items) == [
                    SubscriptionRow(clientIdentifier: "away", filter: "a/#", maximumQoS: 1),
                    SubscriptionRow(clientIdentifier: "away", filter: "$share/g/b", maximumQoS: 2),
                ])
            await client.disconnect()
            while try await !broker.admin.ask(.get, "/v1/clients", for: ListPage<SessionRow>.self).items.isEmpty {}
            let away = try await broker.admin.ask(.get, "/v1/sessions", for: ListPage<SessionRow>.self).items
            #expect(away.map(\.clientIdentifier) == ["away"])
            #expect(away.first?.isConnected == false)
        }
    }

    @Test func retainedMessagesAreListed() async throws {
        try await AdministeredBroker.with { broker in
            let client = broker.client("publisher")
            try await client.connect()
            try await client.publish(topic: "home/door", text: "open", qos: .atLeastOnce, retain: true)
            try await client.publish(topic: "home/lamp", text: "on", qos: .atLeastOnce, retain: true)
            let page = try await broker.admin.ask(.get, "/v1/retained?filter=*door", for: ListPage<RetainedRow>.self)
            #expect(page.items == [RetainedRow(topic: "home/door", qos: 1, payloadBytes: 4, expirySeconds: nil)])
            await client.disconnect()
        }
    }

    @Test func theNodeIsListed() async throws {
        try await AdministeredBroker.with { broker in
            let page = try await broker.admin.ask(.get, "/v1/nodes", for: ListPage<NodeRow>.self)
            let node = try #require(page.items.first)
            #expect(node.name == "node-1")
            #expect(node.version == "1.2.3")
            #expect(node.isReady)
            #expect(node.listeners == ["127.0.0.1:\(broker.port)"])
        }
    }

    @Test(
        arguments: [
            ("*", "", true), ("a*", "a", true), ("a*c", "abbc", true), ("a*c", "abcb", false), ("*b*", "abc", true),
            ("", "", true), ("", "a", false), ("a", "A", false), ("**a**", "a", true), ("a*a", "a", false),
        ])
    func aPatternWithStarsMatches(pattern: String, text: String, isMatch: Bool) {
        #expect(GlobPattern(pattern).matches(text) == isMatch)
    }
}
