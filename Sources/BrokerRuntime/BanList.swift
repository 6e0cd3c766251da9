package import MQTTModel
package import NIOCore
import Synchronization

/// Who may not connect, until when. In memory; whoever wants it kept does that. From any thread.
package final class BanList: Sendable {
    /// What a ban is about.
    package enum Subject: Sendable, Hashable {
        case clientIdentifier(ExactText)
        case userName(ExactText)
        /// As the operating system writes it.
        case address(String)
    }

    package struct Ban: Sendable {
        package let subject: Subject
        /// The clock of the event loops; nil: until it is lifted.
        package let until: NIODeadline?
        /// For people.
        package let reason: String

        package init(_ subject: Subject, for duration: Duration?, reason: String) {
            self.subject = subject
            self.until = duration.map { .now() + .nanoseconds(Int64(clamping: $0.wholeNanoseconds)) }
            self.reason = reason
        }

        var hasEnded: Bool { until.map { $0 <= .now() } ?? false }
    }

    /// A further one is refused.
    package static let maximumCount = 10_000

    private let bans = Mutex<[Subject: Ban]>([:])
    private let isWithoutBans = Atomic(true)

    package init() {}

    /// Cheap: asked at every CONNECT.
    var isEmpty: Bool { isWithoutBans.load(ordering: .relaxed) }

    func ban(of subject: Subject) -> Ban? {
        bans.withLock { $0[subject] }.flatMap { $0.hasEnded ? nil : $0 }
    }

    /// Adds a ban or replaces the one on the same subject.
    ///
    /// - Returns: false when there are too many.
    package func add(_ ban: Ban) -> Bool {
        bans.withLock { bans in
            if bans.count >= Self.maximumCount { bans = bans.filter { !$0.value.hasEnded } }
            guard bans[ban.subject] != nil || bans.count < Self.maximumCount else { return false }
            bans[ban.subject] = ban
            isWithoutBans.store(false, ordering: .relaxed)
            return true
        }
    }

    /// - Returns: whether there was one.
    package func remove(_ subject: Subject) -> Bool {
        bans.withLock { bans in
            let removed = bans.removeValue(forKey: subject)
            if bans.isEmpty { isWithoutBans.store(true, ordering: .relaxed) }
            return removed.map { !$0.hasEnded } ?? false
        }
    }

    /// Those that hold, in no particular order.
    package var all: [Ban] {
        bans.withLock { bans in
            bans = bans.filter { !$0.value.hasEnded }
            if bans.isEmpty { isWithoutBans.store(true, ordering: .relaxed) }
            return Array(bans.values)
        }
    }
}
