import Testing

/// Every exchange that needs no virtual time, against flocks: any client on any node sees what it would see on a broker
/// on its own.
@Suite(.overNATS) struct FlockConformanceTests {
    private static let cases = Exchange.cases.filter { $0.exchange.coreOnly == nil }

    @Test(.serialized, arguments: cases)
    func oneNode(_ exchangeCase: ExchangeCase) async throws { try await run(exchangeCase, nodes: 1) }

    /// The connections of an exchange are with one node and the other in turn.
    @Test(.serialized, arguments: cases)
    func twoNodes(_ exchangeCase: ExchangeCase) async throws { try await run(exchangeCase, nodes: 2) }

    private func run(_ exchangeCase: ExchangeCase, nodes count: Int) async throws {
        let nats = try #require(NATSServerTrait.server)
        let flock = try FlockNodes(count, exchangeCase, over: nats)
        try await flock.serve { ports in
            let depth = SocketDepth(servers: flock.servers, ports: ports, marks: flock.marks)
            if let outcome = await depth.run(exchangeCase) { Issue.record("\(outcome)") }
        }
    }
}
