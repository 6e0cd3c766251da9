import BrokerCore
import MQTTModel

/// CONNECT (section 3.1 of both standards): its form, its versions, and what refuses it.
extension Exchange {
    @ExchangeList static var connect: [Exchange] {
        firstPackets
        protocolVersions
        connectFlags
        connectProperties
        connectLimits
    }

    @ExchangeList private static var firstPackets: [Exchange] {
        for (what, packet) in [
            ("PINGREQ", ClientPacket.pingReq), ("PUBLISH", .publish("t", "x")), ("DISCONNECT", .disconnect()),
            ("AUTH", .hex("F0 00")), ("forbidden packet", .hex("00 00")), ("CONNACK", .hex("20 02 00 00")),
        ] {
            Exchange(
                "a first packet that is a \(what) closes the connection without an answer", v3: ["3.1.0-1"],
                v5: ["3.1.0-1", "3.14.0-1"]
            ) {
                a.opens()
                a.sends(packet)
                a.isClosed()
            }
        }
        Exchange(
            "a second CONNECT ends the connection and publishes the will", v3: ["3.1.0-2"], v5: ["3.1.0-2"],
            traps: [5]
        ) {
            b.connects()
            b.subscribes("w")
            a.connects(will: .will("w", "gone"))
            a.sends(.connect())
            a.isRefused(0x82)
            b.gets(.publish("w", "gone"))
        }
        Exchange(
            "nothing behind a refused CONNECT is processed", v3: ["3.1.4-5"], v5: ["3.1.4-6"], traps: [14]
        ) {
            b.connects()
            b.subscribes("t")
            a.opens()
            a.sends(.joined([.connect(flags: 0x03, "00 01 61"), .publish("t", "x")]))
            a.isRejected(0x81)
            b.getsNothing()
        }
        Exchange(
            "CONNACK is the first packet, also when retained messages and queued ones follow", v3: ["3.2.0-1"],
            v5: ["3.2.0-1"], traps: [14]
        ) {
            a.connects(kept: true)
            a.subscribes("t", qos: 1)
            a.disconnects()
            b.connects()
            b.publishes("t", "x")
            a.connects(kept: true, present: true)
            a.takes("t", "x")
        }
    }

    @ExchangeList private static var protocolVersions: [Exchange] {
        for (name, level) in [("MQTX", UInt8(4)), ("mqtt", 4), ("MQTT ", 5), ("", 4), ("MQIsdq", 3)] {
            Exchange(
                "the protocol name \"\(name)\" closes the connection without an answer",
                v3: ["3.1.2-1"], v5: ["3.1.2-1"], versions: level == 5 ? .v5 : .v3, traps: [3]
            ) {
                a.opens()
                a.sends(.connect(name: Text(name), level: level))
                a.isClosed()
            }
        }
        for (name, level) in [("MQTT", UInt8(3)), ("MQIsdp", 4)] {
            Exchange("\(name) with level \(level) gets return code 1", v3: ["3.1.2-2", "3.2.2-5"], traps: [2]) {
                a.opens()
                a.sends(.connect(name: Text(name), level: level))
                a.gets(.hex("20 02 00 01"))
                a.isClosed()
            }
        }
        for level in [UInt8(6), 7, 0x7F, 0xFF] {
            Exchange(
                "level \(level) gets the answer of 5.0 for an unsupported version", v3: ["3.1.2-2"],
                v5: ["3.1.2-2", "3.2.2-7"], versions: .v5, traps: [2]
            ) {
                a.opens()
                a.sends(.connect(name: "MQTT", level: level))
                a.gets(.hex("20 03 00 84 00"))
                a.isClosed()
            }
        }
        Exchange("clients of all versions share topics", versions: .v5) {
            a.connects(as: .v3_1)
            b.connects(as: .v3_1_1)
            c.connects()
            a.subscribes("t", qos: 1)
            b.subscribes("t", qos: 1)
            c.subscribes("t", qos: 1)
            b.sends(.publish("t", "1", qos: 2, id: 5))
            b.getsInAnyOrder(.pubRec(5), .publish("t", "1", qos: 1, id: "b1"))
            a.gets(.publish("t", "1", qos: 1, id: "a1"))
            c.gets(.publish("t", "1", qos: 1, id: "c1"))
            c.sends(.publish("t", "2", qos: 1, id: 6, [.userProperty(name: "n", value: "v")]))
            c.getsInAnyOrder(.pubAck(6), .publish("t", "2", qos: 1, id: "c2", [.userProperty(name: "n", value: "v")]))
            a.gets(.publish("t", "2", qos: 1, id: "a2"))
            b.gets(.publish("t", "2", qos: 1, id: "b2"))
        }
    }

