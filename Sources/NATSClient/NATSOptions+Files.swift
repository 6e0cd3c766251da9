import Foundation
import NATSProtocol
import NIOSSL

/// What files say of who the client is and whom it trusts.
extension NATSOptions {
    /// A file that will not do; a text for people.
    package struct FileProblem: Error, Sendable, CustomStringConvertible {
        package let description: String
    }

    /// What a file of credentials holds.
    package enum CredentialsFile: Sendable {
        case password(ofUser: String)
        case token
        /// The seed of a user's key.
        case nkey
        /// A JWT and the seed of its user's key.
        case jwt
    }

    package mutating func readCredentials(_ kind: CredentialsFile, from path: String) throws(FileProblem) {
        switch kind {
        case .password(let user): credentials = .password(user: user, password: try Self.line(of: path))
        case .token: credentials = .token(try Self.line(of: path))
        case .nkey:
            let seed = try Self.line(of: path)
            guard let (kind, _) = NKey.decodeSeed(seed), kind == .user else {
                throw FileProblem(description: "\(path) has no seed of a user's key (SU…) in its first line")
            }
            credentials = .nkey(seed: seed)
        case .jwt:
            guard let read = Credentials(file: String(decoding: try Self.read(path), as: UTF8.self)) else {
                throw FileProblem(description: "\(path) has not both a user's JWT and the seed of its key")
            }
            credentials = read
        }
    }

    /// The servers' certificates have to be signed by one of these authorities, PEM.
    package mutating func trustAuthorities(in path: String) throws(FileProblem) {
        tlsConfiguration.trustRoots = .certificates(try Self.certificates(in: path))
    }

    /// The client's own certificate with those that lead to its authority, and its key, PEM.
    package mutating func showCertificate(in path: String, key keyPath: String) throws(FileProblem) {
        tlsConfiguration.certificateChain = try Self.certificates(in: path).map { .certificate($0) }
        guard let key = try? NIOSSLPrivateKey(bytes: Array(try Self.read(keyPath)), format: .pem) else {
            throw FileProblem(description: "\(keyPath) holds no private key in PEM form that needs no passphrase")
        }
        tlsConfiguration.privateKey = .privateKey(key)
    }

    private static func certificates(in path: String) throws(FileProblem) -> [NIOSSLCertificate] {
        let bytes = Array(try read(path))
        guard let certificates = try? NIOSSLCertificate.fromPEMBytes(bytes), !certificates.isEmpty else {
            throw FileProblem(description: "\(path) holds no certificate in PEM form")
        }
        return certificates
    }

    private static func line(of path: String) throws(FileProblem) -> String {
        let text = String(decoding: try read(path), as: UTF8.self)
        guard let line = text.split(whereSeparator: \.isNewline).first, text.first?.isNewline == false else {
            throw FileProblem(description: "\(path) has nothing in its first line")
        }
        return String(line)
    }

    private static func read(_ path: String) throws(FileProblem) -> Data {
        do {
            return try Data(contentsOf: URL(filePath: path))
        } catch {
            throw FileProblem(description: "\(path) cannot be read: \(error.localizedDescription)")
        }
    }
}
