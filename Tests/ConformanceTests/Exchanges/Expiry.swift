import BrokerCore
import MQTTModel

/// Message expiry and topic aliases (5.0 sections 3.3.2.3.3 and 3.3.2.3.4).
extension Exchange {
    @ExchangeList static var expiryAndAliases: [Exchange] {
        messageExpiry
        inboundAliases
        outboundAliases
    }

    @ExchangeList private static var messageExpiry: [Exchange] {
        Exchange(
            "a message whose expiry passed while its client was away is not delivered, another comes with what is left",
            v5: ["3.3.2-5", "3.3.2-6"], traps: [39]
        ) {
            a.connects(kept: true)
            a.subscribes("t", qos: 1)
            a.disconnects()
            b.connects()
            b.publishes("t", "short", [.messageExpiryInterval(10)])
            b.publishes("t", "long", [.messageExpiryInterval(60)])
            b.publishes("t", "ever")
            passes(.seconds(20))
            a.connects(kept: true, present: true)
            a.takes("t", "long", [.messageExpiryInterval(40)])
            a.takes("t", "ever")
            a.getsNothing()
        }
        Exchange("a message that is sent on at once keeps its expiry interval", v5: ["3.3.2-6"], traps: [39]) {
            a.connects()
            a.subscribes("t", qos: 1)
            b.connects()
            b.sends(.publish("t", "x", [.messageExpiryInterval(60)]), .publish("t", "y"))
            a.gets(.publish("t", "x", [.messageExpiryInterval(60)]), .publish("t", "y"))
        }
        Exchange("a retained message expires, and counts down until then", v5: ["3.3.2-5", "3.3.2-6"], traps: [39]) {
            b.connects()
            b.publishes("t", "x", retain: true, [.messageExpiryInterval(10)])
            passes(.seconds(4))
            a.connects()
            a.subscribes("t", qos: 1)
            a.takes("t", "x", retain: true, [.messageExpiryInterval(6)])
            passes(.seconds(7))
            a.subscribes("t", qos: 1)
            a.getsNothing()
        }
        Exchange("a message that waits behind a full window expires", v5: ["3.3.2-5"], traps: [39]) {
            a.connects([.receiveMaximum(1)])
            a.subscribes("t", qos: 1)
            b.connects()
            b.publishes("t", "1")
            b.publishes("t", "short", [.messageExpiryInterval(2)])
            b.publishes("t", "3", [.messageExpiryInterval(100)])
            a.gets(.publish("t", "1", qos: 1, id: "m1"))
            passes(.seconds(3))
            a.sends(.pubAck("m1"))
            a.takes("t", "3", [.messageExpiryInterval(97)])
            a.getsNothing()
        }
        Exchange(
            "once sent, a message does not expire: it is sent again and completed", v5: ["4.3.3-7", "4.3.3-13"],
            traps: [39]
        ) {
            a.connects(kept: true)
            a.subscribes("t", qos: 2)
            b.connects()
            b.sends(.publish("t", "x", qos: 2, id: 1, [.messageExpiryInterval(5)]))
            b.gets(.pubRec(1))
            a.gets(.publish("t", "x", qos: 2, id: "m", [.messageExpiryInterval(5)]))
            passes(.seconds(3))
            a.sends(.pubRec("m"))
            a.gets(.pubRel("m"))
            passes(.seconds(100))
            b.sends(.pubRel(1))
            b.gets(.pubComp(1))
            a.sends(.pubComp("m"))
            a.getsNothing()
        }
        Exchange(
            "a message that was sent before it expired is sent again after it did", v5: ["4.4.0-1", "4.3.3-7"],
            traps: [39]
        ) {
            a.connects(kept: true)
            a.subscribes("t", qos: 2)
            b.connects()
            b.publishes("t", "1", [.messageExpiryInterval(5)])
            b.sends(.publish("t", "2", qos: 2, id: 1, [.messageExpiryInterval(5)]))
            b.gets(.pubRec(1))
            a.gets(
                .publish("t", "1", qos: 1, id: "m1", [.messageExpiryInterval(5)]),
                .publish("t", "2", qos: 2, id: "m2", [.messageExpiryInterval(5)]))
            a.drops()
            passes(.seconds(100))
            a.connects(kept: true, present: true)
            a.gets(
                .publish("t", "1", qos: 1, id: "m1", dup: true, [.messageExpiryInterval(0)]),
                .publish("t", "2", qos: 2, id: "m2", dup: true, [.messageExpiryInterval(0)]))
        }
        Exchange("a will expires like any message", v5: ["3.3.2-5"], traps: [39, 46]) {
            a.connects(kept: true)
            a.subscribes("w", qos: 1)
            a.disconnects()
            b.connects(will: .will("w", "x", qos: 1, [.messageExpiryInterval(5)]))
            b.drops()
            passes(.seconds(6))
            a.connects(kept: true, present: true)
            a.getsNothing()
        }
        Exchange("an expiry interval of 0 reaches who is there", versions: .v5, traps: [39]) {
            a.connects()
            a.subscribes("t")
            a.sends(.publish("t", "x", [.messageExpiryInterval(0)]), .pingReq)
            // Whether a message without life time is delivered is not said; that it ends nothing is.
            a.mayGet(.publish("t", "x", [.messageExpiryInterval(0)]))
            a.gets(.pingResp)
        }
    }