    @ExchangeList private static var connectFlags: [Exchange] {
        let none: [String] = []
        for (what, flags, payload, v3, v5) in [
            ("the reserved flag", UInt8(0x03), "00 01 61", ["3.1.2-3"], ["3.1.2-3"]),
            ("will QoS 3", 0x1E, "00 01 61 00 00 01 77 00 01 78", ["3.1.2-14"], ["3.1.2-12"]),
            ("will QoS without a will", 0x0A, "00 01 61", ["3.1.2-11", "3.1.2-13"], ["3.1.2-11"]),
            ("will retain without a will", 0x22, "00 01 61", ["3.1.2-11", "3.1.2-15"], ["3.1.2-13"]),
            ("a will flag without a will", 0x06, "00 01 61", ["3.1.2-9"], ["3.1.2-9"]),
            ("a user name flag without a user name", 0x82, "00 01 61", ["3.1.2-19"], ["3.1.2-17"]),
            ("a password flag without a password", 0xC2, "00 01 61 00 01 75", ["3.1.2-21"], ["3.1.2-19"]),
            ("a user name without its flag", 0x02, "00 01 61 00 01 75", ["3.1.2-18"], ["3.1.2-16"]),
            ("a password without its flag", 0x82, "00 01 61 00 01 75 00 01 70", ["3.1.2-20"], ["3.1.2-18"]),
            ("bytes behind the payload", 0x02, "00 01 61 00", none, none),
            ("no client identifier", 0x02, "", ["3.1.3-3"], ["3.1.3-3"]),
            ("a cut client identifier", 0x02, "00 05 61", ["3.1.3-1"], ["3.1.3-1"]),
        ] {
            Exchange(
                "CONNECT with \(what) is malformed", v3: ["3.1.4-1"] + v3, v5: ["3.1.4-1"] + v5, traps: [1, 4]
            ) {
                a.opens()
                only(.v3) { a.sends(.connect(flags: flags, payload)) }
                // A will of 5.0 has a property length before its topic; without one the rest reads otherwise but no
                // better.
                only(.v5) { a.sends(.connect(flags: flags, payload)) }
                a.isRejected(0x81, 0x82)
            }
        }
        Exchange("a password without a user name is an error in 3.1.1", v3: ["3.1.2-22"], traps: [4]) {
            a.opens()
            a.sends(.connect(flags: 0x42, "00 01 61 00 01 70"))
            a.isClosed()
        }
        Exchange("a password without a user name is allowed in 5.0", v5: ["3.1.2-19"], traps: [4]) {
            a.connects(password: "p")
        }
        Exchange(
            "user name and password are read in their order behind the will", v3: ["3.1.3-1", "3.1.2-9"],
            v5: ["3.1.3-1", "3.1.2-9"]
        ) {
            b.connects()
            b.subscribes("w")
            a.connects(will: .will("w", "gone"), user: "u", password: "p")
            a.drops()
            b.gets(.publish("w", "gone"))
        }
        Exchange("a CONNECT that ends early is malformed", v3: ["3.1.4-1", "3.2.2-6"], v5: ["3.1.4-1"], traps: [1]) {
            a.opens()
            only(.v3) { a.sends(.hex("10 08 00 04 4D 51 54 54 04 02")) }
            only(.v5) { a.sends(.hex("10 08 00 04 4D 51 54 54 05 02")) }
            a.isRejected(0x81)
        }
        Exchange("an empty will topic refuses the CONNECT", v3: ["4.7.3-1"], v5: ["4.7.3-1"], traps: [24]) {
            a.requests(will: .will("", "x"))
            a.isRejected(0x81, 0x82, 0x90)
        }
        for topic in ["w/+", "#"] {
            Exchange(
                "the will topic \(topic) refuses the CONNECT", v3: ["3.3.2-2", "4.7.1-1"],
                v5: ["3.3.2-2", "4.7.0-1"], traps: [24]
            ) {
                a.requests(will: .will(Text(topic), "x"))
                a.isRejected(0x81, 0x82, 0x90)
            }
        }
    }

