package import BrokerConfiguration
package import Foundation
import NIOCore
import NIOHTTP1
import NIOPosix
import TransportModel

/// Asks a broker's administration: one request a connection.
package struct AdminClient: Sendable {
    package enum Method: String, Sendable {
        case get = "GET"
        case post = "POST"
        case put = "PUT"
        case delete = "DELETE"
    }

    package struct Answer: Sendable {
        package let status: Int
        package let body: Data
    }

    /// Bytes of an answer that are taken.
    static let maximumAnswerSize = 1 << 26

    let address: AdminAddress
    let token: AdminToken?
    let timeout: Duration

    package init(_ address: AdminAddress, token: AdminToken? = nil, timeout: Duration = .seconds(30)) {
        self.address = address
        self.token = token
        self.timeout = timeout
    }

    /// - Parameter target: path and query, encoded.
    /// - Throws: `AdminFailure`.
    package func send(
        _ method: Method, _ target: String, body: Data? = nil
    ) async throws -> Answer {
        do {
            return try await exchange(method, target, body)
        } catch let failure as AdminFailure {
            throw failure
        } catch let error as IOError {
            throw AdminFailure("no broker answers at \(address): \(String(cString: strerror(error.errnoCode)))")
        } catch {
            throw AdminFailure("no broker answers at \(address): \(error)")
        }
    }

    /// Sends a value and reads one; throws what the broker says when it refuses.
    package func ask<Value: Decodable>(
        _ method: Method, _ target: String, body: (any Encodable)? = nil, for type: Value.Type
    ) async throws -> Value {
        let answer = try await send(method, target, body: try Self.encode(body))
        guard (200..<300).contains(answer.status) else {
            let refusal = try? JSONDecoder().decode(Refusal.self, from: answer.body)
            throw AdminFailure(refusal?.error.message ?? "the broker answered with status \(answer.status)")
        }
        do {
            return try JSONDecoder().decode(type, from: answer.body)
        } catch {
            throw AdminFailure("the broker's answer cannot be understood: is it of another version?")
        }
    }

    private static func encode(_ body: (any Encodable)?) throws(AdminFailure) -> Data? {
        guard let body else { return nil }
        do {
            return try JSONEncoder().encode(body)
        } catch {
            throw AdminFailure("the request cannot be written: \(error)")
        }
    }

    private func exchange(_ method: Method, _ target: String, _ body: Data?) async throws -> Answer {
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let promise = loop.makePromise(of: Answer.self)
        let limit = TimeAmount.nanoseconds(Int64(clamping: timeout.components.seconds) * 1_000_000_000)
        let bootstrap = ClientBootstrap(group: loop).connectTimeout(limit).channelInitializer { channel in
            channel.eventLoop.makeCompletedFuture {
                try channel.pipeline.syncOperations.addHTTPClientHandlers()
                try channel.pipeline.syncOperations.addHandler(AnswerCollector(promise))
            }
        }
        let channel: any Channel
        do {
            switch address {
            case .network(let address):
                channel = try await bootstrap.connect(host: address.host, port: address.port).get()
            case .unix(let path): channel = try await bootstrap.connect(unixDomainSocketPath: path).get()
            }
        } catch {
            promise.fail(error)
            throw error
        }
        let timer = loop.scheduleTask(in: limit) { promise.fail(AdminFailure("the broker does not answer")) }
        defer {
            timer.cancel()
            channel.close(promise: nil)
        }
        var head = HTTPRequestHead(version: .http1_1, method: HTTPMethod(rawValue: method.rawValue), uri: target)
        head.headers.add(name: "Host", value: hostField)
        head.headers.add(name: "Connection", value: "close")
        if let token { head.headers.add(name: "Authorization", value: token.field) }
        if let body {
            head.headers.add(name: "Content-Type", value: "application/json")
            head.headers.add(name: "Content-Length", value: "\(body.count)")
        }
        channel.write(HTTPClientRequestPart.head(head), promise: nil)
        if let body { channel.write(HTTPClientRequestPart.body(.byteBuffer(ByteBuffer(bytes: body))), promise: nil) }
        channel.writeAndFlush(HTTPClientRequestPart.end(nil), promise: nil)
        return try await promise.futureResult.get()
    }

    private var hostField: String {
        if case .network(let address) = address { "\(address)" } else { "localhost" }
    }
}

/// Puts an answer together.
private final class AnswerCollector: ChannelInboundHandler {
    typealias InboundIn = HTTPClientResponsePart

    private let promise: EventLoopPromise<AdminClient.Answer>
    private var status = 0
    private var body = Data()

    init(_ promise: EventLoopPromise<AdminClient.Answer>) { self.promise = promise }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch Self.unwrapInboundIn(data) {
        case .head(let head): status = Int(head.status.code)
        case .body(let part):
            body.append(contentsOf: part.readableBytesView)
            if body.count > AdminClient.maximumAnswerSize {
                promise.fail(AdminFailure("the broker's answer is too long"))
                context.close(promise: nil)
            }
        case .end: promise.succeed(AdminClient.Answer(status: status, body: body))
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        promise.fail(error)
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        promise.fail(AdminFailure("the broker closed the connection"))
    }
}
