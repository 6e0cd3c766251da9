import MQTTModel

/// Shared subscriptions (5.0 section 4.8.2).
extension Exchange {
    @ExchangeList static var sharedSubscriptions: [Exchange] {
        for filter in ["$share//x", "$share/a", "$share/a+/x", "$share/a#/x", "$share/a/", "$share/a/x/#/y"] {
            Exchange(
                "\(filter) is no shared subscription", v5: ["4.8.2-1", "4.8.2-2"], traps: [49]
            ) {
                a.connects()
                a.sends(.subscribe(.filter(Text(filter))))
                a.isRefused(0x81, 0x82)
            }
        }
        Exchange("No Local on a shared subscription is an error", v5: ["3.8.3-4"], traps: [49]) {
            a.connects()
            a.sends(.subscribe(.filter("$share/s/t", noLocal: true)))
            a.isRefused(0x82)
        }
        Exchange("a message goes to one member, and in turn", v5: ["4.8.2-1", "4.8.2-2"], traps: [49]) {
            a.connects()
            a.subscribes("$share/s/t/+")
            b.connects()
            b.subscribes("$share/s/t/+")
            c.connects()
            c.sends(.publish("t/1", "x"), .publish("t/1", "x"), .pingReq)
            c.gets(.pingResp)
            a.gets(.publish("t/1", "x"))
            b.gets(.publish("t/1", "x"))
            a.getsNothing()
            b.getsNothing()
        }
        Exchange("groups, and ordinary subscriptions, each get the message", v5: ["4.5.0-1", "3.3.4-3"], traps: [49]) {
            a.connects()
            a.subscribes("$share/one/t", [.subscriptionIdentifier(1)])
            b.connects()
            b.subscribes("$share/two/t", [.subscriptionIdentifier(2)])
            c.connects()
            c.subscribes("t", [.subscriptionIdentifier(3)])
            c.sends(.publish("t", "x"))
            a.gets(.publish("t", "x", identifiers: [1]))
            b.gets(.publish("t", "x", identifiers: [2]))
            c.gets(.publish("t", "x", identifiers: [3]))
            c.getsNothing()
        }
        Exchange("a publisher may be the member that gets its message", versions: .v5, traps: [49]) {
            a.connects()
            a.subscribes("$share/s/t")
            a.sends(.publish("t", "x"))
            a.gets(.publish("t", "x"))
        }
        Exchange("each member gets messages at the QoS granted to it", v5: ["4.8.2-3"], traps: [49]) {
            a.connects()
            a.subscribes("$share/s/t", qos: 0)
            b.connects()
            b.subscribes("$share/s/t", qos: 1)
            c.connects()
            c.sends(.publish("t", "x", qos: 2, id: 1), .publish("t", "x", qos: 2, id: 2))
            c.gets(.pubRec(1), .pubRec(2))
            a.gets(.publish("t", "x", qos: 0))
            b.gets(.publish("t", "x", qos: 1, id: "m"))
            a.getsNothing()
            b.getsNothing()
        }
        Exchange("a shared subscription gets no retained messages", v5: ["3.8.4-4"], traps: [45, 49]) {
            c.connects()
            c.publishes("t", "x", retain: true)
            a.connects()
            a.subscribes("$share/s/t", qos: 1)
            a.getsNothing()
            c.publishes("t", "live", retain: true)
            a.takes("t", "live")
        }
        Exchange("a shared subscription ends with UNSUBSCRIBE", v5: ["3.10.4-1"]) {
            a.connects()
            a.subscribes("$share/s/t")
            a.sends(.unsubscribe("$share/other/t", "t", id: 1))
            a.gets(.unsubAck(1, [0x11, 0x11]))
            a.unsubscribes("$share/s/t")
            a.sends(.publish("t", "x"))
            a.getsNothing()
        }
        Exchange("a message for a member that is away goes to another", versions: .v5, traps: [49]) {
            a.connects(kept: true)
            a.subscribes("$share/s/t", qos: 1)
            b.connects(kept: true)
            b.subscribes("$share/s/t", qos: 1)
            a.disconnects()
            c.connects()
            c.publishes("t", "1")
            b.takes("t", "1")
            c.publishes("t", "2")
            b.takes("t", "2")
        }
        Exchange("with all members away one of them keeps the message", v5: ["4.5.0-1"], traps: [49]) {
            a.connects(kept: true)
            a.subscribes("$share/s/t", qos: 1)
            a.disconnects()
            c.connects()
            c.publishes("t", "1")
            a.connects(kept: true, present: true)
            a.takes("t", "1")
        }
        Exchange(
            "a QoS 2 delivery to a member that broke off is completed when it comes back", v5: ["4.8.2-4"], traps: [49]
        ) {
            a.connects(kept: true)
            a.subscribes("$share/s/t", qos: 2)
            c.connects()
            c.sends(.publish("t", "x", qos: 2, id: 1))
            c.gets(.pubRec(1))
            a.gets(.publish("t", "x", qos: 2, id: "m"))
            b.connects()
            b.subscribes("$share/s/t", qos: 2)
            a.drops()
            b.getsNothing()
            a.connects(kept: true, present: true)
            a.gets(.publish("t", "x", qos: 2, id: "m", dup: true))
            a.sends(.pubRec("m"))
            a.gets(.pubRel("m"))
            b.getsNothing()
        }
        Exchange(
            "when the session of a member ends, its QoS 2 message goes to no other", v5: ["4.8.2-5"], traps: [49]
        ) {
            a.connects()
            a.subscribes("$share/s/t", qos: 2)
            c.connects()
            c.sends(.publish("t", "x", qos: 2, id: 1))
            c.gets(.pubRec(1))
            a.gets(.publish("t", "x", qos: 2, id: "m"))
            b.connects()
            b.subscribes("$share/s/t", qos: 2)
            a.drops()
            b.getsNothing()
        }
        Exchange(
            "a PUBACK or PUBREC that refuses discards the message; it goes to no other member", v5: ["4.8.2-6"],
            traps: [34, 49]
        ) {
            a.connects()
            a.subscribes("$share/s/t", qos: 2)
            c.connects()
            c.publishes("t", "1")
            c.sends(.publish("t", "2", qos: 2, id: 1))
            c.gets(.pubRec(1))
            a.gets(.publish("t", "1", qos: 1, id: "m1"), .publish("t", "2", qos: 2, id: "m2"))
            b.connects()
            b.subscribes("$share/s/t", qos: 2)
            a.sends(.pubAck("m1", 0x80), .pubRec("m2", 0x97))
            a.getsNothing()
            b.getsNothing()
        }
        Exchange(
            "subscribing again to a shared subscription changes the member's QoS and sends it one copy",
            v5: ["3.8.4-3", "4.8.2-3"], traps: [54]
        ) {
            a.connects()
            a.subscribes("$share/s/t", qos: 0)
            a.subscribes("$share/s/t", qos: 1)
            c.connects()
            c.publishes("t", "1")
            a.takes("t", "1")
            a.getsNothing()
        }
        Exchange(
            "clients of all versions are members of one shared subscription", versions: .both, traps: [49]
        ) {
            a.connects(as: .v3_1_1)
            a.subscribes("$share/s/t")
            b.connects(as: .v5_0)
            b.subscribes("$share/s/t")
            c.connects()
            c.sends(.publish("t", "x"), .publish("t", "x"), .pingReq)
            c.gets(.pingResp)
            a.gets(.publish("t", "x"))
            b.gets(.publish("t", "x"))
            a.getsNothing()
            b.getsNothing()
        }
        Exchange("an error in one group's name is not one of an ordinary topic", versions: .v5, traps: [49]) {
            a.connects()
            a.subscribes("$shared/s/t")
            a.sends(.publish("$shared/s/t", "x"))
            a.gets(.publish("$shared/s/t", "x"))
        }
    }
}
