import BrokerCore
import MQTTModel

/// SUBSCRIBE, SUBACK, UNSUBSCRIBE and UNSUBACK (sections 3.8 to 3.11), PINGREQ (section 3.12).
extension Exchange {
    @ExchangeList static var subscribe: [Exchange] {
        subscribeForm
        subscribing
        delivering
        noLocal
        unsubscribing
        Exchange("PINGREQ is answered by PINGRESP", v3: ["3.12.4-1"], v5: ["3.12.4-1"]) {
            a.connects()
            a.sends(.pingReq)
            a.gets(.hex("D0 00"))
        }
    }

    @ExchangeList private static var subscribeForm: [Exchange] {
        Exchange("SUBSCRIBE without a filter is an error", v3: ["3.8.3-3"], v5: ["3.8.3-2"], traps: [27]) {
            a.connects()
            a.sends(.subscribe())
            a.isRefused(0x82)
        }
        Exchange("UNSUBSCRIBE without a filter is an error", v3: ["3.10.3-2"], v5: ["3.10.3-2"], traps: [27]) {
            a.connects()
            a.sends(.unsubscribe())
            a.isRefused(0x82)
        }
        for options: UInt8 in [0x03, 0x04, 0x40, 0x80, 0xFC] {
            Exchange("requested QoS byte \([options].hexDigits) is malformed in 3.1.1", v3: ["3.8.3-4"], traps: [26]) {
                a.connects()
                a.sends(.subscribe(.filter("t", options: options)))
                a.isClosed()
            }
        }
        for options: UInt8 in [0x40, 0x80, 0x30, 0x03] {
            Exchange(
                "subscription options \([options].hexDigits) are malformed", v5: ["3.8.3-5"], traps: [26, 27]
            ) {
                a.connects()
                a.sends(.subscribe(.filter("t", options: options)))
                a.isRefused(0x81, 0x82)
            }
        }
        for (what, digits, codes) in [
            ("subscription identifier 0", "0B 00", [UInt8(0x82)]),
            ("two subscription identifiers", "0B 01 0B 02", [0x82]),
            ("a subscription identifier of five bytes", "0B 80 80 80 80 01", [0x81]),
            ("a topic alias", "23 00 01", [0x82]),
        ] {
            Exchange("SUBSCRIBE with \(what) is an error", v5: ["4.13.1-1"], traps: [10, 29]) {
                a.connects()
                a.sends(.subscribe(.filter("t"), id: 1, .hex(digits)))
                a.isRefusedWith(codes)
            }
        }
        for filter in ["a/b#", "a+/b", "#/a", "a/#/b", "+a", "##", "a/++", ""] {
            Exchange(
                "the filter \"\(filter)\" is no filter", v3: ["4.7.1-2", "4.7.1-3", "4.7.3-1"],
                v5: ["4.7.1-1", "4.7.1-2", "4.7.3-1"], traps: [44]
            ) {
                a.connects()
                a.sends(.subscribe(.filter(Text(filter))))
                a.isRefused(0x81)
            }
        }
        Exchange("an invalid filter in UNSUBSCRIBE ends the connection", v3: ["4.7.1-2"], v5: ["4.7.1-1"], traps: [44])
        {
            a.connects()
            a.sends(.unsubscribe("a/#/b"))
            a.isRefused(0x81)
        }
        Exchange("a filter of 65535 bytes is accepted", v3: ["4.7.3-3"], v5: ["4.7.3-3"]) {
            a.connects()
            a.sends(.subscribe(.filter(.long(65_535))))
            a.gets(.subAck(1, [0]))
        }
    }

