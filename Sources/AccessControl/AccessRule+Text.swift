extension AccessRule: CustomStringConvertible {
    /// As a line of a rule file, which reads back as the same rule.
    package var description: String {
        let actions = Actions.words.first { $0.actions == self.actions }?.word ?? "readwrite"
        return "\(effect.rawValue) \(subject) \(actions) \(AccessRule.quoted(topics.string, isFilter: true))"
    }

    /// A word of a rule file: in quotation marks where it needs them.
    package static func quoted(_ word: String, isFilter: Bool = false) -> String {
        let needsMarks =
            word.isEmpty || word.utf8.first == UInt8(ascii: "\"")
            || (!isFilter && word.utf8.first == UInt8(ascii: "#"))
            || word.utf8.contains { $0 == 0x20 || $0 == 0x09 || $0 == 0x0D }
        guard needsMarks else { return word }
        var result: [UInt8] = [UInt8(ascii: "\"")]
        for byte in word.utf8 {
            if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { result.append(UInt8(ascii: "\\")) }
            result.append(byte)
        }
        result.append(UInt8(ascii: "\""))
        return String(decoding: result, as: UTF8.self)
    }
}

extension AccessRule.Subject: CustomStringConvertible {
    package var description: String {
        switch self {
        case .everyone: "everyone"
        case .anonymous: "anonymous"
        case .user(let name): "user \(AccessRule.quoted(name))"
        case .client(let identifier): "client \(AccessRule.quoted(identifier))"
        case .group(let name): "group \(AccessRule.quoted(name))"
        }
    }
}
