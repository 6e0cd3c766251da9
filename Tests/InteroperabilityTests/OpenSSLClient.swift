import Foundation
import ProcessKit

/// `openssl s_client` against a broker.
enum OpenSSLClient {
    /// A CONNECT of 3.1.1 with clean session, then DISCONNECT.
    private static let bytes = "\\x10\\x0c\\x00\\x04MQTT\\x04\\x02\\x00\\x00\\x00\\x00\\xe0\\x00"

    /// Connects, says CONNECT and DISCONNECT, and returns everything that openssl says about it.
    static func talk(
        to broker: BrokerProcess, _ certificates: Certificates, _ options: [String]
    ) async throws -> String {
        let command =
            [
                try Tool.path("openssl"), "s_client", "-connect", "127.0.0.1:\(broker.port)", "-CAfile",
                certificates.certificate("ca"), "-servername", "localhost", "-ign_eof",
            ] + options
        let quoted = command.map { "'\($0)'" }.joined(separator: " ")
        // The pipe stays open until the broker ends the connection, so that tickets arrive.
        let process = try ChildProcess(
            try Tool.path("bash"), ["-c", "printf '\(bytes)' | \(quoted)"])
        _ = try await process.wait()
        return process.output.text
    }
}
