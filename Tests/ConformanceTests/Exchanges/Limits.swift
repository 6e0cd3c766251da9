import BrokerCore
import MQTTModel

/// What the broker does at its own limits (`Limits`), where the standard leaves the answer to it.
extension Exchange {
    @ExchangeList static var limits: [Exchange] {
        admission
        queues
        retainedLimits
        topicLevels
    }

    @ExchangeList private static var admission: [Exchange] {
        Exchange(
            "a connection above the limit is closed at once", versions: .both,
            options: { $0.limits.maximumConnections = 0 }
        ) {
            a.opens()
            a.isClosed()
        }
        Exchange(
            "above the limit of sessions a CONNECT is refused, with 0x97 in 5.0", v3: ["3.2.2-5"], v5: ["3.2.2-7"],
            options: { $0.limits.maximumSessions = 0 }
        ) {
            a.requests()
            only(.v3) { a.gets(.connAck(3)) }
            only(.v5) { a.gets(.connAck(0x97)) }
            a.isClosed()
        }
    }

    @ExchangeList private static var queues: [Exchange] {
        Exchange(
            "above the limit of a session's queue the newest message is dropped, for it alone", versions: .both,
            options: { $0.limits.maximumQueuedMessages = 2 }
        ) {
            a.connects(kept: true)
            a.subscribes("t", qos: 1)
            a.disconnects()
            b.connects()
            b.subscribes("t")
            for number in 1...3 {
                b.sends(.publish("t", "\(number)", qos: 1, id: 1))
                b.getsInAnyOrder(.pubAck(1), .publish("t", "\(number)"))
            }
            a.connects(kept: true, present: true)
            a.takes("t", "1")
            a.takes("t", "2")
            a.getsNothing()
            b.sends(.publish("t", "4", qos: 1, id: 1))
            a.takes("t", "4")
        }
        Exchange(
            "above the limit of a queue's bytes a message is dropped, and a smaller one still fits", versions: .both,
            options: { $0.limits.maximumQueuedBytes = 250 }
        ) {
            a.connects(kept: true)
            a.subscribes("t", qos: 1)
            a.disconnects()
            b.connects()
            b.publishes("t", .long(100))
            b.publishes("t", .long(200))
            b.publishes("t", .long(101))
            a.connects(kept: true, present: true)
            a.takes("t", .long(100))
            a.takes("t", .long(101))
            a.getsNothing()
        }
        Exchange(
            "no more messages are in flight than the server's own limit", v3: ["4.4.0-1"], v5: ["3.3.4-9"],
            options: { $0.limits.maximumInflightMessages = 2 }
        ) {
            a.connects()
            a.subscribes("t", qos: 1)
            b.connects()
            for number in 1...4 { b.publishes("t", "\(number)") }
            a.gets(.publish("t", "1", qos: 1, id: "m1"), .publish("t", "2", qos: 1, id: "m2"))
            a.getsNothing()
            a.sends(.pubAck("m1"))
            a.gets(.publish("t", "3", qos: 1, id: "m3"))
            a.getsNothing()
            a.sends(.pubAck("m2"), .pubAck("m3"))
            a.takes("t", "4")
        }
    }

    @ExchangeList private static var retainedLimits: [Exchange] {
        Exchange(
            "above the limit of retained messages one is refused, an old one may be replaced and deleted",
            versions: .both, options: { $0.limits.maximumRetainedMessages = 1 }
        ) {
            a.connects()
            a.publishes("1", "old", retain: true)
            a.sends(.publish("2", "x", qos: 1, id: 5, retain: true))
            a.gets(.pubAck(5, [0x97]))
            a.publishes("1", "new", retain: true)
            b.connects()
            b.subscribes("#")
            b.gets(.publish("1", "new", retain: true))
            b.getsNothing()
            a.publishes("1", "", retain: true)
            a.publishes("2", "x", retain: true)
            c.connects()
            c.subscribes("#")
            c.gets(.publish("2", "x", retain: true))
            c.getsNothing()
        }
        Exchange(
            "above the limit of retained messages a will is published, and not retained", versions: .both,
            options: { $0.limits.maximumRetainedMessages = 1 }
        ) {
            b.connects()
            b.publishes("1", "x", retain: true)
            b.subscribes("w")
            a.connects(will: .will("w", "gone", retain: true))
            a.drops()
            b.gets(.publish("w", "gone"))
            c.connects()
            c.subscribes("#")
            c.gets(.publish("1", "x", retain: true))
            c.getsNothing()
        }
        Exchange(
            "above the limit of retained bytes a message is refused", versions: .both,
            options: { $0.limits.maximumRetainedBytes = 1000 }
        ) {
            a.connects()
            a.publishes("1", .long(100), retain: true)
            a.sends(.publish("2", .long(2000), qos: 1, id: 5, retain: true))
            a.gets(.pubAck(5, [0x97]))
            b.connects()
            b.subscribes("#")
            b.gets(.publish("1", .long(100), retain: true))
            b.getsNothing()
        }
    }

    @ExchangeList private static var topicLevels: [Exchange] {
        Exchange(
            "above the limit of levels a filter is refused with 0x8F, a retained message's topic with 0x90",
            v3: ["3.8.4-5"], v5: ["3.9.3-2", "3.4.2-1"], options: { $0.limits.maximumTopicLevels = 3 }
        ) {
            a.connects()
            a.sends(.subscribe(.filter("a/b/c"), .filter("a/b/c/d"), .filter("a/b/#")))
            a.gets(.subAck(1, [0, 0x8F, 0]))
            a.sends(.publish("a/b/c/d", "x", qos: 1, id: 1, retain: true))
            a.gets(.pubAck(1, [0x90]))
            a.sends(.publish("a/b/c/d", "y"))
            a.gets(.publish("a/b/c/d", "y"))
            a.getsNothing()
        }
        Exchange(
            "no more outbound topic aliases than the server's own limit", v5: ["3.1.2-26"], traps: [40],
            options: { $0.limits.maximumOutboundTopicAliases = 1 }
        ) {
            a.connects([.topicAliasMaximum(10)])
            a.subscribes("+")
            b.connects()
            b.sends(.publish("1", "x"), .publish("2", "x"), .publish("1", "y"))
            a.gets(.publish("1", "x", alias: 1), .publish("2", "x"), .publish("", "y", alias: 1))
        }
    }
}
