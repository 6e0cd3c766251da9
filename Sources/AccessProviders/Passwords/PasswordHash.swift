import Crypto
import CryptoExtras
import Foundation

/// What is kept of a password, as one field of a password file.
///
/// - `$scrypt$ln=14,r=8,p=1$SALT$KEY`: what `dunlin passwd` writes.
/// - `$7$ROUNDS$SALT$KEY`: PBKDF2 with HMAC-SHA512, as Mosquitto's tool writes it.
/// - `SCRAM-SHA-256$ROUNDS:SALT$STOREDKEY:SERVERKEY`: for SCRAM-SHA-256; a password can be checked against it, too.
package enum PasswordHash: Sendable, Hashable {
    case scrypt(logarithmOfRounds: Int, blockSize: Int, parallelism: Int, salt: [UInt8], key: [UInt8])
    case pbkdf2(rounds: Int, salt: [UInt8], key: [UInt8])
    case scram(ScramCredentials)

    /// How a password is hashed.
    package enum Scheme: String, Sendable, CaseIterable {
        case scrypt
        case pbkdf2
        case scram
    }

    /// Bounds of what is read from a file: a check takes no more than seconds and no more than 256 MiB.
    private static let rounds = 1...10_000_000
    private static let scryptLogarithms = 1...20
    private static let scryptFactors = 1...32
    private static let scryptMaximumBytes = 1 << 28
    private static let saltLengths = 1...1024
    private static let keyLengths = 16...128

    /// Hashes a password with a new salt.
    package init(_ password: [UInt8], scheme: Scheme) throws {
        let salt = (0..<16).map { _ in UInt8.random(in: .min ... .max) }
        switch scheme {
        case .scrypt:
            let key = try Self.scrypt(password, salt, logarithm: 14, blockSize: 8, parallelism: 1, count: 32)
            self = .scrypt(logarithmOfRounds: 14, blockSize: 8, parallelism: 1, salt: salt, key: key)
        case .pbkdf2:
            let key = try Self.pbkdf2(password, salt, .sha512, rounds: 210_000, count: 64)
            self = .pbkdf2(rounds: 210_000, salt: salt, key: key)
        case .scram:
            self = .scram(try ScramCredentials(password: password, salt: salt, rounds: 600_000))
        }
    }

    /// - Returns: nil for anything but the forms above.
    package init?(parsing text: String) {
        if text.hasPrefix(ScramCredentials.prefix) {
            guard let credentials = ScramCredentials(parsing: text), Self.rounds.contains(credentials.rounds) else {
                return nil
            }
            self = .scram(credentials)
            return
        }
        let parts = text.split(separator: "$", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 5, parts[0].isEmpty,
            let salt = Self.bytes(parts[3]), Self.saltLengths.contains(salt.count),
            let key = Self.bytes(parts[4]), Self.keyLengths.contains(key.count)
        else { return nil }
        switch parts[1] {
        case "7":
            guard let rounds = Int(parts[2]), Self.rounds.contains(rounds) else { return nil }
            self = .pbkdf2(rounds: rounds, salt: salt, key: key)
        case "scrypt":
            guard let (logarithm, blockSize, parallelism) = Self.scryptParameters(parts[2]) else { return nil }
            self = .scrypt(
                logarithmOfRounds: logarithm, blockSize: blockSize, parallelism: parallelism, salt: salt, key: key)
        default: return nil
        }
    }

    /// As a field of a password file.
    package var text: String {
        switch self {
        case .scrypt(let logarithm, let blockSize, let parallelism, let salt, let key):
            "$scrypt$ln=\(logarithm),r=\(blockSize),p=\(parallelism)$\(Self.text(salt))$\(Self.text(key))"
        case .pbkdf2(let rounds, let salt, let key): "$7$\(rounds)$\(Self.text(salt))$\(Self.text(key))"
        case .scram(let credentials): credentials.text
        }
    }

    /// Whether this is the password; takes as long for one as for another. Lengthy: not on an event loop.
    package func verify(_ password: [UInt8]) -> Bool {
        switch self {
        case .scrypt(let logarithm, let blockSize, let parallelism, let salt, let key):
            let derived = try? Self.scrypt(
                password, salt, logarithm: logarithm, blockSize: blockSize, parallelism: parallelism, count: key.count)
            return derived.map { ConstantTime.areEqual($0, key) } ?? false
        case .pbkdf2(let rounds, let salt, let key):
            let derived = try? Self.pbkdf2(password, salt, .sha512, rounds: rounds, count: key.count)
            return derived.map { ConstantTime.areEqual($0, key) } ?? false
        case .scram(let credentials): return credentials.verify(password)
        }
    }

    /// The same work for a password that nobody has: so that a name that is not known takes as long as one that is.
    var withoutPassword: PasswordHash {
        func random(_ count: Int) -> [UInt8] { (0..<count).map { _ in UInt8.random(in: .min ... .max) } }
        switch self {
        case .scrypt(let logarithm, let blockSize, let parallelism, let salt, let key):
            return .scrypt(
                logarithmOfRounds: logarithm, blockSize: blockSize, parallelism: parallelism, salt: salt,
                key: random(key.count))
        case .pbkdf2(let rounds, let salt, let key): return .pbkdf2(rounds: rounds, salt: salt, key: random(key.count))
        case .scram(var credentials):
            credentials.storedKey = random(credentials.storedKey.count)
            credentials.serverKey = random(credentials.serverKey.count)
            return .scram(credentials)
        }
    }

    // MARK: Derivation

    static func pbkdf2(
        _ password: [UInt8], _ salt: [UInt8], _ hash: KDF.Insecure.PBKDF2.HashFunction, rounds: Int, count: Int
    ) throws -> [UInt8] {
        try KDF.Insecure.PBKDF2.deriveKey(
            from: password, salt: salt, using: hash, outputByteCount: count, unsafeUncheckedRounds: rounds
        ).withUnsafeBytes { Array($0) }
    }

    private static func scrypt(
        _ password: [UInt8], _ salt: [UInt8], logarithm: Int, blockSize: Int, parallelism: Int, count: Int
    ) throws -> [UInt8] {
        try KDF.Scrypt.deriveKey(
            from: password, salt: salt, outputByteCount: count, rounds: 1 << logarithm, blockSize: blockSize,
            parallelism: parallelism
        ).withUnsafeBytes { Array($0) }
    }

    // MARK: Text

    private static func scryptParameters(_ text: String) -> (logarithm: Int, blockSize: Int, parallelism: Int)? {
        var values: [Int] = []
        for (part, name) in zip(text.split(separator: ",", omittingEmptySubsequences: false), ["ln=", "r=", "p="]) {
            guard part.hasPrefix(name), let value = Int(part.dropFirst(name.count)) else { return nil }
            values.append(value)
        }
        guard values.count == 3, text.split(separator: ",", omittingEmptySubsequences: false).count == 3,
            scryptLogarithms.contains(values[0]), scryptFactors.contains(values[1]), scryptFactors.contains(values[2]),
            128 * values[1] << values[0] <= scryptMaximumBytes
        else { return nil }
        return (values[0], values[1], values[2])
    }

    /// Base64, with or without padding.
    static func bytes(_ text: String) -> [UInt8]? {
        let padding = String(repeating: "=", count: (4 - text.utf8.count % 4) % 4)
        return Data(base64Encoded: text + padding).map { Array($0) }
    }

    static func text(_ bytes: [UInt8]) -> String { Data(bytes).base64EncodedString() }
}
