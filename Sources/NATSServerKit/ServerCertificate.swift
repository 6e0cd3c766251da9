package import Foundation
import ProcessKit

/// A key and a certificate for `localhost` and 127.0.0.1, signed by itself.
package struct ServerCertificate: Sendable {
    package let certificate: URL
    package let key: URL

    /// Makes them in `directory`.
    package init(in directory: URL) async throws {
        certificate = directory.appending(path: "certificate.pem")
        key = directory.appending(path: "key.pem")
        try await ChildProcess(
            try Tool.path("openssl"),
            [
                "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", key.path,
                "-out", certificate.path,
            ]
        ).succeed()
    }

    /// The server's part of it, for its configuration.
    package var configuration: String {
        "tls { cert_file: \"\(certificate.path)\", key_file: \"\(key.path)\" }"
    }
}
