import BackboneSQLite
import BrokerCore
import TransportModel

extension BrokerSettings {
    /// What is wrong with the settings taken together. Asked when the file and the command line have both been read,
    /// and by `dunlin check`: a value that is fine alone may not go with another.
    package func contradictions(file: String? = nil) -> [SettingsProblem] {
        var problems = listenerContradictions(file: file)
        let limits = options.limits
        problems += adminContradictions(file: file)
        problems += storeContradictions(file: file)
        problems += bridgeContradictions(file: file)
        problems += natsContradictions(file: file)
        problems += accessContradictions(file: file)
        problems += overloadContradictions(file: file)
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

    private func adminContradictions(file: String?) -> [SettingsProblem] {
        guard admin.tokenFile == nil else { return [] }
        return (admin.listeners ?? []).compactMap { address in
            guard case .network(let address) = address, !address.isLoopback else { return nil }
            return SettingsProblem(
                file: file, key: "admin.listeners",
                text: """
                    \(address) can be reached from other machines, so admin.token-file is needed; or listen on 127.0.0.1 \
                    or a Unix socket
                    """)
        }
    }

    private func overloadContradictions(file: String?) -> [SettingsProblem] {
        let limits = options.limits
        var problems: [SettingsProblem] = []
        if limits.maximumByteRate > 0, limits.maximumByteRate < Int(limits.maximumPacketSize) / 10 {
            problems.append(
                SettingsProblem(
                    file: file, key: "limits.maximum-byte-rate",
                    text: """
                        has to be at least a tenth of limits.maximum-packet-size, which is \
                        \(Quantity.text(bytes: Int(limits.maximumPacketSize)))
                        """))
        }
        if let watermark = limits.memoryWatermark, let maximum = limits.maximumMemory, watermark > maximum {
            problems.append(
                SettingsProblem(
                    file: file, key: "limits.memory-watermark",
                    text: "has to be at most limits.maximum-memory, which is \(Quantity.text(bytes: maximum))"))
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
