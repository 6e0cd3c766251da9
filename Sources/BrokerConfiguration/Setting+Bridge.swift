import MQTTBridge
import TransportModel

extension Setting {
    /// What a section `bridge.NAME` has for its own. The table is the source of the documentation, too; `NAME` in a key
    /// stands for the name of the section, and what is set is `BrokerSettings.bridgeDefaults`.
    package static let bridge: [Setting] = [addresses, topics] + identity + transport + loops

    /// What holds for all bridges that do not say something else: each key is one of a section `bridge.NAME`, too.
    static let bridgeDefaults: [Setting] = [
        duration(
            "bridge-defaults.keep-alive", \.bridgeDefaults.keepAlive, in: .seconds(5)...(.seconds(65_535)),
            "The longest time without a packet; whole seconds. A link that is dead is found out after it and ping-timeout."
        ),
        duration(
            "bridge-defaults.ping-timeout", \.bridgeDefaults.pingTimeout, in: .seconds(1)...(.seconds(600)),
            "Time for a broker to answer a ping; then the link is made anew."),
        duration(
            "bridge-defaults.connect-timeout", \.bridgeDefaults.connectTimeout, in: .seconds(1)...(.seconds(600)),
            "Time for a connection to be made, and again for CONNECT to be answered."),
        duration(
            "bridge-defaults.shortest-delay", \.bridgeDefaults.shortestDelay, in: .milliseconds(50)...(.seconds(3_600)),
            """
            Before the link is made anew; each further delay is twice the one before. Up to half of it is left out at random.
            """
        ),
        duration(
            "bridge-defaults.longest-delay", \.bridgeDefaults.longestDelay, in: .milliseconds(50)...(.seconds(86_400)),
            "The longest such delay."),
        duration(
            "bridge-defaults.session-expiry", \.bridgeDefaults.sessionExpiry,
            in: .seconds(60)...(.seconds(Int64(UInt32.max))),
            """
            How long the remote broker is asked to keep what comes for the bridge while there is no link (5.0). In the \
            local broker the bridge's session does not expire.
            """),
        integer(
            "bridge-defaults.maximum-inflight-messages", \.bridgeDefaults.maximumInflightMessages, in: 1...65_535,
            """
            QoS 1 and 2 messages under way in each direction; a broker's own Receive Maximum counts if it is lower, 20 with \
            3.1.1.
            """
        ),
        size(
            "bridge-defaults.maximum-packet-size", \.bridgeDefaults.maximumPacketSize, in: 128...268_435_460,
            "Largest packet from the remote broker. A 5.0 broker drops larger messages; with 3.1.1 one ends the link."),
        size(
            "bridge-defaults.maximum-pending-bytes", \.bridgeDefaults.maximumPendingBytes, in: 65_536...(1 << 34),
            """
            Bytes of messages from a 3.1.1 broker that wait because the local one has as many unacknowledged as it takes \
            (limits.receive-maximum). Beyond it the link is made anew.
            """),
        integer(
            "bridge-defaults.maximum-hops", \.bridgeDefaults.maximumHops, in: 1...100,
            "Brokers that a message may have come through over bridges; it goes no further then."),
    ]

    private static let addresses = list(
        "bridge.NAME.addresses", range: "[TRANSPORT://]HOST:PORT, unix:PATH, …",
        "The remote broker, over tcp, tls, ws or wss. With several, the next is tried when one fails."
    ) { texts, settings throws(Refusal) in
        var addresses: [ListenAddress] = []
        for text in texts {
            do throws(ListenAddress.Malformed) {
                addresses.append(try ListenAddress(parsing: text))
            } catch {
                throw Refusal(text: error.description)
            }
        }
        settings.bridgeDefaults.addresses = addresses
    }

    private static let topics = list(
        "bridge.NAME.topics", range: "PATTERN [in|out|both [QOS [LOCAL-PREFIX REMOTE-PREFIX]]], …",
        """
        What is passed on, as in Mosquitto's topic lines: out to the remote broker, in from it. Without a direction it is \
        out; without a QoS that of each message is kept. The first line that matches a message counts.
        """
    ) { texts, settings throws(Refusal) in
        var topics: [BridgeTopic] = []
        for text in texts {
            do throws(BridgeTopic.Malformed) {
                topics.append(try BridgeTopic(parsing: text))
            } catch {
                throw Refusal(text: error.description)
            }
        }
        settings.bridgeDefaults.topics = topics
    }

