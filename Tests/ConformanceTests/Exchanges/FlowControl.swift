import BrokerCore
import MQTTModel

/// Flow control, packet sizes, topic aliases, message expiry (5.0 sections 4.9, 3.1.2.11, 3.3.2.3).
extension Exchange {
    @ExchangeList static var flowControl: [Exchange] {
        receiveMaximum
        serverReceiveMaximum
        packetSizes
        problemInformation
    }

    @ExchangeList private static var receiveMaximum: [Exchange] {
        Exchange(
            "a receive maximum of one holds the second PUBLISH until PUBACK",
            v5: ["3.3.4-9", "4.9.0-1", "4.9.0-2"], traps: [35]
        ) {
            a.connects([.receiveMaximum(1)])
            a.subscribes("t", qos: 1)
            b.connects()
            b.publishes("t", "1")
            b.publishes("t", "2")
            a.gets(.publish("t", "1", qos: 1, id: "m1"))
            a.getsNothing()
            a.sends(.pubAck("m1"))
            a.gets(.publish("t", "2", qos: 1, id: "m2"))
        }
        Exchange(
            "a slot of QoS 2 is held until PUBCOMP", v5: ["3.3.4-9", "4.9.0-2"], traps: [35]
        ) {
            a.connects([.receiveMaximum(1)])
            a.subscribes("t", qos: 2)
            b.connects()
            b.sends(.publish("t", "1", qos: 2, id: 1))
            b.gets(.pubRec(1))
            b.publishes("t", "2")
            a.gets(.publish("t", "1", qos: 2, id: "m1"))
            a.sends(.pubRec("m1"))
            a.gets(.pubRel("m1"))
            a.getsNothing()
            a.sends(.pubComp("m1"))
            a.gets(.publish("t", "2", qos: 1, id: "m2"))
        }
        Exchange(
            "with no quota left, everything but QoS 1 and 2 still flows", v5: ["3.3.4-10", "4.9.0-3"], traps: [35]
        ) {
            a.connects([.receiveMaximum(1)])
            a.subscribes("t", qos: 1)
            b.connects()
            b.publishes("t", "1")
            b.publishes("t", "2")
            b.sends(.publish("t", "zero"))
            a.gets(.publish("t", "1", qos: 1, id: "m1"), .publish("t", "zero"))
            a.sends(
                .pingReq, .subscribe(.filter("u"), id: 4), .unsubscribe("u", id: 5), .publish("v", "x", qos: 1, id: 6))
            a.getsInAnyOrder(.pingResp, .subAck(4, [0]), .unsubAck(5, [0]), .pubAck(6))
            a.publishesExactlyOnce("v", "x", id: 7)
            a.sends(.pubAck("m1"))
            a.gets(.publish("t", "2", qos: 1, id: "m2"))
        }
        Exchange(
            "a PUBREL that is sent again holds its slot until PUBCOMP", v5: ["3.3.4-9", "4.9.0-2"], traps: [30, 35]
        ) {
            a.connects(kept: true, [.receiveMaximum(1)])
            a.subscribes("t", qos: 2)
            b.connects()
            b.sends(.publish("t", "1", qos: 2, id: 1))
            b.gets(.pubRec(1))
            a.gets(.publish("t", "1", qos: 2, id: "m1"))
            a.sends(.pubRec("m1"))
            a.gets(.pubRel("m1"))
            a.drops()
            b.publishes("t", "2")
            a.connects(kept: true, present: true, [.receiveMaximum(1)])
            a.gets(.pubRel("m1"))
            a.getsNothing()
            a.sends(.pubComp("m1"))
            a.gets(.publish("t", "2", qos: 1, id: "m2"))
        }
        for maximum in [2, 20] {
            Exchange(
                "a receive maximum of \(maximum) lets so many through, and the queue goes on after each answer",
                v5: ["3.3.4-9", "4.9.0-2"], traps: [35]
            ) {
                a.connects([.receiveMaximum(UInt16(maximum))])
                a.subscribes("t", qos: 1)
                b.connects()
                for number in 1...(maximum + 3) { b.publishes("t", Text("\(number)")) }
                for number in 1...maximum {
                    a.gets(.publish("t", Text("\(number)"), qos: 1, id: .named("m\(number)")))
                }
                a.getsNothing()
                for number in 1...3 {
                    a.sends(.pubAck(.named("m\(number)")))
                    a.gets(
                        .publish("t", Text("\(number + maximum)"), qos: 1, id: .named("m\(number + maximum)")))
                    a.getsNothing()
                }
            }
        }
    }

