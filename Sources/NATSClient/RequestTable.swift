import NATSProtocol
import NIOCore

/// How a request ended.
package enum RequestOutcome: Sendable {
    case answer(NATSMessage)
    /// Nobody listens to the subject: for JetStream, there is no such stream, or no leader at this moment. It was
    /// certainly not done.
    case noResponders
    case notSent(NotSentReason)
    /// No answer came, in time or before the connection was lost. It may have been done.
    case unknown(LostAnswer)
}

/// Why there is no answer.
package enum LostAnswer: Hashable, Sendable {
    case timedOut
    case connectionLost
}

/// Who gets the answers of requests: one for many, which it tells apart by their tags.
package final class Responder {
    let receive: (_ tag: UInt64, _ outcome: RequestOutcome) -> Next

    /// Whether a request has further answers.
    package enum Next: Sendable {
        case done
        case more
    }

    /// - Parameter receive: called on the event loop, once for each request, or until it says `done`.
    package init(_ receive: @escaping (_ tag: UInt64, _ outcome: RequestOutcome) -> Next) { self.receive = receive }
}

/// The requests without an answer. All their answers come to subjects below one inbox, so that one subscription does.
struct RequestTable {
    struct Request {
        var responder: Responder
        var tag: UInt64
        var deadline: Duration
    }

    var inbox: Subject = "_INBOX"
    private(set) var requests = SlotTable<Request>()
    /// No deadline is earlier.
    private(set) var earliestDeadline: Duration?

    var count: Int { requests.count }

    mutating func insert(_ request: Request) -> UInt64 {
        if earliestDeadline.map({ request.deadline < $0 }) ?? true { earliestDeadline = request.deadline }
        return requests.insert(request)
    }

    subscript(number: UInt64) -> Request? { requests[number] }

    mutating func remove(_ number: UInt64) -> Request? { requests.remove(number) }

    /// Takes out those that are due. It looks at all: it is called once in the time of the shortest timeout, not once
    /// for each request.
    mutating func removeDue(at now: Duration) -> [Request] {
        var due: [UInt64] = []
        earliestDeadline = nil
        var earliest: Duration?
        requests.forEach { number, request in
            if request.deadline <= now {
                due.append(number)
            } else if earliest.map({ request.deadline < $0 }) ?? true {
                earliest = request.deadline
            }
        }
        earliestDeadline = earliest
        return due.compactMap { requests.remove($0) }
    }

    mutating func removeAll() -> [Request] {
        var all: [UInt64] = []
        requests.forEach { number, _ in all.append(number) }
        earliestDeadline = nil
        return all.compactMap { requests.remove($0) }
    }

    /// The subject for the answers of a request: the inbox and the number in sixteen hexadecimal digits.
    func replySubject(_ number: UInt64) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(inbox.bytes.count + 17)
        bytes += inbox.bytes
        bytes.append(UInt8(ascii: "."))
        for digit in (0..<16).reversed() {
            let value = UInt8(truncatingIfNeeded: number >> UInt64(4 * digit)) & 15
            bytes.append(value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10)
        }
        return bytes
    }

    /// The number that `replySubject` put in; nil for what did not come from it.
    static func number(in subject: Span<UInt8>) -> UInt64? {
        guard subject.count > 16 else { return nil }
        var number: UInt64 = 0
        for index in subject.count - 16..<subject.count {
            let byte = subject[index]
            let value =
                switch byte {
                case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
                case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
                default: UInt8.max
                }
            guard value < 16 else { return nil }
            number = number << 4 | UInt64(value)
        }
        return number
    }
}
