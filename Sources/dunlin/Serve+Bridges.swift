import BridgeRuntime
import BrokerConfiguration
import MQTTBridge

extension BrokerSettings {
    /// The links to other brokers, with what their files hold.
    ///
    /// - Throws: `InvalidSettings`, when files are not as they were when the settings were judged.
    func bridgeFiles() throws(InvalidSettings) -> [BridgeFiles] {
        var files: [BridgeFiles] = []
        for bridge in bridges {
            do throws(BridgeFiles.Problem) {
                files.append(try BridgeFiles(bridge))
            } catch {
                throw InvalidSettings([problem(with: bridge, error.option, nil, error.text)])
            }
        }
        return files
    }

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