    private static let identity: [Setting] = [
        Setting(
            "bridge.NAME.client-id", .text, range: "a text",
            "The bridge's client identifier at the remote broker. No other client of it may have the same."
        ) { value, settings throws(Refusal) in
            guard case .text(let text) = value, !text.isEmpty, text.utf8.count <= 65_535 else {
                throw Refusal(text: "has to be a text that is not empty")
            }
            settings.bridgeDefaults.clientIdentifier = text
        } written: {
            "\"\($0.bridgeDefaults.clientIdentifier)\""
        },
        optionalText("bridge.NAME.user-name", \.bridgeDefaults.userName, range: "a text", "For the remote broker."),
        optionalText(
            "bridge.NAME.password-file", \.bridgeDefaults.passwordFile, range: "a file",
            "Its first line is the password for the remote broker."),
        optionalText(
            "bridge.NAME.local-user-name", \.bridgeDefaults.localUserName, range: "a text",
            "For this broker, if it checks its clients: the bridge may do what the rules let this user do."),
        optionalText(
            "bridge.NAME.local-password-file", \.bridgeDefaults.localPasswordFile, range: "a file",
            "Its first line is the password for this broker."),
    ]

    private static let transport: [Setting] = [
        choice(
            "bridge.NAME.version", \.bridgeDefaults.version,
            "Of MQTT, to the remote broker. 3.1.1 for one that does not speak 5.0."),
        boolean(
            "bridge.NAME.bridge-bit", \.bridgeDefaults.usesBridgeBit,
            """
            With 3.1.1: whether the protocol level says that this is a bridge, as Mosquitto's try_private does. A broker \
            that refuses it is asked without.
            """),
        Setting(
            "bridge.NAME.websocket-path", .text, range: "a path",
            "With ws:// and wss://: what is asked for there; many brokers have /mqtt, Dunlin and Mosquitto take any."
        ) { value, settings throws(Refusal) in
            guard case .text(let text) = value, text.hasPrefix("/"),
                text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F })
            else { throw Refusal(text: "has to begin with / and to be of ASCII characters without spaces") }
            settings.bridgeDefaults.webSocketPath = text
        } written: {
            "\"\($0.bridgeDefaults.webSocketPath)\""
        },
        optionalText(
            "bridge.NAME.ca", \.bridgeDefaults.authority, range: "a PEM file",
            "With tls:// and wss://: the authorities that may have signed the remote's certificate. Without it: the system's."
        ),
        optionalText(
            "bridge.NAME.certificate", \.bridgeDefaults.certificate, range: "a PEM file",
            "With tls:// and wss://: the bridge's own certificate, followed by those that lead to its authority."),
        optionalText("bridge.NAME.key", \.bridgeDefaults.key, range: "a PEM file", "The key of that certificate."),
        boolean(
            "bridge.NAME.verify-host", \.bridgeDefaults.verifiesHost,
            "Whether the remote's certificate has to bear the name of its address."),
    ]

    private static let loops: [Setting] = [
        name(
            "bridge.NAME.local-name", \.bridgeDefaults.localName,
            """
            What this broker is called in the path that messages carry over bridges, so that rings of bridges end; the same \
            in all its bridges. Without it: a random one, new with each start.
            """),
        name(
            "bridge.NAME.remote-name", \.bridgeDefaults.remoteName,
            "What the remote broker is called there. With it no message comes back to it over other bridges."),
    ]

    private static func boolean(_ key: String, _ path: Path<Bool>, _ documentation: String) -> Setting {
        Setting(key, .boolean, range: "true, false", documentation) { value, settings throws(Refusal) in
            guard case .boolean(let boolean) = value else { throw Refusal(text: "has to be true or false") }
            settings[keyPath: path] = boolean
        } written: {
            "\($0[keyPath: path])"
        }
    }

    private static func name(_ key: String, _ path: Path<String?>, _ documentation: String) -> Setting {
        Setting(key, .text, range: "up to 64 characters", documentation) { value, settings throws(Refusal) in
            guard case .text(let text) = value, BridgePath.isName(text) else {
                throw Refusal(text: "has to be 1 to 64 ASCII characters without spaces and commas")
            }
            settings[keyPath: path] = text
        } written: {
            $0[keyPath: path].map { "\"\($0)\"" }
        }
    }

    private static func list(
        _ key: String, range: String, _ documentation: String,
        apply: @escaping @Sendable ([String], inout BrokerSettings) throws(Refusal) -> Void
    ) -> Setting {
        Setting(key, .list, range: range, documentation) { value, settings throws(Refusal) in
            guard case .list(let texts) = value, !texts.isEmpty else { throw Refusal(text: "has to be a list") }
            try apply(texts, &settings)
        } written: { _ in
            nil
        }
    }
}