    @ExchangeList private static var inboundAliases: [Exchange] {
        Exchange(
            "every alias up to the server's maximum is taken, set anew, and never passed on",
            v5: ["3.3.2-12", "3.3.2-7"], traps: [40]
        ) {
            b.connects()
            b.subscribes("#")
            a.connects()
            for alias in [UInt16(1), 2, 63, 64] {
                a.sends(.publish(Text("t\(alias)"), "1", [.topicAlias(alias)]))
                a.sends(.publish("", "2", [.topicAlias(alias)]))
                b.gets(.publish(Text("t\(alias)"), "1"), .publish(Text("t\(alias)"), "2"))
            }
            a.sends(.publish("other", "3", [.topicAlias(1)]), .publish("", "4", qos: 1, id: 9, [.topicAlias(1)]))
            b.gets(.publish("other", "3"), .publish("other", "4"))
            a.gets(.pubAck(9))
            a.sends(.publish("", "5", [.topicAlias(2)]))
            b.gets(.publish("t2", "5"))
        }
        for (what, alias) in [("0", UInt16(0)), ("65", 65), ("65535", 65_535)] {
            Exchange(
                "topic alias \(what) is invalid", v5: ["3.3.2-8", "3.3.2-9", "3.2.2-17"], traps: [40]
            ) {
                a.connects()
                a.sends(.publish("t", "x", [.topicAlias(alias)]))
                a.isRefused(0x94)
            }
        }
        Exchange(
            "without a maximum of the server any alias is invalid", v5: ["3.2.2-18"], traps: [40],
            options: { $0.limits.topicAliasMaximum = 0 }
        ) {
            a.requests()
            a.gets(.connAck(0, absent: []))
            a.sends(.publish("t", "x", [.topicAlias(1)]))
            a.isRefused(0x94)
        }
        Exchange("an alias without a topic is an error", v5: ["3.3.2-8"], traps: [40]) {
            a.connects()
            a.sends(.publish("", "x", [.topicAlias(1)]))
            a.isRefused(0x82, 0x94)
        }
        Exchange("an alias ends with its connection", v5: ["3.3.2-7"], traps: [40]) {
            a.connects(kept: true)
            a.sends(.publish("t", "x", [.topicAlias(1)]))
            a.disconnects()
            a.connects(kept: true, present: true)
            a.sends(.publish("", "x", [.topicAlias(1)]))
            a.isRefused(0x82, 0x94)
        }
        Exchange("aliases of different clients are different", v5: ["3.3.2-7"], traps: [40]) {
            c.connects()
            c.subscribes("#")
            a.connects()
            b.connects()
            a.sends(.publish("a", "1", [.topicAlias(1)]), .pingReq)
            a.gets(.pingResp)
            b.sends(.publish("b", "2", [.topicAlias(1)]), .publish("", "3", [.topicAlias(1)]))
            c.gets(.publish("a", "1"), .publish("b", "2"), .publish("b", "3"))
        }
    }

    @ExchangeList private static var outboundAliases: [Exchange] {
        Exchange(
            "towards a client that allows one, the first message sets the alias and later ones carry it alone",
            v5: ["3.1.2-26", "3.3.2-11", "3.3.2-8"], traps: [40]
        ) {
            a.connects([.topicAliasMaximum(1)])
            a.subscribes("#", qos: 1)
            b.connects()
            b.sends(.publish("topic/1", "1"), .publish("topic/1", "2"))
            a.gets(.publish("topic/1", "1", alias: 1), .publish("", "2", alias: 1))
            b.publishes("topic/1", "3")
            a.gets(.publish("", "3", qos: 1, id: "m", alias: 1))
            // No second alias is allowed: other topics come in full.
            b.sends(.publish("topic/2", "4"))
            a.gets(.publish("topic/2", "4"))
        }
        Exchange("a client that allows no aliases gets none", v5: ["3.1.2-27", "3.1.2-26"], traps: [40]) {
            a.connects()
            a.subscribes("t")
            b.connects([.topicAliasMaximum(0)])
            b.subscribes("t")
            for _ in 1...3 {
                b.sends(.publish("t", "x"))
                a.gets(.publish("t", "x"))
                b.gets(.publish("t", "x"))
            }
        }
        Exchange(
            "outbound aliases end with their connection, and a message sent again has its topic", v5: ["3.3.2-7"],
            traps: [40, 30]
        ) {
            a.connects(kept: true, [.topicAliasMaximum(10)])
            a.subscribes("t", qos: 1)
            b.connects()
            b.publishes("t", "1")
            b.publishes("t", "2")
            a.gets(.publish("t", "1", qos: 1, id: "m1", alias: 1), .publish("", "2", qos: 1, id: "m2", alias: 1))
            a.drops()
            a.connects(kept: true, present: true)
            a.gets(.publish("t", "1", qos: 1, id: "m1", dup: true), .publish("t", "2", qos: 1, id: "m2", dup: true))
        }
    }
}
