import Hummingbird
import NIOCore

/// What a request carries through its handlers.
struct AdminContext: RequestContext, Sendable {
    var coreContext: CoreRequestContextStorage

    init(source: Source) { coreContext = .init(source: source) }
}

/// Who may ask what: over a Unix socket, which the file system guards, everything; over TCP whether the broker lives and is
/// ready, and the rest with the token. Without a token the metrics are open, too, but nothing else: any program of this
/// machine, and any page in a browser on it, reaches a port of the loopback interface.
struct AccessMiddleware: RouterMiddleware {
    enum Guarding: Sendable {
        case fileSystem
        case token(AdminToken?)
    }

    let guarding: Guarding

    func handle(
        _ request: Request, context: AdminContext, next: (Request, AdminContext) async throws -> Response
    ) async throws -> Response {
        guard case .token(let token) = guarding else { return try await next(request, context) }
        let path = request.uri.path
        if path == "/live" || path == "/ready" || (token == nil && path == "/metrics") {
            return try await next(request, context)
        }
        guard let token else {
            throw HTTPError(
                .forbidden,
                message: "over TCP this needs a token: set admin.token-file, or use the Unix socket of the broker")
        }
        guard let field = request.headers[.authorization], token.matches(authorization: field) else {
            throw HTTPError(
                .unauthorized, headers: [.wwwAuthenticate: "Bearer"], message: "the token is missing or wrong")
        }
        return try await next(request, context)
    }
}

/// Answers with 503 what takes too long, a body that does not come included.
struct TimedResponder<Base: HTTPResponder>: HTTPResponder where Base.Context: Sendable {
    let base: Base
    let timeout: Duration

    func respond(to request: Request, context: Base.Context) async throws -> Response {
        try await withThrowingTaskGroup(of: Response?.self) { group in
            group.addTask { try await base.respond(to: request, context: context) }
            group.addTask {
                try await Task.sleep(for: timeout)
                return nil
            }
            defer { group.cancelAll() }
            guard let first = try await group.next(), let response = first else {
                return Response(status: .serviceUnavailable, headers: [.connection: "close"])
            }
            return response
        }
    }
}
