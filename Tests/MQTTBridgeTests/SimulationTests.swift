import Testing

@Suite("Simulated links of two brokers")
struct SimulationTests {
    /// Links that are cut and brokers that crash at any moment; QoS 2 arrives once, and each QoS in order. Seeds 37 and 54
    /// have shown a broker that counted what earlier connections had left against the Receive Maximum.
    @Test(arguments: Array(UInt64(1)...40) + [50, 54, 55]) func messagesOfBothSidesArriveAsPromised(seed: UInt64) {
        let simulation = BridgeSimulation(seed: seed)
        simulation.run(steps: 600)
        #expect(simulation.problems.isEmpty, "seed \(seed): \(simulation.problems.prefix(3))")
    }
}
