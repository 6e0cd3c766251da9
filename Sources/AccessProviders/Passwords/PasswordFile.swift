package import AccessControl
import MQTTModel

/// User names and what is kept of their passwords: a line each, `NAME:HASH`, in the form of Mosquitto's file. A user may
/// have several lines with different hashes, for example one for SCRAM; any of the passwords will do.
package struct PasswordFile: Sendable {
    package static let maximumLineCount = 1_000_000

    /// In the order of the file.
    package private(set) var lines: [(userName: String, hash: PasswordHash)] = []
    private var byUser: [ExactText: [Int]] = [:]

    package init() {}

    package init(parsing text: String, problems: inout [AccessProblem]) {
        var number = 0
        for line in text.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
            number += 1
            guard number <= Self.maximumLineCount else {
                problems.append(AccessProblem(line: number, text: "the file has too many lines"))
                return
            }
            var line = Substring(line)
            while line.utf8.last == 0x0D || line.utf8.last == 0x20 { line = line.dropLast() }
            guard !line.isEmpty, line.utf8.first != UInt8(ascii: "#") else { continue }
            guard let colon = line.utf8.firstIndex(of: UInt8(ascii: ":")), colon != line.startIndex else {
                problems.append(AccessProblem(line: number, text: "a line has to be NAME:HASH"))
                continue
            }
            let hashText = String(line[line.utf8.index(after: colon)...])
            guard let hash = PasswordHash(parsing: hashText) else {
                problems.append(AccessProblem(line: number, text: Self.explanation(of: hashText)))
                continue
            }
            append(String(line[..<colon]), hash)
        }
    }

    /// Never says the text itself, which may be a password in the clear.
    private static func explanation(of hashText: String) -> String {
        if hashText.hasPrefix("$6$") {
            return "Mosquitto's old form ($6$) is not read: set the password anew with `dunlin passwd`"
        }
        if !hashText.hasPrefix("$"), !hashText.hasPrefix(ScramCredentials.prefix) {
            return "this is no hash; if it is a password in the clear, set it with `dunlin passwd`"
        }
        return "the hash is not one that `dunlin passwd` or mosquitto_passwd writes, or its cost is out of bounds"
    }

    package mutating func append(_ userName: String, _ hash: PasswordHash) {
        byUser[ExactText(userName), default: []].append(lines.count)
        lines.append((userName, hash))
    }

    /// Takes the user out; a no-op if there is none.
    package mutating func remove(_ userName: String) {
        let kept = lines.filter { ExactText($0.userName) != ExactText(userName) }
        self = PasswordFile()
        for line in kept { append(line.userName, line.hash) }
    }

    /// What is kept of the user's passwords; empty for a name that is not there.
    package func hashes(of userName: String) -> [PasswordHash] {
        (byUser[ExactText(userName)] ?? []).map { lines[$0].hash }
    }

    /// Whether the credential stands for one of the user's lines.
    func holds(_ credential: Credential, of userName: String) -> Bool {
        hashes(of: userName).contains { Credential($0) == credential }
    }

    /// As it is written; comments of a file that was read are not in it.
    package var text: String { lines.map { "\($0.userName):\($0.hash.text)\n" }.joined() }

    /// A user name that a line can hold.
    package static func isValid(userName: String) -> Bool {
        !userName.isEmpty && userName.utf8.count <= 65_535 && userName.utf8.first != UInt8(ascii: "#")
            && !userName.utf8.contains { $0 == UInt8(ascii: ":") || $0 < 0x20 || $0 == 0x7F }
    }
}

extension Credential {
    /// A line of a password file, without its name.
    init(_ hash: PasswordHash) {
        // Swift's hashing has a key of the process.
        var hasher = Hasher()
        hasher.combine(hash)
        self.init(digest: hasher.finalize())
    }
}