    @ExchangeList private static var subscribing: [Exchange] {
        Exchange(
            "SUBACK answers SUBSCRIBE with its identifier and a code for each filter, in order",
            v3: ["3.8.4-1", "3.8.4-2", "3.8.4-4", "3.8.4-5", "3.9.3-1", "3.9.3-2"],
            v5: ["3.8.4-1", "3.8.4-2", "3.8.4-5", "3.8.4-6", "3.8.4-7", "3.9.3-1", "3.9.3-2"]
        ) {
            a.connects()
            a.sends(.subscribe(.filter("a", qos: 1), .filter("b/+", qos: 0), .filter("c/#", qos: 2), id: 0x1234))
            a.gets(.subAck(0x1234, [1, 0, 2]))
            a.sends(.publish("c", "3"), .publish("b/x", "2"), .publish("a", "1"))
            a.gets(.publish("c", "3"), .publish("b/x", "2"), .publish("a", "1"))
        }
        Exchange(
            "subscribing again replaces the subscription: its QoS and its identifier", v3: ["3.8.4-3"],
            v5: ["3.8.4-3"], traps: [54]
        ) {
            a.connects()
            a.subscribes("t", qos: 0, [.subscriptionIdentifier(1)])
            b.connects()
            b.publishes("t", "1")
            only(.v3) { a.gets(.publish("t", "1", qos: 0)) }
            only(.v5) { a.gets(.publish("t", "1", qos: 0, identifiers: [1])) }
            a.subscribes("t", qos: 1, [.subscriptionIdentifier(2)])
            b.publishes("t", "2")
            only(.v3) { a.takes("t", "2") }
            only(.v5) { a.takes("t", "2", identifiers: [2]) }
            a.subscribes("t", qos: 1)
            b.publishes("t", "3")
            a.takes("t", "3")
            a.unsubscribes("t")
            b.publishes("t", "4")
            a.getsNothing()
        }
        Exchange(
            "subscribing again loses no messages", v3: ["3.8.4-3"], v5: ["3.8.4-4"], traps: [54]
        ) {
            a.connects(kept: true)
            a.subscribes("t", qos: 1)
            b.connects()
            b.publishes("t", "1")
            a.gets(.publish("t", "1", qos: 1, id: "m1"))
            a.subscribes("t", qos: 2)
            b.publishes("t", "2")
            a.gets(.publish("t", "2", qos: 1, id: "m2"))
            a.drops()
            a.connects(kept: true, present: true)
            a.gets(.publish("t", "1", qos: 1, id: "m1", dup: true), .publish("t", "2", qos: 1, id: "m2", dup: true))
        }
        Exchange(
            "the same filter twice in one SUBSCRIBE is processed in order", v3: ["3.8.4-4"], v5: ["3.8.4-5"],
            traps: [54]
        ) {
            b.connects()
            b.publishes("t", "kept", retain: true)
            a.connects()
            a.sends(.subscribe(.filter("t", qos: 2), .filter("t", qos: 0)))
            a.gets(.subAck(1, [2, 0]))
            a.gets(.publish("t", "kept", qos: 1, id: "m", retain: true), .publish("t", "kept", qos: 0, retain: true))
            a.sends(.pubAck("m"))
            b.publishes("t", "x")
            a.gets(.publish("t", "x", qos: 0))
            a.getsNothing()
        }
        Exchange(
            "a subscription that is refused gets 0x80, or 0x97 in 5.0, and the others are made",
            v3: ["3.9.3-2", "3.8.4-5"], v5: ["3.9.3-2", "3.8.4-7"], traps: [52],
            options: { $0.limits.maximumSubscriptionsPerSession = 2 }
        ) {
            a.connects()
            a.sends(.subscribe(.filter("1"), .filter("2"), .filter("3"), .filter("1", qos: 1)))
            a.gets(.subAck(1, [0, 0, 0x97, 1]))
            a.sends(.publish("3", "x"), .publish("2", "y"))
            a.gets(.publish("2", "y"))
            a.getsNothing()
        }
    }

