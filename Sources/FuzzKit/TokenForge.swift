import AccessProviders
import Crypto
import Foundation

/// A provider of tokens and the secret it trusts: to get behind the signature, the fuzzer has to be able to sign.
struct TokenForge: Sendable {
    let provider: TokenProvider
    private let secret = [UInt8](repeating: 0x61, count: 32)

    init() async throws {
        var options = TokenOptions()
        options.clientIdentifierClaim = "client"
        provider = TokenProvider(keys: try await .secret(secret), options: options) { 1_700_000_000 }
    }

    /// A token with these bytes as its claims.
    func token(claims: [UInt8]) -> [UInt8] {
        let message = Self.encoded(Array(#"{"alg":"HS256"}"#.utf8)) + [UInt8(ascii: ".")] + Self.encoded(claims)
        let signature = HMAC<SHA256>.authenticationCode(for: message, using: SymmetricKey(data: secret))
        return message + [UInt8(ascii: ".")] + Self.encoded(Array(signature))
    }

    private static func encoded(_ bytes: [UInt8]) -> [UInt8] {
        Data(bytes).base64EncodedString().utf8.compactMap { byte in
            switch byte {
            case UInt8(ascii: "+"): UInt8(ascii: "-")
            case UInt8(ascii: "/"): UInt8(ascii: "_")
            case UInt8(ascii: "="): nil
            default: byte
            }
        }
    }
}
