import BrokerTransport

extension BrokerServer {
    /// What each listener has counted, as metrics.
    var listenerFamilies: [MetricFamily] {
        var connections = MetricFamily(
            "dunlin_listener_connections", .gauge, "Connections, by the listener that accepted them.")
        var handshakes = MetricFamily(
            "dunlin_listener_handshakes", .gauge,
            "Connections that are not as far as MQTT: PROXY header, TLS, WebSocket.")
        var accepted = MetricFamily(
            "dunlin_listener_accepted_total", .counter, "Connections that a listener accepted.")
        var refused = MetricFamily(
            "dunlin_listener_refused_total", .counter,
            "Connections closed at once, by the bound that they would exceed.")
        var failed = MetricFamily(
            "dunlin_listener_failed_handshakes_total", .counter, "Connections that did not come as far as MQTT.")
        for (name, counts) in listenerCounts() {
            let listener = (name: "listener", value: name)
            connections.add(Double(counts.connections), listener)
            handshakes.add(Double(counts.handshakes), listener)
            accepted.add(Double(counts.accepted), listener)
            for (bound, count) in [
                ("maximum-connections", counts.refusedByConnections), ("connection-rate", counts.refusedByRate),
                ("connection-rate-per-address", counts.refusedByAddressRate),
                ("maximum-handshakes", counts.refusedByHandshakes),
            ] {
                refused.add(Double(count), listener, (name: "bound", value: bound))
            }
            failed.add(Double(counts.handshakeTimeouts), listener, (name: "reason", value: "timeout"))
            failed.add(Double(counts.handshakeFailures), listener, (name: "reason", value: "error"))
        }
        return [connections, handshakes, accepted, refused, failed]
    }
}
