import AccessControl
import Crypto

/// What was said by a client, as a key for tables: nobody who reads the memory learns a password from it, and nobody can
/// choose two that meet. The key of the digest is drawn for the process.
struct CredentialDigest: Sendable, Hashable {
    private static let key = SymmetricKey(size: .bits256)

    private let bytes: [UInt8]

    init(_ parts: [[UInt8]]) {
        var digest = HMAC<SHA256>(key: Self.key)
        for part in parts {
            // The length first: no two lists run together to the same bytes.
            withUnsafeBytes(of: UInt64(part.count).littleEndian) { digest.update(data: $0) }
            digest.update(data: part)
        }
        bytes = Array(digest.finalize())
    }
}

/// Answers that were found lately, so that a client that comes back need not be looked up again. The oldest gives way.
struct RecentAnswers<Answer: Sendable>: Sendable {
    private struct Entry {
        let answer: Answer
        let validUntil: ContinuousClock.Instant
        let order: UInt64
    }

    private let capacity: Int
    private var entries: [CredentialDigest: Entry] = [:]
    /// In the order they were made; those that have been made anew since are skipped.
    private var order: [(CredentialDigest, UInt64)] = []
    private var firstInOrder = 0
    private var nextOrder: UInt64 = 0

    init(capacity: Int) { self.capacity = capacity }

    var count: Int { entries.count }

    func answer(for digest: CredentialDigest, at now: ContinuousClock.Instant) -> Answer? {
        guard let entry = entries[digest], now < entry.validUntil else { return nil }
        return entry.answer
    }

    mutating func insert(_ answer: Answer, for digest: CredentialDigest, validUntil: ContinuousClock.Instant) {
        guard capacity > 0 else { return }
        entries[digest] = Entry(answer: answer, validUntil: validUntil, order: nextOrder)
        order.append((digest, nextOrder))
        nextOrder += 1
        while entries.count > capacity || order.count - firstInOrder > 2 * capacity { removeOldest() }
        if firstInOrder > capacity {
            order.removeFirst(firstInOrder)
            firstInOrder = 0
        }
    }

    private mutating func removeOldest() {
        let (digest, number) = order[firstInOrder]
        firstInOrder += 1
        if entries[digest]?.order == number { entries[digest] = nil }
    }

    mutating func removeAll() { self = RecentAnswers(capacity: capacity) }
}
