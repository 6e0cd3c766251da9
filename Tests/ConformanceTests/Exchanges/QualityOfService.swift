import MQTTModel

/// Delivery at QoS 1 and 2 in both directions, and in order (sections 4.3, 4.4 and 4.6).
extension Exchange {
    @ExchangeList static var qualityOfService: [Exchange] {
        receiving
        sending
        redelivery
        order
    }

    @ExchangeList private static var receiving: [Exchange] {
        Exchange(
            "QoS 1: every PUBLISH gets a PUBACK and is a new message, whatever its DUP",
            v3: ["4.3.2-2", "3.3.4-1"], v5: ["4.3.2-4", "4.3.2-5", "3.3.4-1"]
        ) {
            a.connects()
            b.connects()
            b.subscribes("t")
            a.sends(.publish("t", "1", qos: 1, id: 7), .publish("t", "1", qos: 1, id: 7, dup: true))
            a.gets(.pubAck(7), .pubAck(7))
            a.sends(.publish("t", "2", qos: 1, id: 7))
            a.gets(.pubAck(7))
            b.gets(.publish("t", "1"), .publish("t", "1"), .publish("t", "2"))
        }
        Exchange(
            "QoS 2: a repeat before PUBREL gets PUBREC and is not passed on, after PUBCOMP it is a new message",
            v3: ["4.3.3-2", "3.3.4-1"], v5: ["4.3.3-8", "4.3.3-10", "4.3.3-11", "4.3.3-12", "3.3.4-1"], traps: [33]
        ) {
            a.connects()
            b.connects()
            b.subscribes("t")
            a.sends(.publish("t", "1", qos: 2, id: 7))
            a.gets(.pubRec(7))
            a.sends(.publish("t", "1", qos: 2, id: 7, dup: true), .publish("t", "another", qos: 2, id: 7))
            a.gets(.pubRec(7), .pubRec(7))
            a.sends(.pubRel(7))
            a.gets(.pubComp(7))
            a.sends(.pubRel(7))
            a.gets(.pubComp(7, [0x92]))
            a.sends(.publish("t", "2", qos: 2, id: 7, dup: true))
            a.gets(.pubRec(7))
            b.gets(.publish("t", "1"), .publish("t", "2"))
            b.getsNothing()
        }
        Exchange(
            "QoS 2: a repeat after a reconnect is not passed on again", v3: ["4.3.3-2", "4.1.0-1"], v5: ["4.3.3-10"],
            traps: [33]
        ) {
            b.connects()
            b.subscribes("t")
            a.connects(kept: true)
            a.sends(.publish("t", "1", qos: 2, id: 7))
            a.gets(.pubRec(7))
            a.drops()
            a.connects(kept: true, present: true)
            a.sends(.publish("t", "1", qos: 2, id: 7, dup: true))
            a.gets(.pubRec(7))
            a.sends(.pubRel(7))
            a.gets(.pubComp(7))
            b.gets(.publish("t", "1"))
            b.getsNothing()
        }
        Exchange("QoS 2: PUBREL after a reconnect is completed", v3: ["4.3.3-2"], v5: ["4.3.3-11"], traps: [33]) {
            a.connects(kept: true)
            a.sends(.publish("t", "1", qos: 2, id: 7))
            a.gets(.pubRec(7))
            a.drops()
            a.connects(kept: true, present: true)
            a.sends(.pubRel(7))
            a.gets(.pubComp(7))
        }
        Exchange("QoS 2: a session that ended has forgotten its identifiers", v3: ["3.1.2-6"], v5: ["3.1.2-4"]) {
            b.connects()
            b.subscribes("t")
            a.connects(kept: true)
            a.sends(.publish("t", "1", qos: 2, id: 7))
            a.gets(.pubRec(7))
            a.drops()
            a.connects(clean: true)
            a.sends(.publish("t", "2", qos: 2, id: 7, dup: true))
            a.gets(.pubRec(7))
            b.gets(.publish("t", "1"), .publish("t", "2"))
        }
        Exchange(
            "QoS 2: after a PUBREC that refuses, the identifier is free", v5: ["4.3.3-9"]
        ) {
            a.connects()
            b.connects()
            b.subscribes("t")
            a.sends(.publish("$SYS/x", "x", qos: 2, id: 7))
            a.gets(.pubRec(7, [0x87, 0x90]))
            a.sends(.publish("t", "1", qos: 2, id: 7))
            a.gets(.pubRec(7))
            b.gets(.publish("t", "1"))
        }
        Exchange("PUBREL with 0x92 is answered all the same", v5: ["4.3.3-11"], traps: [21]) {
            a.connects()
            a.sends(.publish("t", "1", qos: 2, id: 7))
            a.gets(.pubRec(7))
            a.sends(.pubRel(7, 0x92))
            a.gets(.pubComp(7, [0x00, 0x92]))
        }
    }

