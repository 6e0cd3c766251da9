import BridgeRuntime
import BrokerConfiguration
import BrokerTransport
import Logging
import MQTTBridge

extension Serve {
    /// The links to other brokers, by the name of their sections.
    func bridges(
        of server: BrokerServer, _ settings: BrokerSettings, logger: Logger
    ) throws(BridgeFiles.Problem) -> [BridgeService] {
        // The same in all of them: what comes back by another bridge has been here.
        let randomName = String(UInt64.random(in: 0...UInt64.max), radix: 36)
        var bridges: [BridgeService] = []
        for var options in settings.bridges {
            if options.localName == nil { options.localName = randomName }
            let files = try BridgeFiles(options)
            bridges.append(
                BridgeService(options: options, files: files, logger: logger) { try await server.boundAddresses() })
        }
        return bridges
    }
}

extension BrokerSettings {
    /// What is wrong with the files that the bridges name.
    func bridgeFileProblems(file: String?) -> [SettingsProblem] {
        bridges.compactMap { bridge in
            do throws(BridgeFiles.Problem) {
                _ = try BridgeFiles(bridge)
                return nil
            } catch {
                return problem(with: bridge, error.option, file, error.text)
            }
        }
    }
}
