import MQTTModel

/// PUBLISH (section 3.3): flags, topics, properties.
extension Exchange {
    @ExchangeList static var publish: [Exchange] {
        publishFlags
        topicNames
        publishProperties
        forwardedProperties
        refusedTopics
    }

    @ExchangeList private static var publishFlags: [Exchange] {
        Exchange("QoS 3 is malformed", v3: ["3.3.1-4"], v5: ["3.3.1-4"], traps: [26]) {
            a.connects()
            a.sends(.publish("t", "x", qos: 3, id: 1))
            a.isRefused(0x81)
        }
        Exchange("DUP with QoS 0 is an error", v3: ["3.3.1-2"], v5: ["3.3.1-2"], traps: [25]) {
            a.connects()
            a.sends(.publish("t", "x", dup: true))
            a.isRefused(0x81, 0x82)
        }
        Exchange(
            "DUP of an incoming PUBLISH is not passed on", v3: ["3.3.1-3", "4.3.2-2"], v5: ["3.3.1-3", "4.3.2-5"],
            traps: [31]
        ) {
            a.connects()
            a.subscribes("t", qos: 2)
            b.connects()
            b.sends(.publish("t", "1", qos: 1, id: 4, dup: true))
            b.gets(.pubAck(4))
            a.takes("t", "1")
            b.sends(.publish("t", "2", qos: 2, id: 4, dup: true))
            b.gets(.pubRec(4))
            a.gets(.publish("t", "2", qos: 2, id: "m"))
        }
        Exchange(
            "a QoS 0 message is sent on with QoS 0 and DUP 0, and is not answered",
            v3: ["3.3.1-2", "3.3.4-1", "4.3.1-1"], v5: ["3.3.1-2", "3.3.4-1", "4.3.1-1"]
        ) {
            a.connects()
            a.subscribes("t", qos: 2)
            b.connects()
            b.sends(.publish("t", "x"))
            a.gets(.publish("t", "x", qos: 0))
            b.getsNothing()
        }
    }

    @ExchangeList private static var topicNames: [Exchange] {
        for topic in ["+", "a/+", "#", "a/#", "a+b", "a/b#"] {
            Exchange(
                "the topic name \(topic) is an error", v3: ["3.3.2-2", "4.7.1-1"], v5: ["3.3.2-2", "4.7.0-1"],
                traps: [24]
            ) {
                a.connects()
                a.sends(.publish(Text(topic), "x"))
                a.isRefused(0x81, 0x82, 0x90)
            }
        }
        Exchange("an empty topic name is an error", v3: ["4.7.3-1"], v5: ["4.7.3-1"], traps: [24]) {
            a.connects()
            a.sends(.publish("", "x"))
            a.isRefused(0x81, 0x82, 0x90)
        }
        Exchange(
            "a topic name of 65535 bytes is accepted, and a PUBLISH begins with its topic",
            v3: ["4.7.3-3", "3.3.2-1", "3.3.2-3"], v5: ["4.7.3-3", "3.3.2-1", "3.3.2-3"], traps: [24]
        ) {
            a.connects()
            a.subscribes("#")
            a.sends(.publish(.long(65_535), "x"))
            a.gets(.publish(.long(65_535), "x"))
        }
        Exchange("a payload may be empty, or large", v3: ["3.3.2-3"], v5: ["3.3.2-3"]) {
            a.connects()
            a.subscribes("t")
            a.sends(.publish("t", ""), .publish("t", .long(1_000_000)))
            a.gets(.publish("t", ""), .publish("t", .long(1_000_000)))
        }
    }

    @ExchangeList private static var publishProperties: [Exchange] {
        for (what, digits, codes, statements) in [
            ("payload format indicator 2", "01 02", [UInt8(0x82)], ["4.13.1-1"]),
            ("a message expiry interval twice", "02 00 00 00 01 02 00 00 00 01", [0x82], ["4.13.1-1"]),
            ("a content type twice", "03 00 01 61 03 00 01 61", [0x82], ["4.13.1-1"]),
            ("a session expiry interval", "11 00 00 00 01", [0x82], ["4.13.1-1"]),
            ("a subscription identifier", "0B 01", [0x82], ["3.3.4-6"]),
            ("an unknown property", "7F 00", [0x81, 0x82], ["4.13.1-1"]),
            ("a cut property", "02 00 00", [0x81], ["4.13.1-1"]),
            ("a response topic with a wildcard", "08 00 03 72 2F 2B", [0x81, 0x82, 0x90], ["3.3.2-14"]),
            ("a response topic with #", "08 00 01 23", [0x81, 0x82, 0x90], ["3.3.2-14"]),
        ] {
            Exchange(
                "PUBLISH with \(what) is an error", v5: statements,
                traps: what.hasPrefix("payload")
                    ? [28] : what.hasPrefix("a sub") ? [29] : what.hasPrefix("a resp") ? [24] : [10, 11]
            ) {
                a.connects()
                a.sends(.publish("t", "x", .hex(digits)))
                a.isRefusedWith(codes)
            }
        }
        Exchange(
            "a payload that is not the UTF-8 it claims to be is passed on or refused with 0x99", v5: ["3.3.2-4"],
            traps: [28]
        ) {
            a.connects()
            a.sends(.publish("t", .hex("FF"), qos: 1, id: 1, [.payloadFormatIndicator(1)]))
            a.gets(.pubAck(1, [0x00, 0x10, 0x99]))
        }
    }

