import MQTTModel

/// Fixed headers (section 2 of both standards): flags, types, and lengths that do not fit.
extension Exchange {
    @ExchangeList static var fixedHeader: [Exchange] {
        fixedHeaderFlags
        packetTypes
        remainingLengths
    }

    @ExchangeList private static var fixedHeaderFlags: [Exchange] {
        let none: [String] = []
        for (what, packet, v3, v5) in [
            ("SUBSCRIBE with flags 0000", "80 06 00 01 00 01 74 00", ["3.8.1-1"], ["3.8.1-1"]),
            ("SUBSCRIBE with flags 0011", "83 06 00 01 00 01 74 00", ["3.8.1-1"], ["3.8.1-1"]),
            ("UNSUBSCRIBE with flags 0000", "A0 05 00 01 00 01 74", ["3.10.1-1"], ["3.10.1-1"]),
            ("UNSUBSCRIBE with flags 1010", "AA 05 00 01 00 01 74", ["3.10.1-1"], ["3.10.1-1"]),
            ("PUBREL with flags 0000", "60 02 00 01", ["3.6.1-1"], ["3.6.1-1"]),
            ("PUBREL with flags 1010", "6A 02 00 01", ["3.6.1-1"], ["3.6.1-1"]),
            ("PUBACK with flags 0001", "41 02 00 01", none, none),
            ("PUBREC with flags 0010", "52 02 00 01", none, none),
            ("PUBCOMP with flags 0100", "74 02 00 01", none, none),
            ("PINGREQ with flags 0001", "C1 00", none, none),
            ("DISCONNECT with flags 0010", "E2 00", ["3.14.1-1"], ["3.14.1-1"]),
        ] {
            Exchange(
                "\(what) is malformed", v3: ["2.2.2-1", "2.2.2-2"] + v3, v5: ["2.1.3-1"] + v5, traps: [16]
            ) {
                a.connects()
                a.sends(.hex(packet))
                a.isRefused(0x81)
            }
        }
        Exchange("AUTH with flags 0001 is malformed", v5: ["2.1.3-1", "3.15.1-1"], traps: [16]) {
            a.connects()
            a.sends(.hex("F1 02 18 00"))
            a.isRefused(0x81)
        }
        Exchange(
            "CONNECT with fixed-header flags is refused", v3: ["2.2.2-2", "3.1.4-1"], v5: ["2.1.3-1", "3.1.4-1"],
            traps: [4, 16]
        ) {
            a.opens()
            only(.v3) { a.sends(.hex("11 0D 00 04 4D 51 54 54 04 02 00 00 00 01 61")) }
            only(.v5) {
                a.sends(.hex("11 0E 00 04 4D 51 54 54 05 02 00 00 00 00 01 61"))
                a.mayGet(.connAck(0x81))
            }
            a.isClosed()
        }
        Exchange("a DISCONNECT with reserved flags publishes the will", v3: ["3.14.1-1"], v5: ["3.14.1-1"]) {
            b.connects()
            b.subscribes("w")
            a.connects(will: .will("w", "gone"))
            a.sends(.hex("E1 00"))
            a.isRefused(0x81)
            b.gets(.publish("w", "gone"))
        }
    }

    @ExchangeList private static var packetTypes: [Exchange] {
        Exchange("packet type 0 is forbidden", v3: ["4.8.0-1"], v5: ["4.13.1-1"], traps: [19]) {
            a.connects()
            a.sends(.hex("00 00"))
            a.isRefused(0x81, 0x82)
        }
        Exchange("packet type 15 is forbidden in 3.1.1", v3: ["4.8.0-1"], traps: [19]) {
            a.connects()
            a.sends(.hex("F0 00"))
            a.isClosed()
        }
        for (what, packet3, packet5) in [
            ("CONNACK", "20 02 00 00", "20 03 00 00 00"), ("SUBACK", "90 03 00 01 00", "90 04 00 01 00 00"),
            ("UNSUBACK", "B0 02 00 01", "B0 04 00 01 00 00"), ("PINGRESP", "D0 00", "D0 00"),
        ] {
            Exchange("\(what) from a client is an error", v3: ["4.8.0-1"], v5: ["4.13.1-1"], traps: [17]) {
                a.connects()
                only(.v3) { a.sends(.hex(packet3)) }
                only(.v5) { a.sends(.hex(packet5)) }
                a.isRefused(0x81, 0x82)
            }
        }
        Exchange(
            "a violation closes the connection it came on and no other, and nothing behind it is processed",
            v3: ["4.8.0-1"], v5: ["4.13.1-1", "4.13.2-1"]
        ) {
            b.connects()
            b.subscribes("t")
            a.connects()
            a.sends(.joined([.hex("00 00"), .publish("t", "behind a violation")]))
            a.isRefused(0x81, 0x82)
            b.sends(.publish("t", "x"))
            b.gets(.publish("t", "x"))
            b.getsNothing()
        }
    }