    @ExchangeList private static var connectProperties: [Exchange] {
        for (what, digits, codes) in [
            ("a session expiry interval twice", "11 00 00 00 01 11 00 00 00 01", [UInt8(0x82)]),
            ("a receive maximum twice", "21 00 01 21 00 01", [0x82]),
            ("a topic alias", "23 00 01", [0x82]), ("a will delay in the wrong place", "18 00 00 00 01", [0x82]),
            ("an unknown property", "7F 00", [0x81, 0x82]), ("a cut property", "11 00 00", [0x81]),
            ("request problem information 2", "17 02", [0x82]), ("request response information 2", "19 02", [0x82]),
            ("receive maximum 0", "21 00 00", [0x82]), ("maximum packet size 0", "27 00 00 00 00", [0x82]),
            ("authentication data without a method", "16 00 01 00", [0x82]),
            ("an authentication method twice", "15 00 01 61 15 00 01 61", [0x82]),
        ] {
            Exchange("CONNECT with \(what) is refused", v5: ["3.1.4-1", "4.13.1-1"], traps: [10, 11]) {
                a.requests(.hex(digits))
                a.sends(.pingReq)
                a.gets(.connAcknowledgement(codes: codes, isPresent: false, properties: [], absent: []))
                a.isClosed()
            }
        }
        Exchange("will properties that do not belong there refuse the CONNECT", v5: ["3.1.4-1"], traps: [10]) {
            a.requests(will: .will("w", "x", .hex("23 00 01")))
            a.isRejected(0x82)
        }
        Exchange("a will's payload format is 0 or 1", v5: ["3.1.4-1"], traps: [10, 28]) {
            a.requests(will: .will("w", "x", .hex("01 02")))
            a.isRejected(0x82)
        }
        Exchange("an unknown authentication method is refused", v5: ["4.12.0-1", "4.12.0-4", "3.1.4-2"], traps: [12]) {
            a.requests([.authenticationMethod("none"), .authenticationData([1])])
            a.gets(.connAck(0x8C))
            a.isClosed()
        }
        Exchange("AUTH without enhanced authentication is an error", v5: ["4.12.0-7"], traps: [12]) {
            a.connects()
            a.sends(.auth(0x18, [.authenticationMethod("m")]))
            a.isRefused(0x82)
        }
        Exchange("re-authentication without a method in CONNECT ends the connection", v5: ["4.12.1-2", "4.12.1-1"]) {
            a.connects()
            a.sends(.auth(0x19, [.authenticationMethod("m")]))
            a.isRefused(0x82, 0x8C)
        }
        Exchange("without a method there is neither AUTH nor a method in CONNACK", v5: ["4.12.0-6"]) {
            a.requests()
            a.gets(.connAck(0, absent: [.authenticationMethod, .authenticationData]))
            a.getsNothing()
        }
        Exchange(
            "no response information unless it is asked for", v5: ["3.1.2-28"],
            options: { $0.responseInformation = "r/%c" }
        ) {
            a.requests()
            a.gets(.connAck(0, absent: [.responseInformation]))
            b.requests([.requestResponseInformation(0)])
            b.gets(.connAck(0, absent: [.responseInformation]))
            c.requests([.requestResponseInformation(1)])
            c.gets(.connAck(0, has: [.responseInformation("r/c")]))
        }
    }

    @ExchangeList private static var connectLimits: [Exchange] {
        Exchange("a CONNECT of five thousand user properties is accepted", v5: ["3.1.4-5"], traps: [13]) {
            a.connects(PropertyList((0..<5000).map { .userProperty(name: "n\($0)", value: "v") }))
        }
        Exchange("a client identifier of 65535 bytes is accepted", v3: ["3.1.3-5"], v5: ["3.1.3-5"], traps: [13]) {
            a.connects(id: .long(65_535))
        }
        Exchange(
            "a first packet that claims 256 MB closes the connection before it has come", v3: ["4.8.0-1"],
            v5: ["4.13.1-1"], traps: [13]
        ) {
            a.opens()
            a.sends(.hex("10 FF FF FF 7F 00 04 4D 51 54 54"))
            a.isClosed()
        }
        Exchange(
            "no packet above the server's maximum is taken", v5: ["3.2.2-15"], traps: [37],
            options: { $0.limits.maximumPacketSize = 100 }
        ) {
            a.requests()
            a.gets(.connAck(0, has: [.maximumPacketSize(100)]))
            a.sends(.publish("t", .long(94)), .pingReq)
            a.gets(.pingResp)
            a.sends(.publish("t", .long(95)))
            a.isRefused(0x95)
        }
    }
}