    @ExchangeList private static var delivering: [Exchange] {
        Exchange(
            "a message is delivered at the lower of its own QoS and the granted one",
            v3: ["3.8.4-6"], v5: ["3.8.4-8"]
        ) {
            for granted in UInt8(0)...2 {
                a.connects()
                a.subscribes("t", qos: granted)
                b.connects()
                b.sends(.publish("t", "0", qos: 0))
                b.publishes("t", "1")
                b.publishesExactlyOnce("t", "2", id: 9)
                a.gets(
                    .publish("t", "0", qos: 0), .publish("t", "1", qos: min(granted, 1), id: granted > 0 ? "m1" : nil))
                a.gets(.publish("t", "2", qos: min(granted, 2), id: granted > 0 ? "m2" : nil))
                a.disconnects()
                b.disconnects()
            }
        }
        Exchange(
            "a message goes to every client with a matching subscription", v3: ["4.5.0-1", "3.3.2-3"],
            v5: ["4.5.0-1", "3.3.2-3"]
        ) {
            a.connects()
            a.subscribes("x/y", qos: 1)
            b.connects(kept: true)
            b.subscribes("x/+", qos: 1)
            b.disconnects()
            c.connects()
            c.subscribes("z", qos: 1)
            c.publishes("x/y", "1")
            a.takes("x/y", "1")
            b.connects(kept: true, present: true)
            b.takes("x/y", "1")
            c.getsNothing()
        }
        Exchange(
            "overlapping subscriptions give one copy at the highest QoS", v3: ["3.3.5-1"], v5: ["3.3.4-2"],
            traps: [42]
        ) {
            a.connects()
            a.subscribes("t/+", qos: 0)
            a.subscribes("t/#", qos: 2)
            a.subscribes("t/x", qos: 1)
            b.connects()
            b.publishesExactlyOnce("t/x", "1", id: 3)
            a.gets(.publish("t/x", "1", qos: 2, id: "m"))
            a.sends(.pubRec("m"))
            a.gets(.pubRel("m"))
            a.sends(.pubComp("m"))
            a.getsNothing()
        }
        Exchange(
            "one copy has the identifiers of all subscriptions that match", v5: ["3.3.4-3", "3.3.4-4"],
            traps: [42]
        ) {
            a.connects()
            a.subscribes("t/+", qos: 0, [.subscriptionIdentifier(7)])
            a.subscribes("t/#", qos: 1, [.subscriptionIdentifier(268_435_455)])
            a.subscribes("t/x", qos: 0)
            a.subscribes("u", qos: 0, [.subscriptionIdentifier(9)])
            b.connects()
            b.publishes("t/x", "1")
            a.takes("t/x", "1", identifiers: [7, 268_435_455])
            b.sends(.publish("t/x/y", "2"))
            a.gets(.publish("t/x/y", "2", identifiers: [268_435_455]))
            a.getsNothing()
        }
        Exchange("subscription identifiers are kept with the session", v5: ["3.3.4-3"], traps: [42]) {
            a.connects(kept: true)
            a.subscribes("t", qos: 1, [.subscriptionIdentifier(5)])
            a.disconnects()
            b.connects()
            b.publishes("t", "1")
            a.connects(kept: true, present: true)
            a.takes("t", "1", identifiers: [5])
            b.publishes("t", "2")
            a.takes("t", "2", identifiers: [5])
        }
    }

