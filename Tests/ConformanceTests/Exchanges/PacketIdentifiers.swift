import MQTTModel

/// Packet identifiers and the short forms of acknowledgements (3.1.1 section 2.3.1, 5.0 sections 2.2.1, 3.4 to 3.7).
extension Exchange {
    @ExchangeList static var packetIdentifiers: [Exchange] {
        identifierZero
        identifiersKept
        acknowledgementForms
        unsolicited
    }

    @ExchangeList private static var identifierZero: [Exchange] {
        for (what, packet) in [
            ("PUBLISH", ClientPacket.publish("t", "x", qos: 1, id: 0)),
            ("QoS 2 PUBLISH", .publish("t", "x", qos: 2, id: 0)), ("SUBSCRIBE", .subscribe(.filter("t"), id: 0)),
            ("UNSUBSCRIBE", .unsubscribe("t", id: 0)),
        ] {
            Exchange(
                "packet identifier 0 in \(what) is an error", v3: ["2.3.1-1"], v5: ["2.2.1-3"], traps: [20]
            ) {
                a.connects()
                a.sends(packet)
                a.isRefused(0x81, 0x82)
            }
        }
        for (what, packet) in [
            ("PUBACK", ClientPacket.pubAck(0)), ("PUBREC", .pubRec(0)), ("PUBREL", .pubRel(0)),
            ("PUBCOMP", .pubComp(0)),
        ] {
            Exchange("packet identifier 0 in \(what) is an error", v3: ["4.8.0-1"], v5: ["4.13.1-1"], traps: [20]) {
                a.connects()
                a.sends(packet)
                a.isRefused(0x81, 0x82)
            }
        }
        Exchange("a QoS 0 PUBLISH has no packet identifier", v3: ["2.3.1-5"], v5: ["2.2.1-2"]) {
            a.connects()
            a.subscribes("t")
            // What would be an identifier is payload.
            only(.v3) { a.sends(.hex("30 05 00 01 74 00 07")) }
            only(.v5) { a.sends(.hex("30 06 00 01 74 00 00 07")) }
            only(.v3) { a.gets(.hex("30 05 00 01 74 00 07")) }
            only(.v5) { a.gets(.hex("30 06 00 01 74 00 00 07")) }
        }
    }

    @ExchangeList private static var identifiersKept: [Exchange] {
        Exchange(
            "every acknowledgement repeats the identifier of what it answers",
            v3: ["2.3.1-6", "2.3.1-7", "3.8.4-2", "3.10.4-4"], v5: ["2.2.1-5", "2.2.1-6", "3.8.4-2", "3.10.4-5"]
        ) {
            a.connects()
            a.sends(.subscribe(.filter("t", qos: 1), id: 0xFFFF), .unsubscribe("t", id: 0x0102))
            a.getsInAnyOrder(.subAck(0xFFFF, [1]), .unsubAck(0x0102, [0]))
            a.sends(.publish("t", "x", qos: 1, id: 0xFF01), .publish("t", "x", qos: 2, id: 0x01FF))
            a.gets(.pubAck(0xFF01), .pubRec(0x01FF))
            a.sends(.pubRel(0x01FF))
            a.gets(.pubComp(0x01FF))
        }
        Exchange(
            "messages to a client take identifiers that are not 0 and not in use",
            v3: ["2.3.1-1", "2.3.1-4", "4.3.2-1", "4.3.3-1"], v5: ["2.2.1-4", "4.3.2-1", "4.3.3-1"]
        ) {
            a.connects()
            a.subscribes("t", qos: 2)
            b.connects()
            b.publishes("t", "1")
            a.gets(.publish("t", "1", qos: 1, id: "m1"))
            b.publishesExactlyOnce("t", "2", id: 5)
            a.gets(.publish("t", "2", qos: 2, id: "m2"))
            b.publishes("t", "3")
            // Another than m1 and m2, by the runner's check of names.
            a.gets(.publish("t", "3", qos: 1, id: "m3"))
            a.sends(.pubAck("m1"), .pubAck("m3"), .pubRec("m2"))
            a.gets(.pubRel("m2"))
            a.sends(.pubComp("m2"))
            a.getsNothing()
        }
        Exchange(
            "identifiers of the two directions do not disturb each other", v3: ["2.3.1-4"], v5: ["2.2.1-4"]
        ) {
            a.connects()
            a.subscribes("t", qos: 2)
            a.sends(.publish("t", "x", qos: 2, id: 1))
            a.getsInAnyOrder(.pubRec(1), .publish("t", "x", qos: 2, id: "m"))
            a.sends(.pubRec("m"))
            a.gets(.pubRel("m"))
            a.sends(.pubRel(1))
            a.gets(.pubComp(1))
            a.sends(.pubComp("m"))
            a.getsNothing()
        }
    }