    @ExchangeList private static var sending: [Exchange] {
        Exchange(
            "QoS 2 towards a subscriber: PUBLISH, PUBREC, PUBREL, PUBCOMP with one identifier",
            v3: ["4.3.3-1", "2.3.1-6"], v5: ["4.3.3-1", "4.3.3-2", "4.3.3-4", "2.2.1-5"]
        ) {
            a.connects()
            a.subscribes("t", qos: 2)
            b.connects()
            b.publishesExactlyOnce("t", "x", id: 99)
            a.gets(.publish("t", "x", qos: 2, id: "m"))
            a.sends(.pubRec("m"))
            a.gets(.pubRel("m"))
            a.sends(.pubRec("m"))
            a.gets(.pubRel("m"))
            a.sends(.pubComp("m"))
            a.getsNothing()
        }
        for (what, packet) in [
            ("PUBREC", ClientPacket.pubRec("m")), ("PUBCOMP", .pubComp("m")),
        ] {
            Exchange("\(what) for a QoS 1 message is an error", v3: ["4.8.0-1"], v5: ["4.13.1-1"], traps: [22]) {
                a.connects()
                a.subscribes("t", qos: 1)
                b.connects()
                b.publishes("t", "x")
                a.gets(.publish("t", "x", qos: 1, id: "m"))
                a.sends(packet)
                a.isRefused(0x82)
            }
        }
        for (what, packet) in [
            ("PUBACK", ClientPacket.pubAck("m")), ("PUBCOMP before PUBREC", .pubComp("m")),
        ] {
            Exchange("\(what) for a QoS 2 message is an error", v3: ["4.8.0-1"], v5: ["4.13.1-1"], traps: [22]) {
                a.connects()
                a.subscribes("t", qos: 2)
                b.connects()
                b.sends(.publish("t", "x", qos: 2, id: 1))
                b.gets(.pubRec(1))
                a.gets(.publish("t", "x", qos: 2, id: "m"))
                a.sends(packet)
                a.isRefused(0x82)
            }
        }
        Exchange(
            "nothing is sent again while the client is connected", v3: ["4.4.0-1"],
            v5: ["4.4.0-1", "4.3.2-3", "4.3.3-3"],
            traps: [30]
        ) {
            a.connects()
            a.subscribes("t", qos: 2)
            b.connects()
            b.publishes("t", "1")
            b.sends(.publish("t", "2", qos: 2, id: 99))
            b.gets(.pubRec(99))
            a.gets(.publish("t", "1", qos: 1, id: "m1"), .publish("t", "2", qos: 2, id: "m2"))
            a.sends(.pubRec("m2"))
            a.gets(.pubRel("m2"))
            passes(.seconds(86_400))
            a.getsNothing()
        }
        Exchange(
            "a PUBACK or PUBREC of 0x80 or more ends the delivery", v5: ["4.4.0-2", "4.3.3-4"], traps: [34]
        ) {
            a.connects(kept: true, [.receiveMaximum(1)])
            a.subscribes("t", qos: 2)
            b.connects()
            b.publishes("t", "1")
            b.sends(.publish("t", "2", qos: 2, id: 9))
            b.gets(.pubRec(9))
            b.publishes("t", "3")
            a.gets(.publish("t", "1", qos: 1, id: "m1"))
            a.getsNothing()
            a.sends(.pubAck("m1", 0x97))
            a.gets(.publish("t", "2", qos: 2, id: "m2"))
            a.sends(.pubRec("m2", 0x83))
            a.gets(.publish("t", "3", qos: 1, id: "m3"))
            a.getsNothing()
            a.sends(.pubAck("m3"))
            a.drops()
            a.connects(kept: true, present: true)
            a.getsNothing()
        }
    }

