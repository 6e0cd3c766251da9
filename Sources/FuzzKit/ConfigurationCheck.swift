import BrokerConfiguration
import Foundation

/// What has to hold of whatever text is given for a configuration: it is taken or refused with words and a line that is
/// there; what is taken says the same when it is written and read again, as a file, as variables and as options.
package struct ConfigurationCheck: Sendable {
    package struct Failure: Error, CustomStringConvertible {
        package let description: String
    }

    private let file = FileManager.default.temporaryDirectory.appending(path: "dunlin-fuzz-\(UUID().uuidString).yaml")

    package init() {}

    /// Takes the file away that inputs were written to.
    package func end() { try? FileManager.default.removeItem(at: file) }

    /// - Returns: what came of it, in words that do not depend on what was quoted; a new one joins the corpus of a run.
    package func run(_ input: [UInt8]) async throws -> String {
        let read: BrokerSettings
        do {
            read = try await settings(input)
        } catch let error as InvalidSettings {
            let lineCount = input.count { $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r") } + 2
            for problem in error.problems {
                guard !problem.text.isEmpty else { throw Failure(description: "a problem without words") }
                if let line = problem.line, !(0...lineCount).contains(line) {
                    throw Failure(description: "line \(line) of \(lineCount): \(problem)")
                }
            }
            return error.problems.prefix(2).map { "\($0.key?.count ?? 0) \($0.text.prefix(24))" }.joined(
                separator: "; ")
        }
        let contradictions = read.contradictions(file: file.path)
        try await readBack(read)
        return "taken " + contradictions.prefix(2).map { $0.key ?? "" }.joined(separator: " ")
    }

    private func settings(_ text: [UInt8]) async throws -> BrokerSettings {
        try Data(text).write(to: file)
        return try await BrokerSettings(contentsOfFile: file.path)
    }

    private func readBack(_ settings: BrokerSettings) async throws {
        let written = Setting.all.map { ($0, $0.written(settings)) }
        let lines = written.compactMap { setting, value in value.map { "\(setting.key): \($0)" } }
        let again = try await self.settings(Array(lines.joined(separator: "\n").utf8))
        var fromOthers = BrokerSettings()
        for (setting, value) in written {
            guard setting.written(again) == value else {
                throw Failure(
                    description: "\(setting.key) \(value ?? "none") reads back as \(setting.written(again) ?? "none")")
            }
            // Quotes, lists and escapes are the file's notation.
            guard let value, !value.contains(where: { "\"[]\\ ,".contains($0) }) else { continue }
            try fromOthers.apply(environment: [setting.variable: value])
            guard setting.written(fromOthers) == value else {
                throw Failure(description: "\(setting.variable) \(value) is something else")
            }
            try fromOthers.apply(options: [setting.option + "=" + value])
            guard setting.written(fromOthers) == value else {
                throw Failure(description: "\(setting.option) \(value) is something else")
            }
        }
    }
}

extension ConfigurationCheck {
    /// What runs start from.
    package static let corpus: [[UInt8]] = [
        SettingsDocument.defaultFile,
        """
        listeners: ["127.0.0.1:1883", "wss://[::1]:8443", "unix:/tmp/x"]
        listener-defaults: {certificate: a.pem, key: b.pem, maximum-connections: 7, proxy-from: ["10.0.0.0/8", unix]}
        listener:
          one: {address: "tls://localhost:0", client-ca: c, client-certificate: required}
        """,
        "limits: {receive-maximum: 7, maximum-packet-size: 64KiB, connect-timeout: 2m}\ndata.directory: /x\n",
        #"{"access": {"password-file": "a", "without-rules": "allow", "http-url": "http://x"}, "shards": 2}"#,
        "a: &x [1, 2]\nb: *x\nlog-level: !!str debug\nresponse-information: >-\n  a/%c\n---\n",
        "allow-anonymous: yes\n",
    ].map { Array($0.utf8) }
}
