import Crypto
import CryptoExtras
import Foundation

/// What is kept of a password for SCRAM-SHA-256 (RFC 5802, RFC 7677): with it a client can be checked, and not be
/// imitated.
package struct ScramCredentials: Sendable, Hashable {
    static let prefix = "SCRAM-SHA-256$"

    package var rounds: Int
    package var salt: [UInt8]
    package var storedKey: [UInt8]
    package var serverKey: [UInt8]

    package init(rounds: Int, salt: [UInt8], storedKey: [UInt8], serverKey: [UInt8]) {
        self.rounds = rounds
        self.salt = salt
        self.storedKey = storedKey
        self.serverKey = serverKey
    }

    package init(password: [UInt8], salt: [UInt8], rounds: Int) throws {
        let salted = try PasswordHash.pbkdf2(password, salt, .sha256, rounds: rounds, count: 32)
        self.init(
            rounds: rounds, salt: salt,
            storedKey: Array(SHA256.hash(data: Self.hmac(salted, Array("Client Key".utf8)))),
            serverKey: Self.hmac(salted, Array("Server Key".utf8)))
    }

    init?(parsing text: String) {
        let parts = text.dropFirst(Self.prefix.count).split(separator: "$", omittingEmptySubsequences: false)
        guard text.hasPrefix(Self.prefix), parts.count == 2 else { return nil }
        let first = parts[0].split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        let second = parts[1].split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        guard first.count == 2, second.count == 2, let rounds = Int(first[0]),
            let salt = PasswordHash.bytes(first[1]), (1...1024).contains(salt.count),
            let storedKey = PasswordHash.bytes(second[0]), storedKey.count == 32,
            let serverKey = PasswordHash.bytes(second[1]), serverKey.count == 32
        else { return nil }
        self.init(rounds: rounds, salt: salt, storedKey: storedKey, serverKey: serverKey)
    }

    var text: String {
        "\(Self.prefix)\(rounds):\(PasswordHash.text(salt))$\(PasswordHash.text(storedKey)):\(PasswordHash.text(serverKey))"
    }

    func verify(_ password: [UInt8]) -> Bool {
        guard let other = try? ScramCredentials(password: password, salt: salt, rounds: rounds) else { return false }
        return ConstantTime.areEqual(other.storedKey, storedKey)
    }

    static func hmac(_ key: [UInt8], _ data: [UInt8]) -> [UInt8] {
        Array(HMAC<SHA256>.authenticationCode(for: data, using: SymmetricKey(data: key)))
    }
}