    @ExchangeList private static var redelivery: [Exchange] {
        Exchange(
            "after a reconnect an unacknowledged PUBLISH comes again with DUP and its identifier",
            v3: ["4.4.0-1", "3.3.1-1", "2.3.1-3", "2.3.1-4", "4.3.2-1"],
            v5: ["4.4.0-1", "3.3.1-1", "4.3.2-3", "4.3.3-3", "4.3.2-2"], traps: [30]
        ) {
            a.connects(kept: true)
            a.subscribes("t", qos: 2)
            b.connects()
            b.publishes("t", "1")
            b.sends(.publish("t", "2", qos: 2, id: 9))
            b.gets(.pubRec(9))
            a.gets(.publish("t", "1", qos: 1, id: "m1"), .publish("t", "2", qos: 2, id: "m2"))
            a.drops()
            a.connects(kept: true, present: true)
            a.gets(.publish("t", "1", qos: 1, id: "m1", dup: true), .publish("t", "2", qos: 2, id: "m2", dup: true))
            a.sends(.pubAck("m1"), .pubRec("m2"))
            a.gets(.pubRel("m2"))
            a.sends(.pubComp("m2"))
            a.drops()
            a.connects(kept: true, present: true)
            a.getsNothing()
        }
        Exchange(
            "after PUBREC it is PUBREL that comes again, never PUBLISH", v3: ["4.4.0-1", "4.3.3-1"],
            v5: ["4.4.0-1", "4.3.3-5", "4.3.3-6"], traps: [30]
        ) {
            a.connects(kept: true)
            a.subscribes("t", qos: 2)
            b.connects()
            b.sends(.publish("t", "x", qos: 2, id: 9))
            b.gets(.pubRec(9))
            a.gets(.publish("t", "x", qos: 2, id: "m"))
            a.sends(.pubRec("m"))
            a.gets(.pubRel("m"))
            a.drops()
            a.connects(kept: true, present: true)
            a.gets(.pubRel("m"))
            a.sends(.pubComp("m"))
            a.getsNothing()
        }
        Exchange(
            "a message that had not been sent comes without DUP", v3: ["3.3.1-1", "3.3.1-3"],
            v5: ["3.3.1-1", "3.3.1-3"], traps: [30]
        ) {
            a.connects(kept: true)
            a.subscribes("t", qos: 1)
            a.drops()
            b.connects()
            b.sends(.publish("t", "x", qos: 1, id: 3, dup: true))
            b.gets(.pubAck(3))
            a.connects(kept: true, present: true)
            a.gets(.publish("t", "x", qos: 1, id: "m"))
            a.drops()
            a.connects(kept: true, present: true)
            a.gets(.publish("t", "x", qos: 1, id: "m", dup: true))
        }
        Exchange(
            "a clean start forgets what was not acknowledged", v3: ["3.1.2-6"], v5: ["3.1.2-4"]
        ) {
            a.connects(kept: true)
            a.subscribes("t", qos: 1)
            b.connects()
            b.publishes("t", "x")
            a.gets(.publish("t", "x", qos: 1, id: "m"))
            a.drops()
            a.connects(clean: true)
            a.getsNothing()
        }
    }

