import Foundation
package import NATSProtocol
package import NIOCore

/// A message as a stream keeps it.
package struct StoredMessage: Sendable {
    package var subject: Subject
    package var sequence: UInt64
    package var headers: HeaderBlock?
    package var payload: ByteBuffer
}

/// Which message to read.
package enum DirectGet: Hashable, Sendable {
    /// The last one of a subject.
    case last(Subject)
    case sequence(UInt64)
}

extension NATSConnection {
    private struct BySequence: Encodable {
        var seq: UInt64
    }

    /// Reads a message from any replica: it may be stale. The stream needs `allowsDirectGet`.
    ///
    /// - Parameter completion: gets nil when there is no such message.
    package func directGet(
        stream: String, _ selection: DirectGet, timeout: Duration = .seconds(5),
        completion: @escaping (Result<StoredMessage?, NATSError>) -> Void
    ) {
        let name = Array("$JS.API.DIRECT.GET.\(stream)".utf8)
        let handler: (RequestOutcome) -> Void = { outcome in
            completion(NATSConnection.answer(outcome).flatMap { StoredMessage.of(directAnswer: $0) })
        }
        switch selection {
        case .last(let subject):
            let subject = Subject(unchecked: name + Array(".".utf8) + subject.bytes)
            request(ByteBuffer(), to: subject, timeout: timeout, completion: handler)
        case .sequence(let sequence):
            let body = ByteBuffer(string: "{\"seq\":\(sequence)}")
            request(body, to: Subject(unchecked: name), timeout: timeout, completion: handler)
        }
    }
}

extension NATSConnection {
    private struct LastOfSubject: Encodable {
        var last_by_subj: String
    }

    private struct GotMessage: Decodable, Sendable {
        struct Message: Decodable {
            var subject: String
            var seq: UInt64
            var data: Data?
        }

        var message: Message
    }

    /// Reads the last message of a subject as the leader has it: slower than `directGet`, and not stale. Without its
    /// headers.
    ///
    /// - Parameter completion: gets nil when there is none.
    package func lastMessage(
        stream: String, of subject: Subject, timeout: Duration = .seconds(5),
        completion: @escaping (Result<StoredMessage?, NATSError>) -> Void
    ) {
        let body = LastOfSubject(last_by_subj: subject.description)
        askJetStream("STREAM.MSG.GET.\(stream)", body, timeout: timeout, for: GotMessage.self) { result in
            switch result {
            case .success(let got):
                let payload = ByteBuffer(bytes: got.message.data ?? Data())
                completion(
                    .success(
                        StoredMessage(subject: subject, sequence: got.message.seq, headers: nil, payload: payload)))
            case .failure(.refused(let error)) where error.errorCode == JetStreamError.messageNotFound:
                completion(.success(nil))
            case .failure(let error): completion(.failure(error))
            }
        }
    }

    private struct Purge: Encodable {
        var filter: String?
        var seq: UInt64?
    }

    private struct Purged: Decodable, Sendable {
        var purged: UInt64
    }

    /// Removes the messages of a stream, of those subjects that match if there is a filter.
    ///
    /// - Parameters:
    ///   - below: only those with a lower sequence.
    ///   - completion: gets how many were removed.
    package func purge(
        stream: String, filter: SubjectFilter? = nil, below sequence: UInt64? = nil, timeout: Duration = .seconds(30),
        completion: @escaping (Result<UInt64, NATSError>) -> Void
    ) {
        let body = Purge(filter: filter?.description, seq: sequence)
        askJetStream("STREAM.PURGE.\(stream)", body, timeout: timeout, for: Purged.self) { result in
            completion(result.map(\.purged))
        }
    }
}

extension StoredMessage {
    /// The answer to a direct get: the message with its place in headers.
    static func of(directAnswer message: NATSMessage) -> Result<StoredMessage?, NATSError> {
        if let status = message.status, status >= 400 {
            guard status != 404 else { return .success(nil) }
            let text = message.headers?.statusText ?? ""
            return .failure(.refused(JetStreamError(code: status, errorCode: 0, text: text)))
        }
        guard let headers = message.headers, let sequence = headers.number("Nats-Sequence"),
            let subject = headers["Nats-Subject"]
        else { return .failure(.malformedAnswer("a direct get without subject or sequence")) }
        return .success(
            StoredMessage(
                subject: Subject(unchecked: Array(subject.utf8)), sequence: sequence, headers: headers,
                payload: message.payload))
    }
}
