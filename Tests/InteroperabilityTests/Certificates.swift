import Foundation
import ProcessKit

/// Certificates for a test, made with openssl in a folder of their own: an authority, a server's, and clients'.
final class Certificates: Sendable {
    let folder: String
    private let openssl: String

    init() async throws {
        openssl = try Tool.path("openssl")
        folder = FileManager.default.temporaryDirectory.appending(path: "dunlin-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try await authority("ca")
        try await issue("server", extensions: ["subjectAltName=DNS:localhost,IP:127.0.0.1"])
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    func path(_ name: String) -> String { "\(folder)/\(name)" }
    func certificate(_ name: String) -> String { path("\(name).pem") }
    func key(_ name: String) -> String { path("\(name).key") }

    /// An authority, with what it needs to revoke.
    func authority(_ name: String) async throws {
        try await run([
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
            "-keyout",
            key(name), "-out", certificate(name), "-subj", "/CN=Authority \(name)", "-addext",
            "keyUsage=critical,keyCertSign,cRLSign",
        ])
        try Data().write(to: URL(filePath: path("\(name).index")))
        try Data("01\n".utf8).write(to: URL(filePath: path("\(name).crlnumber")))
        let configuration = """
            [ca]
            default_ca = one
            [one]
            database = \(path("\(name).index"))
            crlnumber = \(path("\(name).crlnumber"))
            default_md = sha256
            default_crl_days = 1
            """
        try Data(configuration.utf8).write(to: URL(filePath: path("\(name).cnf")))
    }

    /// A certificate that an authority signs; `notAfter` in openssl's words for one that is over.
    func issue(
        _ name: String, by authority: String = "ca", subject: String? = nil, extensions: [String] = [],
        isExpired: Bool = false
    ) async throws {
        try await run([
            "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", key(name),
            "-out", path("\(name).csr"), "-subj", subject ?? "/O=Test/CN=\(name)",
        ])
        try Data(extensions.joined(separator: "\n").utf8).write(to: URL(filePath: path("\(name).ext")))
        // openssl 3.0 signs for a number of days from now on, and that may be less than none.
        try await run([
            "x509", "-req", "-in", path("\(name).csr"), "-CA", certificate(authority), "-CAkey", key(authority),
            "-CAcreateserial", "-days", isExpired ? "-1" : "2", "-extfile", path("\(name).ext"), "-out",
            certificate(name),
        ])
    }

    /// The same with a key of RSA.
    func issueRSA(_ name: String) async throws {
        try await run([
            "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-keyout", key(name), "-out",
            certificate(name), "-CA", certificate("ca"), "-CAkey", key("ca"), "-subj", "/CN=\(name)", "-addext",
            "subjectAltName=DNS:localhost,IP:127.0.0.1",
        ])
    }

    /// Writes `ca.crl` with those that are revoked.
    func revoke(_ names: [String], by authority: String = "ca") async throws {
        for name in names {
            try await run([
                "ca", "-config", path("\(authority).cnf"), "-cert", certificate(authority), "-keyfile", key(authority),
                "-revoke", certificate(name),
            ])
        }
        try await run([
            "ca", "-config", path("\(authority).cnf"), "-cert", certificate(authority), "-keyfile", key(authority),
            "-gencrl", "-out", path("\(authority).crl"),
        ])
    }

    private func run(_ arguments: [String]) async throws {
        try await ChildProcess(openssl, arguments).succeed()
    }
}
