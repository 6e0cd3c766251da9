package import MQTTBridge
import TransportModel

extension BrokerSettings {
    /// What is wrong with the bridges.
    func bridgeContradictions(file: String?) -> [SettingsProblem] {
        var problems = bridges.flatMap { contradictions(of: $0, file) }
        var seen: Set<String> = []
        for bridge in bridges where !bridge.addresses.isEmpty {
            // Two bridges of one identifier would take the session from each other for ever.
            let key = "\(bridge.addresses[0]) \(bridge.clientIdentifier)"
            if !seen.insert(key).inserted {
                problems.append(
                    problem(
                        with: bridge, "client-id", file,
                        "another bridge has the same client-id at \(bridge.addresses[0]); each needs one of its own"))
            }
        }
        if let bridge = bridges.first, !listeners.contains(where: { !$0.hasPreamble }) {
            problems.append(
                problem(
                    with: bridge, "addresses", file,
                    """
                    a bridge comes in by a listener of this broker, and none is of plain TCP or a Unix socket without \
                    proxies; add one, for example unix:/run/dunlin/bridge.sock
                    """))
        }
        return problems
    }

    private func contradictions(of bridge: BridgeOptions, _ file: String?) -> [SettingsProblem] {
        var problems: [SettingsProblem] = []
        let complain = { (option: String, text: String) in
            problems.append(problem(with: bridge, option, file, text))
        }
        if bridge.addresses.isEmpty { complain("addresses", "has to be said: where the remote broker is") }
        if bridge.topics.isEmpty { complain("topics", "has to be said: what is passed on") }
        if bridge.clientIdentifier.isEmpty {
            complain(
                "client-id",
                """
                has to be said: a text that no other client of the remote broker has, since what waits there is kept \
                under it
                """)
        }
        if bridge.shortestDelay > bridge.longestDelay {
            complain(
                "shortest-delay", "has to be at most longest-delay, which is \(Quantity.text(bridge.longestDelay))")
        }
        if (bridge.certificate == nil) != (bridge.key == nil) {
            complain("certificate", "a certificate needs its key, and a key its certificate")
        }
        if bridge.passwordFile != nil, bridge.userName == nil {
            complain("password-file", "a password needs a user-name")
        }
        if bridge.localName != nil, bridge.localName == bridge.remoteName {
            complain("remote-name", "has to be another than local-name")
        }
        if bridge.version == .v3_1_1, !bridge.usesBridgeBit, let filter = bridge.returningFilter {
            complain(
                "topics",
                """
                every message that goes out on \(filter) would come back in: with version 3.1.1 and without bridge-bit the \
                remote broker does not know where it came from; use 5.0, or give each direction topics of its own
                """)
        }
        if access.checksClients, bridge.localUserName == nil, !allowsAnonymous {
            complain("local-user-name", "has to be said, since this broker checks its clients")
        }
        return problems
    }

    /// A problem with a bridge's option, with the place that it was written at.
    package func problem(
        with bridge: BridgeOptions, _ option: String, _ file: String?, _ text: String
    ) -> SettingsProblem {
        let key = "bridge.\(bridge.name).\(option)"
        return SettingsProblem(file: file, line: file == nil ? nil : lines[key], key: key, text: text)
    }
}
