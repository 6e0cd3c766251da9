/// Who a node of a flock is to the NATS servers, and whom it trusts. Files are read when the broker starts.
package struct NATSSettings: Sendable, Hashable {
    package var user: String?
    /// Its first line is the user's password.
    package var passwordFile: String?
    /// Its first line is the token.
    package var tokenFile: String?
    /// The seed of a user's key.
    package var nkeyFile: String?
    /// A JWT and the seed of its user's key, as `nsc` writes them.
    package var credentialsFile: String?
    /// Whoever may have signed the servers' certificates, PEM; nil: whom the system trusts.
    package var authority: String?
    /// The node's own certificate and its key, PEM.
    package var certificate: String?
    package var key: String?

    package init() {}
}

extension BrokerSettings {
    func natsContradictions(file: String?) -> [SettingsProblem] {
        var problems: [SettingsProblem] = []
        if (nats.user == nil) != (nats.passwordFile == nil) {
            problems.append(
                SettingsProblem(
                    file: file, key: nats.user == nil ? "nats.user" : "nats.password-file",
                    text: "is missing: a user and a password file go together"))
        }
        if (nats.certificate == nil) != (nats.key == nil) {
            problems.append(
                SettingsProblem(
                    file: file, key: nats.key == nil ? "nats.key" : "nats.certificate",
                    text: "is missing: a certificate and its key go together"))
        }
        let ways: [(key: String, value: String?)] = [
            ("nats.user", nats.user), ("nats.token-file", nats.tokenFile), ("nats.nkey-file", nats.nkeyFile),
            ("nats.credentials-file", nats.credentialsFile),
        ]
        let chosen = ways.filter { $0.value != nil }.map(\.key)
        if chosen.count > 1 {
            problems.append(
                SettingsProblem(file: file, key: chosen[1], text: "does not go with \(chosen[0]): the node is one user")
            )
        }
        return problems
    }
}