    @ExchangeList private static var serverReceiveMaximum: [Exchange] {
        Exchange(
            "more QoS 2 messages than the server's receive maximum end the connection", v5: ["3.3.4-7", "4.9.0-2"],
            traps: [36], options: { $0.limits.receiveMaximum = 3 }
        ) {
            a.requests()
            a.gets(.connAck(0, has: [.receiveMaximum(3)]))
            for number in UInt16(1)...3 {
                a.sends(.publish("t", "x", qos: 2, id: .number(number)))
                a.gets(.pubRec(.number(number)))
            }
            a.sends(.publish("t", "again", qos: 2, id: 3, dup: true))
            a.gets(.pubRec(3))
            a.sends(.publish("t", "x", qos: 2, id: 4))
            a.isRefused(0x93)
        }
        Exchange(
            "each PUBCOMP and PUBACK gives the client a slot back", v5: ["3.3.4-7", "3.3.4-8"], traps: [36],
            options: { $0.limits.receiveMaximum = 2 }
        ) {
            a.connects()
            for number in UInt16(1)...6 {
                a.sends(.publish("t", "x", qos: 1, id: .number(number)))
                a.gets(.pubAck(.number(number)))
                a.publishesExactlyOnce("t", "x", id: .number(number))
            }
        }
        Exchange("the announced 1024 QoS 2 messages are taken, and one more is not", v5: ["3.3.4-7"], traps: [36]) {
            a.connects()
            for number in UInt16(1)...1024 { a.sends(.publish("t", "x", qos: 2, id: .number(number))) }
            for number in UInt16(1)...1024 { a.gets(.pubRec(.number(number))) }
            a.sends(.publish("t", "x", qos: 2, id: 1025))
            a.isRefused(0x93)
        }
    }

    @ExchangeList private static var packetSizes: [Exchange] {
        Exchange(
            "a message too large for a client is dropped for it alone and takes no quota",
            v5: ["3.1.2-24", "3.1.2-25"], traps: [37]
        ) {
            a.connects(kept: true, [.maximumPacketSize(40), .receiveMaximum(1)])
            a.subscribes("t", qos: 1)
            b.connects()
            b.subscribes("t", qos: 1)
            // 32 0x28: two bytes of header, topic 3, identifier 2, properties 1, payload.
            b.sends(.publish("t", .long(33), qos: 1, id: 1), .publish("t", .long(32), qos: 1, id: 2))
            b.getsInAnyOrder(
                .pubAck(1), .pubAck(2), .publish("t", .long(33), qos: 1, id: "b1"),
                .publish("t", .long(32), qos: 1, id: "b2"))
            a.takes("t", .long(32))
            b.sends(.publish("t", .long(100)), .publish("t", "end"))
            a.gets(.publish("t", "end"))
            a.drops()
            a.connects(kept: true, present: true)
            a.getsNothing()
        }
        Exchange(
            "a SUBACK or UNSUBACK above the client's maximum is not sent, the client is", v5: ["3.1.2-24", "3.9.2-1"],
            traps: [37]
        ) {
            for isSubscribe in [true, false] {
                a.connects([.maximumPacketSize(20)])
                // Fifteen codes make 20 bytes, sixteen 21.
                let filters = (1...16).map { FilterFields.filter("\($0)") }
                a.sends(.subscription(1, Array(filters.prefix(15)), []))
                a.gets(.subAck(1, [UInt8](repeating: 0, count: 15)))
                if isSubscribe {
                    a.sends(.subscription(2, filters, []))
                } else {
                    a.sends(.unsubscription(2, filters.map(\.filter), []))
                }
                a.isRefused(0x95)
            }
        }
        Exchange("a CONNACK above the client's maximum is not sent", v5: ["3.1.2-24", "3.2.2-7"], traps: [37]) {
            a.requests([.maximumPacketSize(15)])
            a.gets(.connAck(0x95))
            a.isClosed()
            a.connects([.maximumPacketSize(16)])
            b.requests(id: "", [.maximumPacketSize(16)])
            b.gets(.connAck(0x95))
            b.isClosed()
        }
        Exchange("properties count for the size of a packet", v5: ["3.1.2-24", "3.1.2-25"], traps: [37]) {
            a.connects([.maximumPacketSize(40)])
            a.subscribes("t", qos: 0, [.subscriptionIdentifier(300)])
            b.connects()
            b.sends(.publish("t", .long(30), [.userProperty(name: "n", value: "v")]), .publish("t", "x"))
            a.gets(.publish("t", "x", identifiers: [300]))
        }
        Exchange(
            "a packet of exactly the server's maximum is taken, one byte more is not", v5: ["3.2.2-15"],
            traps: [37], options: { $0.limits.maximumPacketSize = 64 }
        ) {
            a.connects()
            a.sends(.publish("t", .long(58)), .pingReq)
            a.gets(.pingResp)
            a.sends(.publish("t", .long(59)))
            a.isRefused(0x95)
        }
        Exchange(
            "in 3.1.1 a packet above the server's maximum closes the connection", versions: .v3, traps: [37],
            options: { $0.limits.maximumPacketSize = 64 }
        ) {
            a.connects()
            a.sends(.publish("t", .long(60)))
            a.isClosed()
        }
    }

    @ExchangeList private static var problemInformation: [Exchange] {
        Exchange(
            "without request problem information there are no reason strings but in CONNACK and DISCONNECT",
            v5: ["3.1.2-29"], traps: [38]
        ) {
            a.connects([.requestProblemInformation(0)])
            a.sends(.publish("$SYS/x", "x", qos: 1, id: 1))
            a.gets(.hex("40 03 00 01 87"))
            a.sends(.unsubscribe("no", id: 2))
            a.gets(.hex("B0 04 00 02 00 11"))
            a.sends(.pubRel(3))
            a.gets(.hex("70 03 00 03 92"))
            // User properties of a PUBLISH are the publisher's and always passed on.
            a.subscribes("t")
            a.sends(.publish("t", "x", [.userProperty(name: "n", value: "v")]))
            a.gets(.publish("t", "x", [.userProperty(name: "n", value: "v")]))
        }
    }
}
