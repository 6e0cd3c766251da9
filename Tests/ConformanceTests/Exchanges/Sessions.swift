import BrokerCore
import MQTTModel

/// Sessions: clean start, expiry, takeover (3.1.1 section 3.1.2.4, 5.0 sections 3.1.2.4, 3.1.2.11.2, 3.1.4 and 4.1).
extension Exchange {
    @ExchangeList static var sessions: [Exchange] {
        sessionPresent
        sessionExpiry
        takeover
        disconnection
    }

    @ExchangeList private static var sessionPresent: [Exchange] {
        Exchange(
            "a kept session goes on, and session present says so",
            v3: ["3.1.2-4", "3.1.3-2", "3.1.4-3", "3.2.2-2", "3.2.2-3", "4.1.0-1"],
            v5: ["3.1.2-5", "3.1.2-6", "3.1.2-23", "3.1.3-2", "3.1.4-4", "3.2.2-3"], traps: [7]
        ) {
            a.connects(kept: true, present: false)
            a.subscribes("t", qos: 1)
            a.disconnects()
            a.connects(kept: true, present: true)
            b.connects()
            b.publishes("t", "x")
            a.takes("t", "x")
        }
        Exchange(
            "a clean start throws the session away",
            v3: ["3.1.2-6", "3.2.2-1"], v5: ["3.1.2-4", "3.2.2-2"], traps: [7]
        ) {
            a.connects(kept: true)
            a.subscribes("t", qos: 1)
            a.disconnects()
            b.connects()
            b.publishes("t", "queued")
            a.connects(clean: true, kept: true, present: false)
            b.publishes("t", "x")
            a.getsNothing()
        }
        Exchange("a session with clean session 1 ends with its connection", v3: ["3.1.2-6", "3.2.2-3"]) {
            a.connects()
            a.subscribes("t", qos: 1)
            a.disconnects()
            a.connects(kept: true, present: false)
            b.connects()
            b.publishes("t", "x")
            a.getsNothing()
        }
        Exchange(
            "messages of QoS 1 and 2 are queued while the client of a kept session is away",
            v3: ["3.1.2-5", "4.5.0-1"],
            v5: ["4.1.0-1", "4.5.0-1"], traps: [41]
        ) {
            a.connects(kept: true)
            a.subscribes("t", qos: 2)
            a.drops()
            b.connects()
            b.publishes("t", "1")
            b.publishesExactlyOnce("t", "2", id: 9)
            a.connects(kept: true, present: true)
            a.gets(.publish("t", "1", qos: 1, id: "m1"), .publish("t", "2", qos: 2, id: "m2"))
            a.sends(.pubAck("m1"), .pubRec("m2"))
            a.gets(.pubRel("m2"))
            a.sends(.pubComp("m2"))
            a.getsNothing()
        }
        Exchange("messages of QoS 0 are not queued for a client that is away", versions: .both, traps: [41]) {
            a.connects(kept: true)
            a.subscribes("t", qos: 1)
            a.disconnects()
            b.connects()
            b.sends(.publish("t", "0"))
            b.publishes("t", "1")
            a.connects(kept: true, present: true)
            a.takes("t", "1")
            a.getsNothing()
        }
        Exchange(
            "session state is kept while the connection is open, however long", v3: ["4.1.0-1", "4.1.0-2"],
            v5: ["4.1.0-1"]
        ) {
            a.connects(clean: true)
            a.subscribes("t", qos: 1)
            passes(.seconds(100_000))
            b.connects()
            b.publishes("t", "x")
            a.takes("t", "x")
        }
        Exchange("a retained message outlives the session that published it", v3: ["3.1.2-7"], v5: ["3.3.1-5"]) {
            a.connects()
            a.publishes("t", "x", retain: true)
            a.disconnects()
            b.connects()
            b.subscribes("t")
            b.gets(.publish("t", "x", retain: true))
        }
    }

