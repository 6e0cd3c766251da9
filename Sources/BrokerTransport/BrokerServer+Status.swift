import Backbone
import BrokerRuntime
import Logging
import MQTTModel
import NIOCore

/// Keeps the topics under `$SYS/broker` up to date.
extension BrokerServer {
    /// Until it is cancelled. Each shard keeps its own copy, and what has not changed is not said again.
    func publishStatus(every interval: Duration) async {
        guard interval > .zero else { return }
        var report = StatusReport()
        var last: NIODeadline?
        while !Task.isCancelled {
            if let figures = try? await figures() {
                let now = NIODeadline.now()
                let engine = engineReport
                let changes = report.update(
                    figures, keptMessages: engine?.keptMessages ?? 0, keptBytes: engine?.keptBytes ?? 0,
                    after: last.map { Double((now - $0).nanoseconds) / 1e9 } ?? 0)
                last = now
                say(changes)
            }
            try? await Task.sleep(for: interval)
        }
    }

    private func say(_ changes: [(topic: String, value: String)]) {
        let messages = changes.map { topic, value in
            ApplicationMessage(topic: topic, payload: value.utf8, qos: .atMostOnce, isRetained: true)
        }
        guard !messages.isEmpty else { return }
        for shard in shards { shard.loop.execute { shard.statusChanged(messages) } }
    }
}
