import BrokerConfiguration
import BrokerRuntime
import BrokerTransport
import Foundation
import Hummingbird
import Logging
import NIOCore
import TransportModel

/// What the administration answers. A path for people and programs is a noun; what it does is the method.
struct AdminRoutes: Sendable {
    let server: BrokerServer
    let bans: BanStore
    let actions: AdminActions
    let options: AdminOptions
    let nodeName: String
    let version: String
    let logger: Logger

    /// Time that an event loop has to answer for the broker to live.
    static let livenessPatience = Duration.seconds(5)
    /// Time that an event loop has to answer for the broker to be ready.
    static let readinessPatience = Duration.seconds(2)

    func router(guardedBy guarding: AccessMiddleware.Guarding) -> Router<AdminContext> {
        let router = Router(context: AdminContext.self)
        router.add(middleware: AccessMiddleware(guarding: guarding))
        router.get("live") { _, _ in await live() }
        router.get("ready") { request, _ in await ready(request) }
        router.get("metrics") { _, _ in try await metrics() }
        let management = router.group("v1")
        management.get("nodes") { _, _ in try await nodes() }
        addLists(to: management)
        addOrders(to: management)
        return router
    }

    // MARK: Health and metrics

    private func live() async -> Response {
        guard await server.respond(within: Self.livenessPatience) else {
            return json(HealthRow(status: "stuck", reasons: ["an event loop does not answer"]), .serviceUnavailable)
        }
        return json(HealthRow(status: "live", reasons: []))
    }

    /// With `?draining=404` a node that is being drained, and well, says so with 404: HAProxy then sends it nobody new and
    /// leaves its connections alone (`http-check disable-on-404`).
    private func ready(_ request: Request) async -> Response {
        let readiness = await server.readiness(within: Self.readinessPatience)
        guard readiness.isReady else {
            let isLeaving = readiness.isOnlyDraining && request.uri.queryParameters.get("draining") == "404"
            return json(
                HealthRow(status: "not ready", reasons: readiness.reasons), isLeaving ? .notFound : .serviceUnavailable)
        }
        return json(HealthRow(status: "ready", reasons: []))
    }

    private func metrics() async throws -> Response {
        var figures = try await server.figures()
        try await figures.addBacklog(of: server.shards)
        var info = MetricFamily("dunlin_info", .gauge, "Always 1; says which version runs.")
        info.add(1, ("version", version), ("node", nodeName))
        let isReady = await server.readiness(within: Self.readinessPatience).isReady
        let families =
            [info, MetricFamily("dunlin_ready", .gauge, "1 while /ready says yes, else 0.", isReady ? 1 : 0)]
            + figures.families + server.listenerFamilies + (server.engineReport?.families ?? [])
            + [MetricFamily("dunlin_bans", .gauge, "Bans that hold.", server.bans.all.count)] + ProcessFigures.families
            + PrometheusMetricsFactory.shared.families
        return Response(
            status: .ok, headers: [.contentType: PrometheusText.contentType],
            body: .init(byteBuffer: ByteBuffer(string: PrometheusText.encode(families))))
    }

    // MARK: Nodes

    private func nodes() async throws -> Response {
        let figures = try await server.figures()
        let readiness = await server.readiness(within: Self.readinessPatience)
        let row = NodeRow(
            name: nodeName, version: version, isReady: readiness.isReady, reasons: readiness.reasons,
            isDraining: server.isDraining,
            uptimeSeconds: Int(Date().timeIntervalSince1970 - ProcessFigures.startTime),
            listeners: (try? await server.boundAddresses().map(\.description)) ?? [],
            connections: figures.connections, clients: figures.clients.total, sessions: figures.sessions,
            subscriptions: figures.subscriptions, retainedMessages: figures.retainedMessages)
        let others = server.flockNodes
        guard !others.isEmpty else { return json(ListPage(items: [row])) }
        return json(ListPage(items: others.map { NodeRow($0, own: row) }))
    }

    // MARK: JSON

    func json(_ value: some Encodable, _ status: HTTPResponse.Status = .ok) -> Response {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        guard let data = try? encoder.encode(value) else { return Response(status: .internalServerError) }
        return Response(
            status: status, headers: [.contentType: "application/json; charset=utf-8", .cacheControl: "no-store"],
            body: .init(byteBuffer: ByteBuffer(bytes: data)))
    }

    /// The body of a request, within its bounds.
    func decode<Value: Decodable>(_ type: Value.Type, from request: Request) async throws -> Value {
        var request = request
        let body = try await request.collectBody(upTo: options.maximumRequestSize)
        do {
            return try JSONDecoder().decode(type, from: Data(body.readableBytesView))
        } catch {
            throw HTTPError(.badRequest, message: "the body is not the JSON that is expected here")
        }
    }
}
