import MQTTModel

/// The topics of a rule: a topic filter in which placeholders stand for what is known of the client.
///
/// `%c` is the client identifier, `%u` the user name, `%{common-name}`, `%{dns}`, `%{email}` and `%{uri}` are fields of the
/// client's certificate, `%%` is a percent sign. A placeholder may be a part of a level.
package struct TopicTemplate: Sendable, Hashable {
    enum Part: Sendable, Hashable {
        case text([UInt8])
        case clientIdentifier
        case userName
        case certificate(CertificateIdentity.Field)
    }

    private enum Level: Sendable, Hashable {
        case any
        case parts([Part])
    }

    /// Why a text is no template.
    package enum Malformed: Error, Sendable, Hashable {
        /// Not a topic filter.
        case noFilter
        /// A percent sign before something that is no placeholder, for example `%x` or `%{comon-name}`.
        case unknownPlaceholder(String)
        /// `$share/…`: rules name topics, and a shared subscription is judged by the filter behind its name.
        case shared
    }

    /// As it is written.
    package let string: String
    private let levels: [Level]
    private let isOpen: Bool
    /// What it names, for a template without placeholders.
    private let constant: TopicScope?

    package init(_ string: String) throws(Malformed) {
        if string.utf8.starts(with: "$share/".utf8) { throw .shared }
        guard TopicFilter(string, allowsShared: false) != nil else { throw .noFilter }
        var levels: [Level] = []
        var isOpen = false
        for level in string.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false) {
            if level.elementsEqual("#".utf8) {
                isOpen = true
            } else if level.elementsEqual("+".utf8) {
                levels.append(.any)
            } else {
                levels.append(.parts(try Self.parts(of: Array(level))))
            }
        }
        self.string = string
        self.levels = levels
        self.isOpen = isOpen
        self.constant = Self.constant(levels, isOpen: isOpen)
    }

    /// The topics for this client; nil when they are not known: a placeholder stands for what the client has not.
    ///
    /// - Parameter effect: a client chooses some of what placeholders stand for. What could reach further than one level
    ///   (`+`, `#`, `/`, or nothing at all) makes an `allow` name no topic; in a `deny`, which it could only make larger,
    ///   it is taken as it is.
    package func scope(for identity: AccessIdentity, effect: AccessRule.Effect) -> TopicScope? {
        if let constant { return constant }
        var result: [TopicScope.Level] = []
        for level in levels {
            guard case .parts(let parts) = level else {
                result.append(.any)
                continue
            }
            var bytes: [UInt8] = []
            for part in parts {
                guard let value = Self.value(of: part, for: identity) else { return nil }
                if case .text = part {} else if effect == .allow, !Self.isOneLevel(value) { return nil }
                bytes += value
            }
            for piece in bytes.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false) {
                result.append(.literal(Array(piece)))
            }
        }
        return TopicScope(levels: result, isOpen: isOpen)
    }

    private static func value(of part: Part, for identity: AccessIdentity) -> [UInt8]? {
        switch part {
        case .text(let bytes): bytes
        case .clientIdentifier: Array(identity.clientIdentifier.utf8)
        case .userName: identity.userName.map { Array($0.utf8) }
        case .certificate(let field): identity.certificate?[field].map { Array($0.utf8) }
        }
    }

    private static func isOneLevel(_ bytes: [UInt8]) -> Bool {
        !bytes.isEmpty
            && !bytes.contains { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "+") || $0 == UInt8(ascii: "#") }
    }

    private static func constant(_ levels: [Level], isOpen: Bool) -> TopicScope? {
        var result: [TopicScope.Level] = []
        for level in levels {
            switch level {
            case .any: result.append(.any)
            case .parts(let parts):
                var bytes: [UInt8] = []
                for part in parts {
                    guard case .text(let text) = part else { return nil }
                    bytes += text
                }
                result.append(.literal(bytes))
            }
        }
        return TopicScope(levels: result, isOpen: isOpen)
    }

    // MARK: Reading

    private static func parts(of level: [UInt8]) throws(Malformed) -> [Part] {
        var parts: [Part] = []
        var text: [UInt8] = []
        var position = 0
        while position < level.count {
            guard level[position] == UInt8(ascii: "%") else {
                text.append(level[position])
                position += 1
                continue
            }
            let (part, length) = try placeholder(level[position...])
            if case .text(let bytes) = part {
                text += bytes
            } else {
                if !text.isEmpty { parts.append(.text(text)) }
                text = []
                parts.append(part)
            }
            position += length
        }
        if !text.isEmpty || parts.isEmpty { parts.append(.text(text)) }
        return parts
    }

    /// The placeholder at the beginning, and its length.
    private static func placeholder(_ bytes: ArraySlice<UInt8>) throws(Malformed) -> (Part, Int) {
        let rest = bytes.dropFirst()
        switch rest.first {
        case UInt8(ascii: "%"): return (.text([UInt8(ascii: "%")]), 2)
        case UInt8(ascii: "c"): return (.clientIdentifier, 2)
        case UInt8(ascii: "u"): return (.userName, 2)
        case UInt8(ascii: "{"):
            guard let end = rest.firstIndex(of: UInt8(ascii: "}")) else { break }
            let name = String(decoding: rest[(rest.startIndex + 1)..<end], as: UTF8.self)
            guard let field = CertificateIdentity.Field(rawValue: name) else { throw .unknownPlaceholder("%{\(name)}") }
            return (.certificate(field), end - bytes.startIndex + 1)
        default: break
        }
        throw .unknownPlaceholder(String(decoding: bytes.prefix(2), as: UTF8.self))
    }
}
