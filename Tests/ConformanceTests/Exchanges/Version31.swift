import MQTTModel

/// MQTT 3.1, which has no numbered statements: what differs from 3.1.1 and what a client relies on.
extension Exchange {
    @ExchangeList static var version31: [Exchange] {
        Exchange("an MQTT 3.1 client is served", versions: [.v3_1]) {
            a.requests()
            a.gets(.hex("20 02 00 00"))
            a.subscribes("t", qos: 2)
            a.sends(.publish("t", "x", qos: 1, id: 4))
            a.getsInAnyOrder(.pubAck(4), .publish("t", "x", qos: 1, id: "taken"))
            a.sends(.pubAck("taken"))
            a.sends(.publish("t", "y", qos: 2, id: 5))
            a.getsInAnyOrder(.pubRec(5), .publish("t", "y", qos: 2, id: "m"))
            a.sends(.pubRel(5))
            a.gets(.pubComp(5))
            a.sends(.pubRec("m"))
            a.gets(.pubRel("m"))
            a.sends(.pubComp("m"))
            a.unsubscribes("t")
            a.sends(.pingReq)
            a.gets(.pingResp)
            a.disconnects()
        }
        Exchange("an MQTT 3.1 session outlives its connection, and session present stays 0", versions: [.v3_1]) {
            a.connects(kept: true)
            a.subscribes("t", qos: 1)
            a.disconnects()
            b.connects()
            b.publishes("t", "x")
            a.requests(clean: false)
            a.gets(.hex("20 02 00 00"))
            a.takes("t", "x")
        }
        Exchange("an MQTT 3.1 will, user name and password are read", versions: [.v3_1]) {
            b.connects()
            b.subscribes("w", qos: 1)
            a.connects(will: .will("w", "gone", qos: 1), user: "u", password: "p")
            a.drops()
            b.takes("w", "gone")
        }
        Exchange("retained messages come to an MQTT 3.1 client", versions: [.v3_1]) {
            a.connects()
            a.publishes("t", "x", retain: true)
            a.subscribes("t", qos: 1)
            a.takes("t", "x", retain: true)
        }
        Exchange("an empty client identifier gets return code 2 in MQTT 3.1", versions: [.v3_1]) {
            a.requests(id: "")
            a.gets(.hex("20 02 00 02"))
            a.isClosed()
        }
        Exchange("a client identifier of more than 23 bytes is accepted in MQTT 3.1", versions: [.v3_1]) {
            a.connects(id: .long(100))
        }
        // In 3.1 these packets have QoS 1 and a DUP flag for when they are sent again (sections 3.6, 3.8 and 3.10).
        Exchange("SUBSCRIBE, UNSUBSCRIBE and PUBREL may have DUP set in MQTT 3.1", versions: [.v3_1]) {
            a.connects()
            a.sends(.hex("8A 06 00 01 00 01 74 00"))
            a.gets(.subAck(1, [0]))
            a.sends(.hex("AA 05 00 02 00 01 74"))
            a.gets(.unsubAck(2, [0]))
            a.sends(.publish("t", "x", qos: 2, id: 3))
            a.gets(.pubRec(3))
            a.sends(.hex("6A 02 00 03"))
            a.gets(.pubComp(3))
        }
    }
}
