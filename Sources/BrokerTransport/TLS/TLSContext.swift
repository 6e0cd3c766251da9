import NIOCore
import NIOSSL
package import TransportModel

/// What the TLS connections of a listener share, made of its files: read again, it is what new connections have.
package struct TLSContext: Sendable {
    /// A file that will not do.
    package struct Problem: Error, Sendable, CustomStringConvertible {
        /// The option of the listener that names the file: `certificate`, `key`, `client-ca`, `crl`, `ciphers`.
        package let option: String
        package let text: String

        package var description: String { "\(option): \(text)" }
    }

    let context: NIOSSLContext
    let revocationList: RevocationList?
    let options: ListenerOptions

    /// Reads the files of a listener with TLS.
    ///
    /// - Throws: `Problem`.
    package init(_ options: ListenerOptions) throws(Problem) {
        self.options = options
        let chain = try TLSFiles.certificates(options.certificate, "certificate")
        let key = try TLSFiles.key(options.key, "key")
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(key))
        configuration.minimumTLSVersion = options.minimumTLSVersion == .v1_3 ? .tlsv13 : .tlsv12
        configuration.applicationProtocols = ["mqtt"]
        configuration.shutdownTimeout = .seconds(5)
        if let cipherSuites = options.cipherSuites { configuration.cipherSuites = cipherSuites }
        if options.clientCertificate != .none {
            let authorities = try TLSFiles.certificates(options.clientAuthority, "client-ca")
            configuration.trustRoots = .certificates(authorities)
            configuration.certificateVerification =
                options.clientCertificate == .required ? .noHostnameVerification : .optionalVerification
            configuration.sendCANameList = true
        }
        revocationList = try options.revocationList.map { path throws(Problem) in try TLSFiles.revocationList(path) }
        do {
            context = try NIOSSLContext(configuration: configuration)
        } catch {
            throw Self.problem(with: options, "\(error)")
        }
    }

    private static func problem(with options: ListenerOptions, _ error: String) -> Problem {
        if error == "failedToLoadPrivateKey" {
            return Problem(
                option: "key", text: "\(options.key ?? "") is not the key of \(options.certificate ?? "")")
        }
        return Problem(
            option: options.cipherSuites == nil ? "certificate" : "ciphers",
            text: "the TLS library refuses it: \(error)")
    }

    /// What the client's certificate says; nil when it has shown none.
    ///
    /// - Throws: `CertificateRefusal`.
    func names(in certificate: NIOSSLCertificate?) throws(CertificateRefusal) -> CertificateNames? {
        guard let certificate else { return nil }
        guard let bytes = try? certificate.toDERBytes(), let names = try? CertificateNames(der: bytes) else {
            throw .unreadable
        }
        if revocationList?.hasRevoked(names) == true { throw .revoked }
        return names
    }
}

/// Why a client's certificate does not do though one of the authorities has signed it.
enum CertificateRefusal: String, Error {
    case unreadable = "the certificate cannot be read"
    case revoked = "the certificate is revoked"
}
