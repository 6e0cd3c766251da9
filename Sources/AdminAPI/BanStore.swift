package import BrokerRuntime
import Foundation
import MQTTModel
import NIOCore

/// The bans of a broker, in a file of its data directory, so that a restart does not lift them. The whole file is
/// written at each change: it is small, and changes by hand.
package actor BanStore {
    private struct Content: Codable {
        var bans: [Row]
    }

    private struct Row: Codable {
        var kind: BanRow.Kind
        var value: String
        /// nil: until it is lifted.
        var until: Date?
        var reason: String?
    }

    /// nil when there is nowhere to keep them.
    package nonisolated let path: String?
    private nonisolated let bans: BanList

    /// Takes up what the file has; that there is none yet is fine.
    ///
    /// - Parameter directory: the data directory; an empty one is none.
    /// - Throws: when there is a file that cannot be read: whom it keeps out nobody knows then.
    package init(_ bans: BanList, directory: String) throws(AdminFailure) {
        self.bans = bans
        path = directory.isEmpty ? nil : directory + (directory.hasSuffix("/") ? "" : "/") + "bans.json"
        guard let path, FileManager.default.fileExists(atPath: path) else { return }
        do {
            let content = try Self.decoder.decode(Content.self, from: Data(contentsOf: URL(filePath: path)))
            for row in content.bans {
                let left = row.until.map { Duration.seconds($0.timeIntervalSinceNow) }
                if let left, left <= .zero { continue }
                let subject = try BanList.Subject(row.kind, row.value)
                guard bans.add(BanList.Ban(subject, for: left, reason: row.reason ?? "")) else { break }
            }
        } catch {
            let reason = (error as? AdminFailure)?.description ?? Self.explanation(of: error)
            throw AdminFailure("the bans in \(path) cannot be read: \(reason); mend the file or remove it")
        }
    }

    /// Writes what holds now. Complete and on the disk, or the file is as it was.
    package func save() throws(AdminFailure) {
        guard let path else { return }
        let temporary = path + ".new"
        do {
            let rows = bans.all.map { ban in
                let row = BanRow(ban)
                let until = ban.until.map { Date(timeIntervalSinceNow: Double(($0 - .now()).nanoseconds) / 1e9) }
                return Row(kind: row.kind, value: row.value, until: until, reason: row.reason)
            }
            .sorted { ($0.kind.rawValue, $0.value) < ($1.kind.rawValue, $1.value) }
            let data = try Self.encoder.encode(Content(bans: rows))
            guard
                FileManager.default.createFile(
                    atPath: temporary, contents: nil, attributes: [.posixPermissions: 0o600])
            else { throw CocoaError(.fileWriteNoPermission) }
            let handle = try FileHandle(forWritingTo: URL(filePath: temporary))
            defer { try? handle.close() }
            try handle.write(contentsOf: data)
            try handle.synchronize()
            guard rename(temporary, path) == 0 else { throw CocoaError(.fileWriteUnknown) }
        } catch {
            unlink(temporary)
            throw AdminFailure("\(path) cannot be written: \(Self.explanation(of: error))")
        }
    }

    private static func explanation(of error: any Error) -> String {
        switch error {
        case DecodingError.dataCorrupted(let context), DecodingError.keyNotFound(_, let context),
            DecodingError.typeMismatch(_, let context), DecodingError.valueNotFound(_, let context):
            let place = context.codingPath.map { $0.intValue.map { "ban \($0 + 1)" } ?? $0.stringValue }
            return (place + [context.debugDescription]).joined(separator: ": ")
        default: return error.localizedDescription
        }
    }

    private static var decoder: JSONDecoder {
        let decoder = JSONDecoder()
        decoder.dateDecodingStrategy = .iso8601
        return decoder
    }

    private static var encoder: JSONEncoder {
        let encoder = JSONEncoder()
        encoder.dateEncodingStrategy = .iso8601
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return encoder
    }
}
