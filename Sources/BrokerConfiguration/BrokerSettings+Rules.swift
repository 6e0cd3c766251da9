import BackboneSQLite
import BrokerCore

extension BrokerSettings {
    /// What is wrong with the settings taken together. Asked when the file and the command line have both been read,
    /// and by `dunlin check`: a value that is fine alone may not go with another.
    package func contradictions(file: String? = nil) -> [SettingsProblem] {
        var problems = listenerContradictions(file: file)
        let limits = options.limits
        problems += storeContradictions(file: file)
        problems += accessContradictions(file: file)
        if limits.outboundLowWatermark >= limits.outboundHighWatermark {
            problems.append(
                SettingsProblem(
                    file: file, key: "limits.outbound-low-watermark",
                    text: """
                        has to be below limits.outbound-high-watermark, which is \
                        \(Quantity.text(bytes: limits.outboundHighWatermark))
                        """))
        }
        return problems
    }

    private func storeContradictions(file: String?) -> [SettingsProblem] {
        var problems: [SettingsProblem] = []
        if store.idleCheckpointBytes > store.busyCheckpointBytes {
            problems.append(
                SettingsProblem(
                    file: file, key: "data.idle-checkpoint-bytes",
                    text: """
                        has to be at most data.busy-checkpoint-bytes, which is \
                        \(Quantity.text(bytes: store.busyCheckpointBytes))
                        """))
        }
        if store.busyCheckpointBytes > store.maximumWalBytes {
            problems.append(
                SettingsProblem(
                    file: file, key: "data.busy-checkpoint-bytes",
                    text: """
                        has to be at most data.maximum-wal-bytes, which is \
                        \(Quantity.text(bytes: store.maximumWalBytes)); else nothing moves the log that messages wait for
                        """))
        }
        return problems
    }
}
