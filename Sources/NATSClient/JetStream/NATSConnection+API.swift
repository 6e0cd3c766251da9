import Foundation
import NATSProtocol
import NIOCore

extension NATSConnection {
    /// Asks JetStream for something: `$JS.API.` and `name`, with a JSON object.
    package func askJetStream<Answer: Decodable & Sendable>(
        _ name: String, _ body: (any Encodable)? = nil, timeout: Duration = .seconds(5), for type: Answer.Type,
        completion: @escaping (Result<Answer, NATSError>) -> Void
    ) {
        guard let subject = Subject("$JS.API." + name) else {
            return completion(.failure(.malformedAnswer("\(name) is no name of a request")))
        }
        let payload: ByteBuffer
        do {
            payload = try body.map { ByteBuffer(bytes: try JSONEncoder().encode($0)) } ?? ByteBuffer()
        } catch {
            return completion(.failure(.malformedAnswer("the request cannot be put into JSON: \(error)")))
        }
        request(payload, to: subject, timeout: timeout) { outcome in
            completion(NATSConnection.answer(outcome).flatMap { NATSConnection.decode(type, from: $0.payload) })
        }
    }

    static func answer(_ outcome: RequestOutcome) -> Result<NATSMessage, NATSError> {
        switch outcome {
        case .answer(let message): .success(message)
        case .noResponders: .failure(.noResponders)
        case .notSent(let reason): .failure(.notSent(reason))
        case .unknown(let answer): .failure(.unknown(answer))
        }
    }

    static func decode<Answer: Decodable>(
        _ type: Answer.Type, from payload: ByteBuffer
    ) -> Result<Answer, NATSError> {
        let data = Data(payload.readableBytesView)
        if let failure = try? JSONDecoder().decode(Refusal.self, from: data) { return .failure(.of(failure.error)) }
        do {
            return .success(try JSONDecoder().decode(type, from: data))
        } catch {
            return .failure(.malformedAnswer(String(decoding: data.prefix(500), as: UTF8.self)))
        }
    }

    private struct Refusal: Decodable {
        var error: JetStreamError
    }
}

extension NATSError {
    static func of(_ error: JetStreamError) -> NATSError { error.isConflict ? .conflict(error) : .refused(error) }
}
