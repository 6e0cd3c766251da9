import Backbone
import BrokerConfiguration
import BrokerCore
import BrokerRuntime
import BrokerTransport
import Foundation
import Hummingbird
import Logging
import MQTTModel
import NIOCore

/// What changes something.
extension AdminRoutes {
    func addOrders(to group: RouterGroup<AdminContext>) {
        group.delete("clients") { request, _ in try await kick(request) }
        group.post("bans") { request, _ in try await ban(request) }
        group.delete("bans") { request, _ in try await unban(request) }
        group.post("drain") { request, _ in try await drain(request) }
        group.post("reload") { _, _ in try await reload() }
        group.get("log-level") { _, _ in json(LogLevelRow(level: actions.logLevel())) }
        group.put("log-level") { request, _ in try await setLogLevel(request) }
    }

    private func kick(_ request: Request) async throws -> Response {
        guard let client = request.uri.queryParameters.get("client"), !client.isEmpty else {
            throw HTTPError(.badRequest, message: "which client? say ?client=IDENTIFIER")
        }
        guard try await server.disconnect(client, .administrativeAction) else {
            throw HTTPError(.notFound, message: "no client with this identifier is connected")
        }
        logger.notice(
            "client disconnected by an operator",
            metadata: ["client": "\(client)", "reason": "\(ReasonCode.administrativeAction)"])
        return json(Outcome("disconnected", count: 1))
    }

    private func ban(_ request: Request) async throws -> Response {
        let row = try await decode(BanRow.self, from: request)
        guard row.seconds.map({ (1...BanRow.longestSeconds).contains($0) }) ?? true else {
            throw HTTPError(.badRequest, message: "a ban holds for 1 to \(BanRow.longestSeconds) seconds, or for good")
        }
        let ban = BanList.Ban(
            try subject(row.kind, row.value), for: row.seconds.map { .seconds($0) }, reason: row.reason ?? "")
        guard let count = try await server.ban(ban) else {
            throw HTTPError(.conflict, message: "there are \(BanList.maximumCount) bans already; lift some")
        }
        logger.notice(
            "banned",
            metadata: [
                "kind": "\(row.kind.rawValue)", "value": "\(row.value)", "seconds": "\(row.seconds ?? 0)",
                "disconnected": "\(count)",
            ])
        try await keepBans(orSay: "banned, \(count) disconnected, but a restart lifts it")
        let kept = bans.path == nil ? "; a restart lifts it, as there is no data directory" : ""
        return json(Outcome("banned, \(count) disconnected\(kept)", count: count))
    }

    private func unban(_ request: Request) async throws -> Response {
        let parameters = request.uri.queryParameters
        guard let kind = parameters.get("kind").flatMap({ BanRow.Kind(rawValue: $0) }),
            let value = parameters.get("value")
        else {
            throw HTTPError(.badRequest, message: "which ban? say ?kind=client|user|address&value=VALUE")
        }
        guard server.bans.remove(try subject(kind, value)) else {
            throw HTTPError(
                .notFound, message: "there is no ban on this \(kind.rawValue); `bans` lists those that hold")
        }
        logger.notice("ban lifted", metadata: ["kind": "\(kind.rawValue)", "value": "\(value)"])
        try await keepBans(orSay: "lifted, but a restart brings it back")
        return json(Outcome("lifted", count: 1))
    }

    private func keepBans(orSay text: String) async throws {
        do throws(AdminFailure) {
            try await bans.save()
        } catch {
            logger.error("bans not kept", metadata: ["reason": "\(error)"])
            throw HTTPError(.internalServerError, message: "\(text): \(error)")
        }
    }

    private func subject(_ kind: BanRow.Kind, _ value: String) throws -> BanList.Subject {
        do throws(AdminFailure) {
            return try BanList.Subject(kind, value)
        } catch {
            throw HTTPError(.badRequest, message: error.description)
        }
    }

    private func drain(_ request: Request) async throws -> Response {
        let order = try await decode(DrainOrder.self, from: request)
        var wanted = NodeOrder.endDrain
        if order.isUndone != true {
            guard order.connectionsPerSecond.map({ Drain.rates.contains($0) }) ?? true else {
                throw HTTPError(.badRequest, message: "the rate has to be within 1–1000000")
            }
            wanted = .drain(
                connectionsPerSecond: order.connectionsPerSecond.map { UInt32($0) },
                serverReference: order.serverReference, isPermanent: order.isPermanent)
        }
        let answer: NodeAnswer
        if let node = order.node, node != nodeName {
            logger.notice("order given to another node", metadata: ["node": "\(node)", "order": "\(wanted)"])
            answer = await server.give(wanted, to: node)
        } else {
            answer = await server.obey(wanted)
        }
        switch answer {
        case .done(let text): return json(Outcome(text), .accepted)
        case .refused(let text): throw HTTPError(.badRequest, message: text)
        case .noAnswer(let text): throw HTTPError(.notFound, message: text)
        }
    }

    private func reload() async throws -> Response {
        do throws(AdminFailure) {
            return json(try await actions.reload())
        } catch {
            throw HTTPError(.conflict, message: error.description)
        }
    }

    private func setLogLevel(_ request: Request) async throws -> Response {
        let row = try await decode(LogLevelRow.self, from: request)
        guard actions.setLogLevel(row.level) else {
            throw HTTPError(
                .badRequest, message: "the level has to be trace, debug, info, notice, warning, error or critical")
        }
        logger.notice("log level changed", metadata: ["level": "\(row.level)"])
        return json(LogLevelRow(level: actions.logLevel()))
    }
}
