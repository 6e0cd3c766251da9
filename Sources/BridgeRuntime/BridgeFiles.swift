import Glibc
package import MQTTBridge
import NIOSSL
import TransportModel

/// A bridge, and what the files that it names hold: passwords, and what TLS needs.
package struct BridgeFiles: Sendable {
    /// A file that will not do.
    package struct Problem: Error, Sendable, CustomStringConvertible {
        /// The option that names the file: `password-file`, `ca`, and so on.
        package let option: String
        package let text: String

        package var description: String { "\(option): \(text)" }
    }

    /// The bridge.
    package let options: BridgeOptions
    let credentials: BridgeCredentials
    /// By transport; only of those that the bridge uses.
    private var contexts: [ListenAddress.Transport: NIOSSLContext] = [:]
    /// What TLS is made of, to see whether it has changed.
    private var authorities: [NIOSSLCertificate] = []
    private var chain: [NIOSSLCertificate] = []
    private var key: [UInt8] = []

    /// - Throws: `Problem`.
    package init(_ options: BridgeOptions) throws(Problem) {
        self.options = options
        var credentials = BridgeCredentials()
        credentials.remoteUserName = options.userName
        credentials.remotePassword = try Self.password(options.passwordFile, "password-file")
        credentials.localUserName = options.localUserName
        credentials.localPassword = try Self.password(options.localPasswordFile, "local-password-file")
        self.credentials = credentials
        let transports = Set(options.addresses.map(\.transport)).filter(\.isEncrypted)
        guard !transports.isEmpty else { return }
        if let authority = options.authority { authorities = try Self.certificates(authority, "ca") }
        if let certificate = options.certificate, let key = options.key {
            chain = try Self.certificates(certificate, "certificate")
            self.key = try Self.read(key, "key")
        }
        for transport in transports { contexts[transport] = try context(for: transport, keyFile: options.key ?? "") }
    }

    func context(for transport: ListenAddress.Transport) -> NIOSSLContext? { contexts[transport] }

    private func context(
        for transport: ListenAddress.Transport, keyFile: String
    ) throws(Problem) -> NIOSSLContext {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.minimumTLSVersion = .tlsv12
        configuration.certificateVerification = options.verifiesHost ? .fullVerification : .noHostnameVerification
        configuration.applicationProtocols = [transport.isWebSocket ? "http/1.1" : "mqtt"]
        if !authorities.isEmpty { configuration.trustRoots = .certificates(authorities) }
        if !chain.isEmpty {
            configuration.certificateChain = chain.map { .certificate($0) }
            guard let privateKey = try? NIOSSLPrivateKey(bytes: key, format: .pem) else {
                throw Problem(
                    option: "key", text: "\(keyFile) holds no private key in PEM form that needs no passphrase")
            }
            configuration.privateKey = .privateKey(privateKey)
        }
        do {
            return try NIOSSLContext(configuration: configuration)
        } catch {
            throw Problem(option: "certificate", text: "the TLS library refuses it: \(error)")
        }
    }

    private static func certificates(_ path: String, _ option: String) throws(Problem) -> [NIOSSLCertificate] {
        let bytes = try read(path, option)
        guard let certificates = try? NIOSSLCertificate.fromPEMBytes(bytes), !certificates.isEmpty else {
            throw Problem(option: option, text: "\(path) holds no certificate in PEM form")
        }
        return certificates
    }

    /// The first line of the file.
    private static func password(_ path: String?, _ option: String) throws(Problem) -> [UInt8]? {
        guard let path else { return nil }
        let line = Array(try read(path, option).prefix { $0 != UInt8(ascii: "\n") && $0 != UInt8(ascii: "\r") })
        guard !line.isEmpty else { throw Problem(option: option, text: "\(path) has no password in its first line") }
        return line
    }

    private static let maximumSize = 1 << 24

    private static func read(_ path: String, _ option: String) throws(Problem) -> [UInt8] {
        guard let file = fopen(path, "r") else {
            throw Problem(option: option, text: "\(path) cannot be read: \(String(cString: strerror(errno)))")
        }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while case let count = fread(&chunk, 1, chunk.count, file), count > 0, bytes.count < maximumSize {
            bytes += chunk[..<count]
        }
        guard ferror(file) == 0 else { throw Problem(option: option, text: "\(path) cannot be read") }
        return bytes
    }
}

extension BridgeFiles: Equatable {
    /// Whether a link made with the one is a link made with the other.
    package static func == (first: BridgeFiles, second: BridgeFiles) -> Bool {
        first.options == second.options && first.credentials == second.credentials
            && first.authorities == second.authorities && first.chain == second.chain && first.key == second.key
    }
}
