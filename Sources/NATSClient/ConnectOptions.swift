import Crypto
import Foundation
import NATSProtocol

/// What CONNECT says.
struct ConnectOptions: Encodable {
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    private var verbose = false
    private var pedantic = false
    private var tls_required: Bool
    private var name: String
    private var lang = "swift"
    private var version = "1"
    /// 1: the server may send INFO again when the cluster changes.
    private var `protocol` = 1
    private var echo: Bool
    private var headers = true
    private var no_responders = true
    private var user: String?
    private var pass: String?
    private var auth_token: String?
    private var nkey: String?
    private var jwt: String?
    private var sig: String?

    /// - Throws: when the credentials cannot be used: a seed that is none, a server that asks for no signature.
    init(_ options: NATSOptions, _ info: ServerInfo) throws(Failure) {
        tls_required = info.requiresTLS || options.tlsMode != .asServerRequires
        name = options.name
        echo = options.echo
        switch options.credentials {
        case .none: break
        case .password(let user, let password): (self.user, pass) = (user, password)
        case .token(let token): auth_token = token
        case .nkey(let seed):
            let key = try ConnectOptions.signingKey(seed)
            nkey = NKey.encodePublicKey(.user, key: Array(key.publicKey.rawRepresentation))
            sig = try ConnectOptions.sign(info, with: key)
        case .jwt(let jwt, let seed):
            self.jwt = jwt
            sig = try ConnectOptions.sign(info, with: ConnectOptions.signingKey(seed))
        }
    }

    func json() throws -> [UInt8] { Array(try JSONEncoder().encode(self)) }

    private static func signingKey(_ seed: String) throws(Failure) -> Curve25519.Signing.PrivateKey {
        guard let (kind, bytes) = NKey.decodeSeed(seed), kind == .user else {
            throw Failure(description: "the seed is not that of a user's key")
        }
        do {
            return try Curve25519.Signing.PrivateKey(rawRepresentation: bytes)
        } catch {
            throw Failure(description: "the seed holds no key: \(error)")
        }
    }

    private static func sign(
        _ info: ServerInfo, with key: Curve25519.Signing.PrivateKey
    ) throws(Failure) -> String {
        guard let nonce = info.nonce else { throw Failure(description: "the server does not ask for a signature") }
        do {
            let signature = try key.signature(for: Data(nonce.utf8)).base64EncodedString()
            return signature.replacing("+", with: "-").replacing("/", with: "_").filter { $0 != "=" }
        } catch {
            throw Failure(description: "no signature could be made: \(error)")
        }
    }
}