    @ExchangeList private static var acknowledgementForms: [Exchange] {
        Exchange(
            "no properties is a property length of 0, and an answer may leave out what it does not need",
            v5: ["2.2.2-1"], traps: [21]
        ) {
            a.connects()
            a.sends(.hex("82 07 00 07 00 00 01 74 01"))
            a.gets(.hex("90 04 00 07 00 01"))
            a.sends(.hex("32 07 00 01 74 00 09 00 78"))
            a.getsInAnyOrder(.pubAck(9), .publish("t", "x", qos: 1, id: "m"))
            a.sends(.pubAck("m", 0x00, []))
            a.getsNothing()
        }
        Exchange(
            "acknowledgements may leave out the reason code or the property length", v5: ["2.2.2-1", "4.3.3-4"],
            traps: [21]
        ) {
            a.connects()
            a.subscribes("t", qos: 2)
            for (acknowledgement, completion) in [
                (ClientPacket.pubRec("m"), ClientPacket.pubComp("m")), (.pubRec("m", 0), .pubComp("m", 0)),
                (.pubRec("m", 0, []), .pubComp("m", 0, [])),
                (.pubRec("m", 0, [.reasonString("r")]), .pubComp("m", 0, [.userProperty(name: "n", value: "v")])),
                (.pubRec("m", 0x10), .pubComp("m", 0)),
            ] {
                a.sends(.publish("t", "x", qos: 2, id: 3))
                a.getsInAnyOrder(.pubRec(3), .publish("t", "x", qos: 2, id: "m"))
                a.sends(.pubRel(3, 0, []))
                a.gets(.pubComp(3))
                a.sends(acknowledgement)
                a.gets(.pubRel("m"))
                a.sends(completion)
            }
            a.getsNothing()
        }
        Exchange(
            "user properties of a client are accepted in every packet that may have them", v5: ["1.5.7-1", "2.2.2-1"],
            traps: [10]
        ) {
            let users: PropertyList = [.userProperty(name: "n", value: "1"), .userProperty(name: "n", value: "1")]
            b.connects()
            b.subscribes("w")
            a.connects(will: .will("w", "x", users), users)
            a.sends(.subscribe(.filter("t", qos: 2), id: 1, users))
            a.gets(.subAck(1, [2]))
            a.sends(.publish("t", "x", qos: 2, id: 2))
            a.getsInAnyOrder(.pubRec(2), .publish("t", "x", qos: 2, id: "m"))
            a.sends(.pubRel(2, 0, users))
            a.gets(.pubComp(2))
            a.sends(.pubRec("m", 0, users))
            a.gets(.pubRel("m"))
            a.sends(.pubComp("m", 0, users + [.reasonString("fine")]))
            a.sends(.unsubscribe("t", id: 3, users))
            a.gets(.unsubAck(3, [0]))
            a.disconnects(0x04, users + [.reasonString("bye")])
            b.gets(.publish("w", "x", [.userProperty(name: "n", value: "1"), .userProperty(name: "n", value: "1")]))
        }
        for (what, packet) in [
            ("SUBSCRIBE with a reason string", ClientPacket.subscribe(.filter("t"), id: 1, [.reasonString("r")])),
            ("UNSUBSCRIBE with a subscription identifier", .unsubscribe("t", id: 1, [.subscriptionIdentifier(1)])),
            ("PUBREL with a topic alias", .pubRel(1, 0, [.topicAlias(1)])),
            ("PUBACK with two reason strings", .pubAck(1, 0, [.reasonString("r"), .reasonString("r")])),
            ("DISCONNECT with a topic alias", .disconnect(0, [.topicAlias(1)])),
            (
                "DISCONNECT with two session expiry intervals",
                .disconnect(0, [.sessionExpiryInterval(0), .sessionExpiryInterval(0)])
            ),
        ] {
            Exchange("\(what) is an error", v5: ["4.13.1-1"], traps: [10]) {
                a.connects()
                a.sends(packet)
                a.isRefused(0x82)
            }
        }
        Exchange("DISCONNECT may leave out its reason code or its property length", v5: ["3.14.2-1", "2.2.2-1"]) {
            b.connects()
            b.subscribes("w")
            for packet in ["E0 00", "E0 01 00", "E0 02 00 00"] {
                a.connects(will: .will("w", "x"))
                a.sends(.hex(packet))
                a.isClosed()
            }
            b.getsNothing()
            a.connects(will: .will("w", "x"))
            a.sends(.hex("E0 01 04"))
            a.isClosed()
            b.gets(.publish("w", "x"))
        }
        for (what, packet, statement) in [
            ("PUBACK 01", ClientPacket.pubAck(1, 0x01), "3.4.2-1"), ("PUBACK 92", .pubAck(1, 0x92), "3.4.2-1"),
            ("PUBREC 02", .pubRec(1, 0x02), "3.5.2-1"), ("PUBREC 92", .pubRec(1, 0x92), "3.5.2-1"),
            ("PUBREL 10", .pubRel(1, 0x10), "3.6.2-1"), ("PUBCOMP 80", .pubComp(1, 0x80), "3.7.2-1"),
            ("DISCONNECT 8B", .disconnect(0x8B), "3.14.2-1"), ("DISCONNECT 05", .disconnect(0x05), "3.14.2-1"),
            ("AUTH 01", .auth(0x01), "3.15.2-1"),
        ] {
            Exchange("\(what): a reason code that is not this packet's is an error", v5: [statement], traps: [21]) {
                a.connects()
                a.sends(packet)
                a.isRefused(0x81, 0x82)
            }
        }
        Exchange(
            "a property in an acknowledgement that does not belong there is an error", v5: ["4.13.1-1"], traps: [10]
        ) {
            a.connects()
            a.sends(.pubAck(1, 0, [.contentType("x")]))
            a.isRefused(0x82)
        }
    }

    @ExchangeList private static var unsolicited: [Exchange] {
        for (what, packet) in [
            ("PUBACK", ClientPacket.pubAck(77)), ("PUBCOMP", .pubComp(77)),
        ] {
            Exchange(
                "an unsolicited \(what) with a free identifier does not end the connection", versions: .both,
                traps: [22]
            ) {
                a.connects()
                a.sends(packet, .pingReq)
                a.gets(.pingResp)
            }
        }
        Exchange("an unsolicited PUBREC gets PUBREL 0x92 or 0", versions: .both, traps: [22]) {
            a.connects()
            a.sends(.pubRec(77))
            a.gets(.pubRel(77, [0x00, 0x92]))
        }
        Exchange(
            "an unsolicited PUBREL gets PUBCOMP, with 0x92 in 5.0", v3: ["4.3.3-2"], v5: ["4.3.3-11"], traps: [22]
        ) {
            a.connects()
            a.sends(.pubRel(77))
            a.gets(.pubComp(77, [0x92]))
        }
    }
}