    @ExchangeList private static var forwardedProperties: [Exchange] {
        let sent: [Property] = [
            .userProperty(name: "b", value: "1"), .payloadFormatIndicator(1), .userProperty(name: "a", value: ""),
            .contentType("text/plain"), .responseTopic("r/\u{FEFF}"), .userProperty(name: "b", value: "2"),
            .correlationData([0, 0xFF, 0xC0]), .userProperty(name: "b", value: "1"),
        ]
        let statements = [
            "3.3.2-4", "3.3.2-15", "3.3.2-16", "3.3.2-17", "3.3.2-18", "3.3.2-20", "1.5.7-1",
        ]
        Exchange("properties are passed on unchanged, user properties in order", v5: statements, traps: [53]) {
            a.connects()
            a.subscribes("t", qos: 2)
            b.connects()
            b.sends(.publish("t", "x", PropertyList(sent)))
            a.gets(.publish("t", "x", sent))
            b.publishes("t", "y", PropertyList(sent))
            a.takes("t", "y", sent)
        }
        Exchange("properties are passed on by retained messages", v5: statements, traps: [53]) {
            b.connects()
            b.publishes("t", "x", retain: true, PropertyList(sent))
            b.disconnects()
            a.connects()
            a.subscribes("t", qos: 1)
            a.takes("t", "x", retain: true, sent)
        }
        Exchange("properties are passed on by queued messages", v5: statements, traps: [53]) {
            a.connects(kept: true)
            a.subscribes("t", qos: 1)
            a.disconnects()
            b.connects()
            b.publishes("t", "x", PropertyList(sent))
            a.connects(kept: true, present: true)
            a.gets(.publish("t", "x", qos: 1, id: 1, sent))
            a.drops()
            a.connects(kept: true, present: true)
            a.gets(.publish("t", "x", qos: 1, id: 1, dup: true, sent))
        }
        Exchange(
            "properties of a will are passed on, user properties in order", v5: statements + ["3.1.3-10"],
            traps: [46, 53]
        ) {
            a.connects()
            a.subscribes("w", qos: 1)
            b.connects(will: .will("w", "x", qos: 1, PropertyList(sent)))
            b.drops()
            a.takes("w", "x", sent)
        }
        Exchange("to clients of 3.1.1 properties are not sent", v5: ["3.3.2-17"]) {
            a.connects(as: .v3_1_1)
            a.subscribes("t")
            b.connects()
            b.sends(.publish("t", "x", PropertyList(sent)))
            a.gets(.hex("30 04 00 01 74 78"))
        }
    }

    @ExchangeList private static var refusedTopics: [Exchange] {
        for topic in ["$SYS/broker/version", "$SYS/x", "$share/s/t"] {
            Exchange(
                "a client's PUBLISH to \(topic) is refused and delivered to nobody", v3: ["3.3.5-2"],
                v5: ["3.4.2-1", "3.5.2-1", "4.3.3-9"], traps: [43]
            ) {
                b.connects()
                b.subscribes("$SYS/x")
                b.subscribes("#")
                b.subscribes("t")
                a.connects()
                a.sends(.publish(Text(topic), "x", qos: 1, id: 1))
                a.gets(.pubAck(1, [0x87, 0x90]))
                a.sends(.publish(Text(topic), "x", qos: 2, id: 2))
                a.gets(.pubRec(2, [0x87, 0x90]))
                only(.v3) {
                    a.sends(.pubRel(2))
                    a.gets(.pubComp(2))
                }
                a.sends(.publish(Text(topic), "x"))
                a.sends(.pingReq)
                a.gets(.pingResp)
                b.getsNothing()
            }
        }
        Exchange("a client's PUBLISH to another $ topic is delivered", versions: .both, traps: [43]) {
            a.connects()
            a.subscribes("$foo/#")
            a.sends(.publish("$foo/x", "1"))
            a.gets(.publish("$foo/x", "1"))
        }
    }
}