    @ExchangeList private static var sessionExpiry: [Exchange] {
        Exchange("without a session expiry interval the session ends with its connection", v5: ["4.1.0-2"], traps: [48])
        {
            a.connects(clean: false)
            a.subscribes("t", qos: 1)
            a.drops()
            a.connects(clean: false, present: false)
        }
        Exchange(
            "a session expires when its interval has passed, not before", v5: ["4.1.0-2", "3.1.2-23"], traps: [48]
        ) {
            a.connects(clean: false, [.sessionExpiryInterval(10)])
            passes(.seconds(100))
            a.drops()
            passes(.seconds(9))
            a.connects(clean: false, present: true, [.sessionExpiryInterval(1)])
            a.disconnects()
            passes(.milliseconds(2000))
            a.connects(clean: false, present: false)
        }
        Exchange("a session expiry interval of 0xFFFFFFFF never passes", v5: ["4.1.0-2"], traps: [48]) {
            a.connects(clean: false, [.sessionExpiryInterval(.max)])
            a.disconnects()
            passes(.seconds(5_000_000_000))
            a.connects(clean: false, present: true)
        }
        Exchange("a kept session of 3.1.1 never expires", v3: ["3.1.2-4"], traps: [48]) {
            a.connects(kept: true)
            a.disconnects()
            passes(.seconds(5_000_000_000))
            a.connects(kept: true, present: true)
        }
        Exchange("DISCONNECT changes the session expiry interval", v5: ["4.1.0-2"], traps: [48]) {
            a.connects(clean: false, [.sessionExpiryInterval(10)])
            a.disconnects(0, [.sessionExpiryInterval(100)])
            passes(.seconds(50))
            a.connects(clean: false, present: true, [.sessionExpiryInterval(10)])
            a.disconnects(0, [.sessionExpiryInterval(0)])
            a.connects(clean: false, present: false)
        }
        Exchange("DISCONNECT does not raise the session expiry interval from 0", v5: ["4.13.1-1"], traps: [48]) {
            a.connects()
            a.sends(.disconnect(0, [.sessionExpiryInterval(10)]))
            a.isRefused(0x82)
        }
    }

    @ExchangeList private static var takeover: [Exchange] {
        Exchange(
            "a new connection of the same client disconnects the old one", v3: ["3.1.4-2"], v5: ["3.1.4-3"],
            traps: [15]
        ) {
            a.connects()
            b.connects(id: "a")
            a.isRefused(0x8E)
            b.sends(.pingReq)
            b.gets(.pingResp)
        }
        Exchange(
            "a takeover keeps the session and sends again what was not acknowledged",
            v3: ["3.1.4-2", "4.4.0-1"], v5: ["3.1.4-3", "4.4.0-1"], traps: [15, 30]
        ) {
            a.connects(kept: true)
            a.subscribes("t", qos: 1)
            c.connects()
            c.publishes("t", "x")
            a.gets(.publish("t", "x", qos: 1, id: 1))
            b.connects(id: "a", kept: true, present: true)
            a.isRefused(0x8E)
            b.gets(.publish("t", "x", qos: 1, id: 1, dup: true))
            b.sends(.pubAck(1))
            c.publishes("t", "y")
            b.takes("t", "y")
        }
        Exchange(
            "a takeover with a clean start leaves nothing of the old session", v3: ["3.1.2-6", "3.1.4-2"],
            v5: ["3.1.2-4", "3.1.4-3", "3.2.2-2"], traps: [7, 15]
        ) {
            a.connects(kept: true)
            a.subscribes("t", qos: 1)
            c.connects()
            c.publishes("t", "x")
            a.gets(.publish("t", "x", qos: 1, id: "m"))
            b.connects(id: "a", clean: true, kept: true, present: false)
            a.isRefused(0x8E)
            c.publishes("t", "y")
            b.getsNothing()
        }
        Exchange(
            "a takeover in the middle of a QoS 2 message passes it on once", v3: ["3.1.4-2", "4.3.3-2"],
            v5: ["3.1.4-3", "4.3.3-10"], traps: [15, 33]
        ) {
            c.connects()
            c.subscribes("t")
            a.connects(kept: true)
            a.sends(.publish("t", "x", qos: 2, id: 7))
            a.gets(.pubRec(7))
            b.connects(id: "a", kept: true, present: true)
            a.isRefused(0x8E)
            b.sends(.publish("t", "x", qos: 2, id: 7, dup: true))
            b.gets(.pubRec(7))
            b.sends(.pubRel(7))
            b.gets(.pubComp(7))
            c.gets(.publish("t", "x"))
            c.getsNothing()
        }
        Exchange(
            "a session goes on with a connection of another version", v3: ["3.1.2-4"], v5: ["3.1.2-5"], traps: [7]
        ) {
            a.connects(as: .v5_0, kept: true)
            a.subscribes("t", qos: 1, noLocal: true, [.subscriptionIdentifier(3)])
            a.drops()
            b.connects()
            b.publishes("t", "1")
            a.connects(as: .v3_1_1, kept: true, present: true)
            a.takes("t", "1")
            a.publishes("t", "own")
            a.getsNothing()
            a.disconnects()
            b.publishes("t", "2")
            a.connects(as: .v5_0, kept: true, present: true)
            a.takes("t", "2", identifiers: [3])
        }
        Exchange(
            "a takeover publishes the will of the old connection", v3: ["3.1.4-2", "3.1.2-8"],
            v5: ["3.1.4-3", "3.1.2-8"], traps: [15]
        ) {
            c.connects()
            c.subscribes("w")
            a.connects(kept: true, will: .will("w", "old"))
            b.connects(id: "a", kept: true, present: true, will: .will("w", "new"))
            a.isRefused(0x8E)
            c.gets(.publish("w", "old"))
            c.getsNothing()
        }
        Exchange(
            "a takeover with a will delay publishes no will when the session goes on, and at once when it ends",
            v5: ["3.1.3-9", "3.1.2-8"], traps: [15, 46]
        ) {
            c.connects()
            c.subscribes("w")
            a.connects(kept: true, will: .will("w", "1", delay: 100))
            b.connects(id: "a", kept: true, present: true, will: .will("w", "2", delay: 100))
            a.isRefused(0x8E)
            c.getsNothing()
            a.connects(clean: true, kept: true)
            b.isRefused(0x8E)
            c.gets(.publish("w", "2"))
        }
        Exchange(
            "a connection that does not send CONNECT is closed", v3: ["3.1.0-1"], v5: ["3.1.0-1"],
            options: { $0.limits.connectTimeout = .seconds(3) }
        ) {
            a.opens()
            passes(.milliseconds(2900))
            a.getsNothing()
            passes(.milliseconds(200))
            a.isClosed()
        }
    }

