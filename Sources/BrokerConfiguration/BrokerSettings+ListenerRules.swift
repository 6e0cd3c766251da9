package import TransportModel

extension BrokerSettings {
    /// What is wrong with the listeners.
    func listenerContradictions(file: String?) -> [SettingsProblem] {
        var problems: [SettingsProblem] = []
        if !allowsAnonymous, !access.checksClients {
            problems += listeners.filter { !$0.address.isLoopback }.map { listener in
                problem(
                    with: listener, "address", file,
                    """
                    \(listener) can be reached from other machines, and nothing checks who connects: give a password \
                    file (access.password-file) or another way to find out. If everybody who reaches it may connect, \
                    say so with --allow-anonymous (in the file: allow-anonymous: true); otherwise listen on \
                    127.0.0.1 only.
                    """)
            }
        }
        var seen: Set<ListenAddress.Endpoint> = []
        for listener in listeners {
            let isNew = seen.insert(listener.address.endpoint).inserted
            if case .network(_, port: 0) = listener.address.endpoint { continue }
            if !isNew { problems.append(problem(with: listener, "address", file, "\(listener) is there twice")) }
        }
        return problems + listeners.flatMap { contradictions(of: $0, file) }
    }

    /// The options of one listener, taken together.
    private func contradictions(of listener: Listener, _ file: String?) -> [SettingsProblem] {
        let options = listener.options
        var problems: [SettingsProblem] = []
        if listener.address.transport.isEncrypted {
            if options.certificate == nil {
                problems.append(problem(with: listener, "certificate", file, "\(listener) needs a certificate"))
            }
            if options.key == nil {
                problems.append(problem(with: listener, "key", file, "\(listener) needs the key of its certificate"))
            }
            if options.clientCertificate != .none, options.clientAuthority == nil {
                problems.append(
                    problem(
                        with: listener, "client-ca", file,
                        "\(listener) asks for client certificates and has to know the authorities that signed them"))
            }
            if options.revocationList != nil, options.clientCertificate == .none {
                problems.append(
                    problem(
                        with: listener, "crl", file,
                        "\(listener) does not ask for client certificates; set client-certificate"))
            }
        }
        return problems
    }

    /// A problem with a listener's option, with the place that it was written at.
    package func problem(
        with listener: Listener, _ option: String, _ file: String?, _ text: String
    ) -> SettingsProblem {
        let own = listener.name.map { "listener.\($0).\(option)" }
        let shared = option == "address" ? "listeners" : "listener-defaults.\(option)"
        let key = own.flatMap { lines[$0] == nil ? nil : $0 } ?? (option == "address" ? own ?? shared : shared)
        return SettingsProblem(file: file, line: file == nil ? nil : lines[key], key: key, text: text)
    }
}