    @ExchangeList private static var remainingLengths: [Exchange] {
        Exchange("a remaining length of five bytes is malformed", v3: ["4.8.0-1"], v5: ["4.13.1-1"], traps: [18]) {
            a.connects()
            a.sends(.hex("30 80 80 80 80 01"))
            a.isRefused(0x81)
        }
        Exchange("a remaining length that is not minimal is malformed", v5: ["1.5.5-1"], traps: [18]) {
            a.connects()
            a.sends(.hex("C0 80 00"))
            a.isRefused(0x81)
        }
        Exchange("a property length that is not minimal is malformed", v5: ["1.5.5-1"], traps: [18]) {
            a.connects()
            a.sends(.hex("30 06 00 01 74 80 00 78"))
            a.isRefused(0x81)
        }
        for (what, packet) in [
            ("PINGREQ with a body", "C0 01 00"), ("PUBACK of one byte", "40 01 00"),
            ("PUBLISH shorter than its topic", "30 03 00 05 74"), ("SUBSCRIBE of one byte", "82 01 00"),
            ("PUBLISH of QoS 1 without an identifier", "32 03 00 01 74"), ("an empty PUBLISH", "30 00"),
            ("PUBREL without an identifier", "62 00"),
        ] {
            Exchange("\(what) is malformed", v3: ["4.8.0-1"], v5: ["4.13.1-1"], traps: [18]) {
                a.connects()
                a.sends(.hex(packet))
                a.isRefused(0x81, 0x82)
            }
        }
        Exchange("an acknowledgement longer than its content is malformed in 3.1.1", v3: ["4.8.0-1"], traps: [18]) {
            a.connects()
            a.sends(.hex("40 03 00 01 00"))
            a.isClosed()
        }
        Exchange("DISCONNECT with a body is malformed in 3.1.1", v3: ["4.8.0-1"], traps: [18]) {
            b.connects()
            b.subscribes("w")
            a.connects(will: .will("w", "gone"))
            a.sends(.hex("E0 01 00"))
            a.isClosed()
            b.gets(.publish("w", "gone"))
        }
        Exchange("properties longer than their packet are malformed", v5: ["4.13.1-1"], traps: [11, 18]) {
            a.connects()
            a.sends(.hex("30 05 00 01 74 05 01"))
            a.isRefused(0x81)
        }
        Exchange("a packet that comes byte by byte is served like any other", v3: ["7.1.1-1"], v5: ["4.2.0-1"]) {
            a.connects()
            a.sends(.hex("82"))
            only(.v3) { a.sends(.hex("06"), .hex("00"), .hex("01"), .hex("00 01"), .hex("74"), .hex("00")) }
            only(.v5) { a.sends(.hex("07"), .hex("00"), .hex("01"), .hex("00 00 01"), .hex("74"), .hex("00")) }
            a.gets(.subAck(1, [0]))
        }
        Exchange(
            "all packets of one segment are served, in order", v3: ["7.1.1-1", "3.2.0-1"], v5: ["4.2.0-1", "3.2.0-1"],
            traps: [14]
        ) {
            a.opens()
            a.sends(
                .joined([
                    .connect(), .subscribe(.filter("t", qos: 1)), .publish("t", "x", qos: 1, id: 2), .pingReq,
                ]))
            a.gets(.connAck(0))
            // That the subscription gets the message says that they were taken in their order.
            a.getsInAnyOrder(.subAck(1, [1]), .pubAck(2), .publish("t", "x", qos: 1, id: "m"), .pingResp)
        }
    }
}