    @ExchangeList private static var disconnection: [Exchange] {
        Exchange(
            "after DISCONNECT the broker closes, and nothing behind it is processed", v3: ["3.14.4-1", "3.14.4-2"],
            v5: ["3.14.4-1", "3.14.4-2"]
        ) {
            b.connects()
            b.subscribes("t")
            a.connects()
            a.sends(.joined([.publish("t", "before"), .disconnect(), .publish("t", "behind")]))
            a.isClosed()
            b.gets(.publish("t", "before"))
            b.getsNothing()
        }
        Exchange(
            "a shutdown tells 5.0 clients, closes all, and publishes no will", versions: .both
        ) {
            a.connects()
            a.subscribes("w")
            b.connects(will: .will("w", "x"))
            shutsDown()
            a.isRefused(0x8B)
            b.isRefused(0x8B)
        }
        Exchange(
            "the server's DISCONNECT has no session expiry interval and a listed code",
            v5: ["3.14.2-2", "3.14.2-1", "3.14.4-1", "3.14.4-2"]
        ) {
            // The form is checked by the runner.
            a.connects(kept: true)
            a.sends(.connect())
            a.isRefused(0x82)
        }
        Exchange(
            "reason strings in DISCONNECT, SUBACK and acknowledgements fit the client's maximum packet size",
            v5: [
                "3.14.2-3", "3.14.2-4", "3.4.2-2", "3.4.2-3", "3.5.2-2", "3.5.2-3", "3.6.2-2", "3.6.2-3", "3.7.2-2",
                "3.7.2-3", "3.9.2-1", "3.9.2-2", "3.11.2-1", "3.11.2-2", "3.1.2-24",
            ], traps: [37, 38]
        ) {
            // The smallest packets that answer are 4 to 6 bytes; the runner checks every size.
            a.connects([.maximumPacketSize(60)])
            a.connects(id: "tiny", [.maximumPacketSize(30)])
            a.sends(.publish("$SYS/x", "x", qos: 1, id: 1), .publish("$SYS/x", "x", qos: 2, id: 2))
            a.gets(.pubAck(1, [0x87, 0x90]), .pubRec(2, [0x87, 0x90]))
            a.sends(.pubRel(9))
            a.gets(.pubComp(9, [0x92]))
            a.sends(.unsubscribe("no"))
            a.gets(.unsubAck(1, [0x11]))
            a.sends(.pubRec(9))
            a.gets(.pubRel(9, [0, 0x92]))
            a.sends(.connect())
            a.isRefused(0x82)
        }
    }
}
