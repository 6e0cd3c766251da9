extension Setting {
    /// A key for each property of `NATSSettings`.
    static let nats: [Setting] = [
        optionalText(
            "nats.user", \.nats.user, range: "a text",
            "With --nats: the user that the node is to the servers. Its password is in nats.password-file."),
        optionalText("nats.password-file", \.nats.passwordFile, range: "a file", "Its first line is that password."),
        optionalText(
            "nats.token-file", \.nats.tokenFile, range: "a file",
            "With --nats, in place of a user: its first line is the token that the servers ask for."),
        optionalText(
            "nats.nkey-file", \.nats.nkeyFile, range: "a file",
            "With --nats, in place of a user: its first line is the seed (SU…) of a key whose public half the servers know."
        ),
        optionalText(
            "nats.credentials-file", \.nats.credentialsFile, range: "a .creds file",
            "With --nats, in place of a user: a user's JWT and the seed of its key, as nsc writes them."),
        optionalText(
            "nats.ca", \.nats.authority, range: "a PEM file",
            """
            With --nats tls://…, or servers that ask for TLS: the authorities that may have signed their certificates. \
            Without it: the system's.
            """),
        optionalText(
            "nats.certificate", \.nats.certificate, range: "a PEM file",
            "The node's own certificate, for servers that ask for one, followed by those that lead to its authority."),
        optionalText("nats.key", \.nats.key, range: "a PEM file", "The key of that certificate."),
    ]
}
