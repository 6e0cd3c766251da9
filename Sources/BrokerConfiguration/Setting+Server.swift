import BrokerCore
import TransportModel

extension Setting {
    /// What the server is and where it listens.
    static let server: [Setting] = [
        listeners,
        allowAnonymous,
        choice("log-level", \.logLevel, "How much is logged on standard error: this level and the graver ones."),
        choice(
            "log-format", \.logFormat,
            "How an entry of the log is written: as a line for people, or as a JSON object in a line."),
        optionalInteger(
            "shards", \.shardCount, in: 1...256,
            """
            Event loops, each with a thread and its share of the sessions. Without it: one for each CPU that the process \
            may run on.
            """),
        choice(
            "shared-subscription-strategy", \.options.sharedStrategy,
            """
            Which member of a shared subscription gets the next message: each in turn, or the one with the fewest \
            messages that it has not acknowledged.
            """),
        prefersLocalMembers,
        choice(
            "queue-full-policy", \.options.queueFullPolicy,
            """
            What a session loses when its queue is full (limits.maximum-queued-messages, limits.maximum-queued-bytes): \
            the message that comes, or those that wait longest. What waits behind copies of retained messages cannot be \
            dropped before them; then it is the one that comes.
            """),
        duration(
            "status-interval", \.options.statusInterval, in: .zero...(.seconds(86_400)),
            "Time between two updates of the topics under $SYS/broker; 0s turns them off."),
        responseInformation,
    ]

    private static let listeners = Setting(
        "listeners", .list, range: "[TRANSPORT://]HOST:PORT, …",
        """
        Addresses to listen on, for plain TCP, or with tls://, ws:// or wss:// before them; unix:PATH is a Unix socket. \
        An IPv6 address stands in brackets and in quotes: "[::1]:1883". Port 0 lets the system choose. An address that \
        other machines can reach needs a way to check clients, or allow-anonymous. These listeners have the options \
        under listener-defaults; one with options of its own has a section listener.NAME with address and whatever \
        listener-defaults has. The default is for a file that names no listener at all.
        """
    ) { value, settings throws(Refusal) in
        guard case .list(let texts) = value, !texts.isEmpty else {
            throw Refusal(text: "has to be a list with at least one address, for example [\"127.0.0.1:1883\"]")
        }
        var addresses: [ListenAddress] = []
        for text in texts {
            do throws(ListenAddress.Malformed) {
                addresses.append(try ListenAddress(parsing: text))
            } catch {
                throw Refusal(text: error.description)
            }
        }
        settings.addresses = addresses
    } written: { settings in
        "[" + settings.addresses.map { "\"\($0)\"" }.joined(separator: ", ") + "]"
    }

    private static let prefersLocalMembers = Setting(
        "shared-subscription-prefers-local", .boolean, range: "true, false",
        """
        In a flock, members of a shared subscription on the publisher's node come before those on others. With false each \
        connected member of the flock has its turn.
        """
    ) { value, settings throws(Refusal) in
        guard case .boolean(let isPreferred) = value else { throw Refusal(text: "has to be true or false") }
        settings.options.prefersLocalMembers = isPreferred
    } written: {
        $0.options.prefersLocalMembers ? "true" : "false"
    }

    private static let allowAnonymous = Setting(
        "allow-anonymous", .boolean, range: "true, false",
        """
        Takes clients that say no user name, under the rules for anonymous. Where nothing checks clients (no key under \
        access), it lets listeners that other machines can reach take any client.
        """
    ) { value, settings throws(Refusal) in
        guard case .boolean(let isAllowed) = value else { throw Refusal(text: "has to be true or false") }
        settings.allowsAnonymous = isAllowed
    } written: {
        $0.allowsAnonymous ? "true" : "false"
    }

    private static let responseInformation = Setting(
        "response-information", .text, range: "a topic, at most 1024 bytes",
        """
        Answer to a 5.0 client that requests Response Information: the prefix of the topics on which it may be \
        answered. %c stands for its client identifier. Without it none is given.
        """
    ) { value, settings throws(Refusal) in
        guard case .text(let text) = value, (1...1024).contains(text.utf8.count),
            !text.contains(where: { $0 == "+" || $0 == "#" || $0 == "\0" })
        else { throw Refusal(text: "has to be the beginning of a topic, without + and #, of at most 1024 bytes") }
        settings.options.responseInformation = text
    } written: {
        $0.options.responseInformation.map { "\"\($0)\"" }
    }
}
