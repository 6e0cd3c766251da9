import AdminAPI
import BrokerConfiguration
import BrokerTransport
import Foundation
import Logging

extension Serve {
    /// The administration, if it is wanted.
    func administration(
        of server: BrokerServer, _ bans: BanStore, _ reloader: Reloader, _ settings: BrokerSettings,
        _ output: LogOutput,
        nodeName: String, logger: Logger
    ) throws(AdminFailure) -> AdminService? {
        guard !settings.adminListeners.isEmpty else { return nil }
        let actions = AdminActions { () async throws(AdminFailure) -> Outcome in
            try await reload(reloader)
        } logLevel: {
            output.level.rawValue
        } setLogLevel: { text in
            guard let level = Logger.Level(rawValue: text) else { return false }
            output.level = level
            return true
        }
        return try AdminService(
            settings, server: server, bans: bans, actions: actions, nodeName: nodeName,
            version: Dunlin.version, logger: logger)
    }

    private func reload(_ reloader: Reloader) async throws(AdminFailure) -> Outcome {
        do throws(InvalidSettings) {
            let reload = try await reloader.reload()
            let difference = reload.difference
            var text = "reloaded"
            if !difference.applied.isEmpty { text += "\nchanged: " + difference.applied.joined(separator: ", ") }
            if !difference.needsRestart.isEmpty {
                text += "\nneeds a restart: " + difference.needsRestart.joined(separator: ", ")
            }
            if reload.disconnected > 0 {
                text += "\ndisconnected: \(reload.disconnected) who are not let in any longer"
            }
            return Outcome(text)
        } catch {
            throw AdminFailure(
                "what held before holds, because something is wrong:\n"
                    + error.problems.map(\.description).joined(separator: "\n"))
        }
    }
}
