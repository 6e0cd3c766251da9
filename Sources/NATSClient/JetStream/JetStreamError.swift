/// The server's reason for a refusal.
package struct JetStreamError: Decodable, Hashable, Sendable, CustomStringConvertible {
    /// As in HTTP: 400, 404, 503.
    package var code: Int
    /// Which of the server's reasons; it does not change between versions, as the words do.
    package var errorCode: Int
    package var text: String

    package static let streamNotFound = 10059
    package static let consumerNotFound = 10014
    package static let messageNotFound = 10037
    package static let streamNameInUse = 10058
    package static let wrongLastSequence = 10071
    /// The leader knows of a write of the subject that is on its way, and does not compare. It forgets of the write a
    /// moment after it acknowledged it, so this is also said to a client that names the right sequence at once.
    package static let wrongLastSequenceInFlight = 10164
    package static let temporarilyUnavailable = 10008
    /// Not enough servers are there for the replicas.
    package static let noPeers = 10005

    /// Whether the condition of a write does not hold.
    package var isConflict: Bool {
        errorCode == JetStreamError.wrongLastSequence || errorCode == JetStreamError.wrongLastSequenceInFlight
    }

    /// Whether the condition may hold or not: it is known in a moment.
    package var isInFlight: Bool { errorCode == JetStreamError.wrongLastSequenceInFlight }

    /// Whether the same may succeed in a moment.
    package var isTemporary: Bool { code == 503 || errorCode == JetStreamError.noPeers }

    package init(code: Int, errorCode: Int, text: String) {
        self.code = code
        self.errorCode = errorCode
        self.text = text
    }

    private enum CodingKeys: String, CodingKey {
        case code
        case errorCode = "err_code"
        case text = "description"
    }

    package init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        code = try values.decode(Int.self, forKey: .code)
        errorCode = try values.decodeIfPresent(Int.self, forKey: .errorCode) ?? 0
        text = try values.decodeIfPresent(String.self, forKey: .text) ?? ""
    }

    package var description: String { "\(text) (\(code), \(errorCode))" }
}
