extension UpgradeRequest {
    /// Request line and fields of an HTTP/1.1 request (RFC 9112), strictly: what two readers could take for two
    /// different things is refused.
    struct Head {
        let method: Substring
        /// Names in small letters, in the order of the request.
        private let fields: [(name: String, value: Substring)]

        /// - Parameter bytes: without the empty line at the end.
        init(parsing bytes: Slice<UnsafeRawBufferPointer>, maximumFields: Int) throws(Refusal) {
            guard bytes.allSatisfy({ $0 >= 0x20 && $0 != 0x7F || $0 == 0x09 || $0 == 0x0D || $0 == 0x0A }),
                let text = String(validating: bytes, as: UTF8.self)
            else { throw Refusal(.badRequest, "a control character in the request") }
            var lines = text.unicodeScalars.split(separator: "\n", omittingEmptySubsequences: false).map(Substring.init)
            for index in lines.indices {
                if index < lines.count - 1 {
                    guard lines[index].unicodeScalars.last == "\r" else {
                        throw Refusal(.badRequest, "a line without CR")
                    }
                    lines[index].unicodeScalars.removeLast()
                }
                guard !lines[index].unicodeScalars.contains("\r") else {
                    throw Refusal(.badRequest, "CR inside a line")
                }
            }
            let parts = lines[0].split(separator: " ", omittingEmptySubsequences: false)
            guard parts.count == 3, parts[1].hasPrefix("/") || parts[1].hasPrefix("http"), parts[2] == "HTTP/1.1" else {
                throw Refusal(.badRequest, "the request line has to be GET /path HTTP/1.1")
            }
            method = parts[0]
            guard lines.count <= maximumFields + 1 else { throw Refusal(.headerTooLarge, "too many fields") }
            var fields: [(name: String, value: Substring)] = []
            for line in lines.dropFirst() { fields.append(try Self.field(line)) }
            self.fields = fields
        }

        private static func field(_ line: Substring) throws(Refusal) -> (name: String, value: Substring) {
            guard let colon = line.firstIndex(of: ":"), colon != line.startIndex else {
                throw Refusal(.badRequest, "a field without a name")
            }
            let name = line[..<colon]
            // A space before the colon, or at the start of a line that continues another, hides fields from somebody.
            guard name.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
                throw Refusal(.badRequest, "a field's name with a space")
            }
            return (name.lowercased(), trimmed(line[line.index(after: colon)...]))
        }

        func values(_ name: String) -> [Substring] { fields.filter { $0.name == name }.map(\.value) }

        /// Whether the word is in the list that the fields of this name make up, whatever the case of its letters.
        func hasToken(_ name: String, _ token: String) -> Bool {
            values(name).contains { value in
                value.split(separator: ",").contains { Self.trimmed($0).lowercased() == token }
            }
        }

        private static func trimmed(_ text: Substring) -> Substring {
            var text = text.drop { $0 == " " || $0 == "\t" }
            while text.last == " " || text.last == "\t" { text.removeLast() }
            return text
        }
    }
}
