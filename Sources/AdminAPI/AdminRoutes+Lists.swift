import BrokerCore
import BrokerRuntime
import BrokerTransport
import Foundation
import Hummingbird
import MQTTModel
import NIOCore

/// Lists: `limit` rows at a time (100 if not said, at most 1,000), after the row that `after` says, those that `filter`
/// names (`*` stands for anything).
extension AdminRoutes {
    static let maximumLimit = 1000
    static let usualLimit = 100
    /// Time that one request looks for rows; then it answers with what it has and where to go on.
    static let searchTime = Duration.seconds(1)

    func addLists(to group: RouterGroup<AdminContext>) {
        group.get("clients") { request, _ in
            let query = try ListQuery(request)
            return try await sessions(query) { $0.connection != nil && query.pattern.matches($0.clientIdentifier) }
        }
        group.get("sessions") { request, _ in
            let query = try ListQuery(request)
            return try await sessions(query) { query.pattern.matches($0.clientIdentifier) }
        }
        group.get("subscriptions") { request, _ in
            let query = try ListQuery(request)
            let client = request.uri.queryParameters.get("client").map { GlobPattern($0) }
            return try await subscriptions(query) {
                query.pattern.matches($0.filter) && client?.matches($0.clientIdentifier) ?? true
            }
        }
        group.get("retained") { request, _ in
            let query = try ListQuery(request)
            return try await retained(query) { query.pattern.matches($0.topicString) }
        }
        group.get("bans") { _, _ in json(ListPage(items: banRows())) }
    }

    private func sessions(
        _ query: ListQuery, where isWanted: @escaping @Sendable (SessionDescription) -> Bool
    ) async throws -> Response {
        let now = Instant(nanoseconds: NIODeadline.now().uptimeNanoseconds)
        return json(
            try await collect(query, over: server.shards) { shard, place, limit in
                shard.sessions(from: place, limit: limit, where: isWanted)
            } row: {
                SessionRow($0, at: now)
            })
    }

    private func subscriptions(
        _ query: ListQuery, where isWanted: @escaping @Sendable (SubscriptionDescription) -> Bool
    ) async throws -> Response {
        json(
            try await collect(query, over: server.shards) { shard, place, limit in
                shard.subscriptions(from: place, limit: limit, where: isWanted)
            } row: {
                SubscriptionRow($0)
            })
    }

    private func retained(
        _ query: ListQuery, where isWanted: @escaping @Sendable (ApplicationMessage) -> Bool
    ) async throws -> Response {
        let now = Instant(nanoseconds: NIODeadline.now().uptimeNanoseconds)
        // Every shard has all of them.
        return json(
            try await collect(query, over: Array(server.shards.prefix(1))) { shard, place, limit in
                shard.retainedMessages(from: place, limit: limit, where: isWanted)
            } row: {
                RetainedRow($0, at: now)
            })
    }

    private func collect<Element: Sendable, Row: Codable & Sendable>(
        _ query: ListQuery, over shards: [Shard],
        _ page: @escaping @Sendable (Shard, _ place: Int, _ limit: Int) -> Page<Element>, row: (Element) -> Row
    ) async throws -> ListPage<Row> {
        var rows: [Row] = []
        var cursor = query.cursor
        let end = ContinuousClock.now + Self.searchTime
        while cursor.shard < shards.count, rows.count < query.limit, ContinuousClock.now < end {
            let (shard, place, limit) = (shards[cursor.shard], cursor.place, query.limit - rows.count)
            let part = try await shard.loop.submit { page(shard, place, limit) }.get()
            rows += part.elements.map(row)
            cursor = part.next.map { ListCursor(shard: cursor.shard, place: $0) } ?? ListCursor(shard: cursor.shard + 1)
        }
        return ListPage(items: rows, next: cursor.shard < shards.count ? cursor.text : nil)
    }

    private func banRows() -> [BanRow] {
        server.bans.all.map { BanRow($0) }.sorted { ($0.kind.rawValue, $0.value) < ($1.kind.rawValue, $1.value) }
    }
}

/// Where a list goes on: a shard and a place in its table.
struct ListCursor: Sendable {
    var shard = 0
    var place = 0

    init(shard: Int, place: Int = 0) {
        self.shard = shard
        self.place = place
    }

    init?(_ text: String) {
        let numbers = text.split(separator: ".", omittingEmptySubsequences: false).map { UInt32($0) }
        guard numbers.count == 2, let shard = numbers[0], let place = numbers[1] else { return nil }
        self.init(shard: Int(shard), place: Int(place))
    }

    var text: String { "\(shard).\(place)" }
}

/// What a request for a list asks for.
struct ListQuery: Sendable {
    let limit: Int
    let cursor: ListCursor
    let pattern: GlobPattern

    init(_ request: Request) throws {
        let parameters = request.uri.queryParameters
        let limit = parameters.get("limit").map { Int($0) } ?? AdminRoutes.usualLimit
        guard let limit, (1...AdminRoutes.maximumLimit).contains(limit) else {
            throw HTTPError(.badRequest, message: "limit has to be a number from 1 to \(AdminRoutes.maximumLimit)")
        }
        let cursor = parameters.get("after").map { ListCursor($0) } ?? ListCursor(shard: 0)
        guard let cursor else {
            throw HTTPError(.badRequest, message: "after has to be what `next` of the last answer was")
        }
        self.limit = limit
        self.cursor = cursor
        pattern = GlobPattern(parameters.get("filter") ?? "*")
    }
}