    @ExchangeList private static var order: [Exchange] {
        Exchange(
            "messages of one publisher arrive in the order sent", v3: ["4.6.0-5", "4.6.0-6"],
            v5: ["4.6.0-5", "4.6.0-6"]
        ) {
            a.connects()
            a.subscribes("t/+", qos: 1)
            b.connects()
            for number in 1...5 {
                b.sends(.publish("t/1", Text("\(number)"), qos: 1, id: .number(UInt16(number))))
                b.sends(.publish("t/1", Text("zero \(number)")))
            }
            b.gets(.pubAck(1), .pubAck(2), .pubAck(3), .pubAck(4), .pubAck(5))
            for number in 1...5 {
                a.gets(.publish("t/1", Text("\(number)"), qos: 1, id: .named("m\(number)")))
                a.gets(.publish("t/1", Text("zero \(number)")))
            }
        }
        Exchange(
            "PUBACKs, PUBRECs and PUBRELs come in the order of what they answer",
            v3: ["4.6.0-2", "4.6.0-3", "4.6.0-4"], v5: ["4.6.0-2", "4.6.0-3", "4.6.0-4"]
        ) {
            a.connects()
            a.sends(
                .publish("t", "x", qos: 1, id: 3), .publish("t", "x", qos: 1, id: 1), .publish("t", "x", qos: 1, id: 2))
            a.gets(.pubAck(3), .pubAck(1), .pubAck(2))
            a.sends(.publish("t", "x", qos: 2, id: 6), .publish("t", "x", qos: 2, id: 5))
            a.gets(.pubRec(6), .pubRec(5))
            a.sends(.pubRel(5), .pubRel(6))
            a.gets(.pubComp(5), .pubComp(6))
            a.subscribes("s", qos: 2)
            b.connects()
            b.sends(.publish("s", "1", qos: 2, id: 1), .publish("s", "2", qos: 2, id: 2))
            b.gets(.pubRec(1), .pubRec(2))
            a.gets(.publish("s", "1", qos: 2, id: "m1"), .publish("s", "2", qos: 2, id: "m2"))
            a.sends(.pubRec("m2"), .pubRec("m1"))
            a.gets(.pubRel("m2"), .pubRel("m1"))
        }
        Exchange(
            "after a reconnect the messages in flight come first, in their order, then the queue",
            v3: ["4.6.0-1", "4.6.0-6"], v5: ["4.6.0-1", "4.6.0-5"], traps: [32]
        ) {
            a.connects(kept: true)
            a.subscribes("t", qos: 1)
            b.connects()
            b.publishes("t", "1")
            b.publishes("t", "2")
            b.publishes("t", "3")
            a.gets(
                .publish("t", "1", qos: 1, id: "m1"), .publish("t", "2", qos: 1, id: "m2"),
                .publish("t", "3", qos: 1, id: "m3"))
            a.sends(.pubAck("m2"))
            a.getsNothing()
            a.drops()
            b.publishes("t", "4")
            b.publishes("t", "5")
            a.connects(kept: true, present: true)
            a.gets(
                .publish("t", "1", qos: 1, id: "m1", dup: true), .publish("t", "3", qos: 1, id: "m3", dup: true),
                .publish("t", "4", qos: 1, id: "m4"), .publish("t", "5", qos: 1, id: "m5"))
        }
        Exchange(
            "after a reconnect with a small receive maximum the order stays", v5: ["4.6.0-1", "4.6.0-5"],
            traps: [32, 35]
        ) {
            a.connects(kept: true)
            a.subscribes("t", qos: 1)
            b.connects()
            b.publishes("t", "1")
            b.publishes("t", "2")
            a.gets(.publish("t", "1", qos: 1, id: "m1"), .publish("t", "2", qos: 1, id: "m2"))
            a.drops()
            b.publishes("t", "3")
            a.connects(kept: true, present: true, [.receiveMaximum(1)])
            a.gets(.publish("t", "1", qos: 1, id: "m1", dup: true))
            a.getsNothing()
            a.sends(.pubAck("m1"))
            a.gets(.publish("t", "2", qos: 1, id: "m2", dup: true))
            a.sends(.pubAck("m2"))
            a.gets(.publish("t", "3", qos: 1, id: "m3"))
        }
    }
}