    @ExchangeList private static var noLocal: [Exchange] {
        Exchange("with No Local a client does not get its own messages, others do", v5: ["3.8.3-3"], traps: [50]) {
            a.connects()
            a.subscribes("t", qos: 1, noLocal: true)
            b.connects()
            b.subscribes("t", qos: 0)
            a.publishes("t", "own")
            b.gets(.publish("t", "own"))
            b.sends(.publish("t", "other", qos: 1, id: 3))
            b.getsInAnyOrder(.pubAck(3), .publish("t", "other"))
            a.takes("t", "other")
            a.getsNothing()
        }
        Exchange("No Local counts for retained messages that the client itself publishes", v5: ["3.8.3-3"], traps: [50])
        {
            a.connects()
            a.subscribes("t", qos: 1, noLocal: true)
            a.publishes("t", "own", retain: true)
            a.getsNothing()
        }
        Exchange(
            "No Local counts for retained messages when subscribing, and others' are sent", v5: ["3.8.3-3"],
            traps: [50]
        ) {
            a.connects()
            a.publishes("own", "x", retain: true)
            b.connects()
            b.publishes("other", "y", retain: true)
            a.subscribes("+", qos: 1, noLocal: true)
            a.takes("other", "y", retain: true)
            a.getsNothing()
        }
        Exchange("No Local is kept with the session", v5: ["3.8.3-3"], traps: [50]) {
            a.connects(kept: true)
            a.subscribes("t", qos: 1, noLocal: true)
            a.disconnects()
            a.connects(kept: true, present: true)
            a.publishes("t", "own")
            a.getsNothing()
        }
        Exchange(
            "No Local holds for the client identifier: messages sent before a reconnect", v5: ["3.8.3-3"], traps: [50]
        ) {
            a.connects(kept: true, will: .will("t", "will"))
            a.subscribes("t", qos: 1, noLocal: true)
            a.drops()
            a.connects(kept: true, present: true)
            a.getsNothing()
        }
        Exchange("an overlapping subscription without No Local delivers", v5: ["3.8.3-3"], traps: [42, 50]) {
            a.connects()
            a.subscribes("t", noLocal: true, [.subscriptionIdentifier(1)])
            a.subscribes("#", [.subscriptionIdentifier(2)])
            a.sends(.publish("t", "own"))
            a.gets(.publish("t", "own", identifiers: [2]))
            a.getsNothing()
        }
    }

    @ExchangeList private static var unsubscribing: [Exchange] {
        Exchange(
            "UNSUBACK answers each filter in order, 0x11 where there was no subscription",
            v3: ["3.10.4-5", "3.10.4-6"],
            v5: ["3.10.4-4", "3.10.4-5", "3.10.4-6", "3.11.3-1", "3.11.3-2"], traps: [51]
        ) {
            a.connects()
            a.subscribes("a")
            a.subscribes("c")
            a.sends(.unsubscribe("a", "b", "c", "a", id: 0x4321))
            a.gets(.unsubAck(0x4321, [0x00, 0x11, 0x00, 0x11]))
            a.sends(.publish("a", "x"), .publish("c", "x"))
            a.getsNothing()
        }
        Exchange("UNSUBACK has no payload in 3.1.1", v3: ["3.10.4-4", "3.10.4-5"], traps: [51]) {
            a.connects()
            a.sends(.unsubscribe("no", id: 0x4321))
            a.gets(.hex("B0 02 43 21"))
        }
        Exchange(
            "a filter is compared character by character, not matched", v3: ["3.10.4-1"], v5: ["3.10.4-1"]
        ) {
            a.connects()
            a.subscribes("t/+")
            a.sends(.unsubscribe("t/x", "#", "t/#", "T/+", "t/+/", id: 2))
            a.gets(.unsubAck(2, [0x11, 0x11, 0x11, 0x11, 0x11]))
            a.sends(.publish("t/x", "1"))
            a.gets(.publish("t/x", "1"))
            a.sends(.unsubscribe("t/+", id: 3))
            a.gets(.unsubAck(3, [0x00]))
            a.sends(.publish("t/x", "2"))
            a.getsNothing()
        }
        Exchange(
            "after UNSUBSCRIBE nothing new is delivered, and what had begun is completed",
            v3: ["3.10.4-2", "3.10.4-3"], v5: ["3.10.4-2", "3.10.4-3"]
        ) {
            a.connects(kept: true)
            a.subscribes("t", qos: 2)
            b.connects()
            b.publishes("t", "1")
            b.sends(.publish("t", "2", qos: 2, id: 3))
            b.gets(.pubRec(3))
            a.gets(.publish("t", "1", qos: 1, id: "m1"), .publish("t", "2", qos: 2, id: "m2"))
            a.unsubscribes("t")
            b.publishes("t", "3")
            a.sends(.pubRec("m2"))
            a.gets(.pubRel("m2"))
            a.drops()
            a.connects(kept: true, present: true)
            a.gets(.publish("t", "1", qos: 1, id: "m1", dup: true), .pubRel("m2"))
            a.sends(.pubAck("m1"), .pubComp("m2"))
            a.getsNothing()
        }
    }
}
