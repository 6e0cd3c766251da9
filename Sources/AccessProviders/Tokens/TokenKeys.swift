package import Foundation
import JWTKit
import Synchronization

/// The keys that tokens are signed with. HS256/384/512 with a secret; RS, PS, ES and EdDSA with a public key or a set of
/// them (JWKS, RFC 7517). The algorithm is the key's: what a token says about it cannot turn a public key into a secret.
package struct TokenKeys: Sendable {
    /// Why something is no key.
    package struct Malformed: Error, Sendable, CustomStringConvertible {
        package let description: String
    }

    let collection: JWTKeyCollection

    private init(_ collection: JWTKeyCollection) { self.collection = collection }

    /// A shared secret for HS256; its bytes are the key, without a line break at the end.
    package static func secret(_ bytes: [UInt8]) async throws(Malformed) -> TokenKeys {
        var bytes = bytes
        while bytes.last == 0x0A || bytes.last == 0x0D { bytes.removeLast() }
        guard bytes.count >= 32 else {
            throw Malformed(description: "a secret for HS256 has to have 32 bytes or more (RFC 7518, 3.2)")
        }
        let collection = JWTKeyCollection()
        await collection.add(hmac: HMACKey(from: bytes), digestAlgorithm: .sha256)
        return TokenKeys(collection)
    }

    /// A public key in PEM: RSA for RS256, P-256 for ES256, P-384 for ES384, Ed25519 for EdDSA.
    package static func publicKey(pem: String) async throws(Malformed) -> TokenKeys {
        let collection = JWTKeyCollection()
        if let key = try? Insecure.RSA.PublicKey(pem: pem) {
            await collection.add(rsa: key, digestAlgorithm: .sha256)
        } else if let key = try? ES256PublicKey(pem: pem) {
            await collection.add(ecdsa: key)
        } else if let key = try? ES384PublicKey(pem: pem) {
            await collection.add(ecdsa: key)
        } else if let key = try? EdDSA.PublicKey(pem: pem) {
            await collection.add(eddsa: key)
        } else {
            throw Malformed(
                description: "this is no public key in PEM for RS256 (2048 bits or more), ES256, ES384 or EdDSA")
        }
        return TokenKeys(collection)
    }

    /// A JWKS document. Keys of kinds that are not known are left out; private keys are refused.
    package static func keySet(json: Data) async throws(Malformed) -> TokenKeys {
        guard json.count <= 1 << 20 else { throw Malformed(description: "the key set is over 1 MiB") }
        guard let set = try? JSONDecoder().decode(LenientKeySet.self, from: json) else {
            throw Malformed(description: "this is no key set: it has to be a JSON object with a list \"keys\"")
        }
        let collection = JWTKeyCollection()
        var count = 0
        for var key in set.keys.compactMap(\.key) {
            if key.privateExponent != nil { throw Malformed(description: "the key set holds a private key") }
            // A set of one key needs no names.
            if key.keyIdentifier == nil { key.keyIdentifier = JWKIdentifier(string: "") }
            if (try? await collection.add(jwk: key)) != nil { count += 1 }
        }
        guard count > 0 else { throw Malformed(description: "the key set has no key that can be used") }
        return TokenKeys(collection)
    }

    private struct LenientKeySet: Decodable {
        struct Entry: Decodable {
            let key: JWK?

            init(from decoder: any Decoder) throws { key = try? JWK(from: decoder) }
        }

        let keys: [Entry]
    }
}
