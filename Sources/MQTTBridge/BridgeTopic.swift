package import MQTTModel

/// Topics that a bridge passes on, in the notation of Mosquitto's `topic` lines:
///
///     PATTERN [in|out|both [QOS [LOCAL-PREFIX REMOTE-PREFIX]]]
///
/// A local topic is the local prefix with what PATTERN stands for; the remote one has the remote prefix instead. `""`
/// stands for no prefix. A pattern that is itself `""` links one local topic to one remote one: the prefixes.
package struct BridgeTopic: Sendable, Hashable {
    package enum Direction: String, Sendable, CaseIterable {
        case `in`, out, both
    }

    package var pattern: String
    package var direction: Direction
    /// The highest QoS that messages are passed on with.
    package var maximumQoS: QoS
    package var localPrefix: String
    package var remotePrefix: String

    package init(
        _ pattern: String, _ direction: Direction = .out, maximumQoS: QoS = .exactlyOnce, localPrefix: String = "",
        remotePrefix: String = ""
    ) {
        self.pattern = pattern
        self.direction = direction
        self.maximumQoS = maximumQoS
        self.localPrefix = localPrefix
        self.remotePrefix = remotePrefix
    }

    /// What is subscribed to at a broker.
    package func filter(at side: BridgeSide) -> String {
        (side == .local ? localPrefix : remotePrefix) + pattern
    }

    func prefix(at side: BridgeSide) -> String { side == .local ? localPrefix : remotePrefix }

    /// Whether messages of this broker are passed on to the other.
    package func passes(from side: BridgeSide) -> Bool {
        switch direction {
        case .both: true
        case .in: side == .remote
        case .out: side == .local
        }
    }
}

extension BridgeTopic: CustomStringConvertible {
    package var description: String {
        let words = [pattern, direction.rawValue, "\(maximumQoS.rawValue)", localPrefix, remotePrefix]
        return words.map { $0.isEmpty || $0.contains(" ") ? "\"\($0)\"" : $0 }.joined(separator: " ")
    }
}

// MARK: - Reading

extension BridgeTopic {
    /// Why a text is no line of topics.
    package struct Malformed: Error, Sendable, CustomStringConvertible {
        package let description: String

        init(_ text: String, _ reason: String) {
            description =
                "\"\(text)\" is no topic to bridge: \(reason); write PATTERN [in|out|both [QOS [LOCAL-PREFIX "
                + "REMOTE-PREFIX]]], for example 'sensors/# out 1 \"\" edge7/'"
        }
    }

    package init(parsing text: String) throws(Malformed) {
        guard let words = Self.words(text) else { throw Malformed(text, "a quotation mark is open") }
        guard (1...5).contains(words.count), words.count != 4 || words[3] == "" else {
            throw Malformed(
                text, "it has to have one to five words, and a local prefix needs a remote one (\"\" for none)")
        }
        self.init(words[0])
        if words.count > 1 {
            guard let direction = Direction(rawValue: words[1]) else {
                throw Malformed(text, "the second word is in, out or both")
            }
            self.direction = direction
        }
        if words.count > 2 {
            guard let number = UInt8(words[2]), let qos = QoS(rawValue: number) else {
                throw Malformed(text, "the third word is the highest QoS: 0, 1 or 2")
            }
            maximumQoS = qos
        }
        if words.count > 3 { localPrefix = words[3] }
        if words.count > 4 { remotePrefix = words[4] }
        for side in BridgeSide.allCases {
            let filter = filter(at: side)
            guard !prefix(at: side).contains(where: { $0 == "+" || $0 == "#" }) else {
                throw Malformed(text, "a prefix has no wildcard")
            }
            guard let valid = TopicFilter(filter), !valid.isShared else {
                throw Malformed(
                    text, "\"\(filter)\", its \(side == .local ? "local" : "remote") side, is no topic filter")
            }
        }
    }

    /// The words of a line; quotation marks hold one together. nil when one is left open.
    private static func words(_ text: String) -> [String]? {
        var words: [String] = []
        var word: String?
        var isQuoted = false
        for character in text {
            switch character {
            case "\"":
                isQuoted.toggle()
                word = word ?? ""
            case " " where !isQuoted, "\t" where !isQuoted:
                if let whole = word { words.append(whole) }
                word = nil
            default: word = (word ?? "") + String(character)
            }
        }
        if let whole = word { words.append(whole) }
        return isQuoted ? nil : words
    }
}
