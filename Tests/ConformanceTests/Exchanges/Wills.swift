import BrokerCore
import MQTTModel

/// Will messages (section 3.1.2.5) and keep alive (section 3.1.2.10).
extension Exchange {
    @ExchangeList static var wills: [Exchange] {
        publishing
        willDelay
        keepAlive
    }

    @ExchangeList private static var publishing: [Exchange] {
        Exchange(
            "the will is published when the connection breaks", v3: ["3.1.2-8", "3.1.2-16", "4.1.0-1"],
            v5: ["3.1.2-7", "3.1.2-8", "3.1.2-14"]
        ) {
            b.connects()
            b.subscribes("w", qos: 2)
            a.connects(will: .will("w", "gone", qos: 1))
            b.getsNothing()
            a.drops()
            b.takes("w", "gone")
            b.getsNothing()
            c.connects()
            c.subscribes("w")
            c.getsNothing()
        }
        Exchange("a will of QoS 2 goes the way of any QoS 2 message", v3: ["3.1.2-8"], v5: ["3.1.2-8"], traps: [46]) {
            b.connects()
            b.subscribes("w", qos: 2)
            a.connects(will: .will("w", "gone", qos: 2))
            a.drops()
            b.gets(.publish("w", "gone", qos: 2, id: "m"))
            b.sends(.pubRec("m"))
            b.gets(.pubRel("m"))
            b.sends(.pubComp("m"))
        }
        Exchange(
            "DISCONNECT deletes the will", v3: ["3.1.2-10", "3.14.4-3"], v5: ["3.1.2-10", "3.14.4-3"], traps: [46]
        ) {
            b.connects()
            b.subscribes("w")
            a.connects(will: .will("w", "gone"))
            a.disconnects()
            b.getsNothing()
            a.connects()
            a.drops()
            b.getsNothing()
        }
        for code in [UInt8(0x04), 0x80, 0x81, 0x82, 0x97] {
            Exchange(
                "DISCONNECT \([code].hexDigits) publishes the will", v5: ["3.1.2-8", "3.14.4-3"], traps: [46]
            ) {
                b.connects()
                b.subscribes("w")
                a.connects(will: .will("w", "gone"))
                a.disconnects(code)
                b.gets(.publish("w", "gone"))
            }
        }
        Exchange("a will is published once", v3: ["3.1.2-10"], v5: ["3.1.2-10"]) {
            b.connects()
            b.subscribes("w")
            a.connects(kept: true, will: .will("w", "gone"))
            a.drops()
            b.gets(.publish("w", "gone"))
            a.connects(kept: true, present: true)
            a.drops()
            b.getsNothing()
        }
        Exchange("without a will nothing is published", v3: ["3.1.2-12"], v5: ["3.1.2-8"]) {
            b.connects()
            b.subscribes("#")
            a.connects()
            a.drops()
            b.getsNothing()
        }
        Exchange("a will may be empty", v3: ["3.1.2-9"], v5: ["3.1.2-9"]) {
            b.connects()
            b.subscribes("w")
            a.connects(will: .will("w", ""))
            a.drops()
            b.gets(.publish("w", ""))
        }
        Exchange(
            "a will with retain is a retained message", v3: ["3.1.2-17"], v5: ["3.1.2-15"], traps: [46]
        ) {
            b.connects()
            b.subscribes("w", qos: 1)
            a.connects(will: .will("w", "gone", qos: 1, retain: true))
            a.drops()
            b.takes("w", "gone", retain: false)
            c.connects()
            c.subscribes("w", qos: 1)
            c.takes("w", "gone", retain: true)
        }
        Exchange(
            "an empty will with retain removes the retained message", v3: ["3.1.2-17"], v5: ["3.1.2-15"], traps: [46]
        ) {
            b.connects()
            b.publishes("w", "x", retain: true)
            b.subscribes("w")
            b.gets(.publish("w", "x", retain: true))
            a.connects(will: .will("w", "", retain: true))
            a.drops()
            b.gets(.publish("w", ""))
            c.connects()
            c.subscribes("w")
            c.getsNothing()
        }
        Exchange("a will to $SYS is published to nobody", versions: .both, traps: [43, 46]) {
            b.connects()
            b.subscribes("$SYS/x")
            a.requests(will: .will("$SYS/x", "gone"))
            // Refusing the CONNECT would be as good.
            a.mayGet(.connAcknowledgement(codes: [0, 0x87, 0x90], isPresent: false, properties: [], absent: []))
            a.drops()
            b.getsNothing()
        }
        Exchange(
            "any QoS and RETAIN are accepted in a will", v5: ["3.2.2-12", "3.2.2-13", "3.2.2-9"]
        ) {
            a.requests(will: .will("w", "x", qos: 2, retain: true))
            a.gets(.connAck(0, absent: [.maximumQoS, .retainAvailable]))
        }
    }

    @ExchangeList private static var willDelay: [Exchange] {
        Exchange(
            "a delayed will is published when its delay has passed, not before", v5: ["3.1.2-8", "3.1.2-7"],
            traps: [46, 47]
        ) {
            b.connects()
            b.subscribes("w")
            a.connects(kept: true, will: .will("w", "gone", delay: 5))
            a.drops()
            passes(.milliseconds(5000))
            b.getsNothing()
            passes(.milliseconds(200))
            b.gets(.publish("w", "gone"))
        }
        Exchange(
            "a client that comes back within the delay has no will published", v5: ["3.1.3-9", "3.1.2-8"], traps: [46]
        ) {
            b.connects()
            b.subscribes("w")
            a.connects(kept: true, will: .will("w", "gone", delay: 5))
            a.drops()
            passes(.seconds(4))
            a.connects(kept: true, present: true)
            passes(.seconds(10))
            b.getsNothing()
            a.drops()
            passes(.seconds(10))
            b.getsNothing()
        }
        Exchange("the end of the session comes before the end of the delay", v5: ["3.1.2-8"], traps: [46]) {
            b.connects()
            b.subscribes("w")
            a.connects(clean: false, will: .will("w", "gone", delay: 100), [.sessionExpiryInterval(3)])
            a.drops()
            passes(.milliseconds(2900))
            b.getsNothing()
            passes(.milliseconds(400))
            b.gets(.publish("w", "gone"))
            passes(.seconds(200))
            b.getsNothing()
        }
        Exchange("without a session expiry interval there is no delay", v5: ["3.1.2-8"], traps: [46]) {
            b.connects()
            b.subscribes("w")
            a.connects(will: .will("w", "gone", delay: 100))
            a.drops()
            b.gets(.publish("w", "gone"))
        }
        Exchange("a clean start ends the session, so its delayed will is sent at once", v5: ["3.1.2-8"], traps: [46]) {
            b.connects()
            b.subscribes("w")
            a.connects(kept: true, will: .will("w", "gone", delay: 100))
            a.drops()
            b.getsNothing()
            a.connects(clean: true)
            b.gets(.publish("w", "gone"))
        }
        Exchange("DISCONNECT 0x04 publishes the will after its delay", v5: ["3.1.2-8"], traps: [46]) {
            b.connects()
            b.subscribes("w")
            a.connects(kept: true, will: .will("w", "gone", delay: 5))
            a.disconnects(0x04)
            b.getsNothing()
            passes(.milliseconds(5200))
            b.gets(.publish("w", "gone"))
        }
        Exchange("the expiry of a will counts from its publication", v5: ["3.3.2-6"], traps: [39, 46]) {
            b.connects()
            b.subscribes("w")
            a.connects(kept: true, will: .will("w", "gone", delay: 5, [.messageExpiryInterval(8)]))
            a.drops()
            passes(.milliseconds(5200))
            b.gets(.publish("w", "gone", [.messageExpiryInterval(8)]))
        }
    }

    @ExchangeList private static var keepAlive: [Exchange] {
        Exchange(
            "silence of one and a half keep alives closes the connection and publishes the will",
            v3: ["3.1.2-24", "3.1.2-8"], v5: ["3.1.2-22", "3.1.2-8"], traps: [9]
        ) {
            b.connects()
            b.subscribes("w")
            a.connects(keepAlive: 2, will: .will("w", "gone"))
            passes(.milliseconds(2900))
            a.getsNothing()
            b.getsNothing()
            passes(.milliseconds(200))
            a.isRefused(0x8D)
            b.gets(.publish("w", "gone"))
        }
        Exchange(
            "a keep alive of one second is held to one and a half, on a real clock as well", v3: ["3.1.2-24"],
            v5: ["3.1.2-22"], traps: [9]
        ) {
            a.connects(keepAlive: 1)
            awaits(.milliseconds(1600))
            a.isRefused(0x8D)
        }
        Exchange("any packet starts the keep alive anew", v3: ["3.1.2-24"], v5: ["3.1.2-22"], traps: [9]) {
            a.connects(keepAlive: 2)
            passes(.milliseconds(2500))
            a.sends(.pingReq)
            a.gets(.pingResp)
            passes(.milliseconds(2500))
            a.sends(.publish("t", "x"))
            passes(.milliseconds(2500))
            a.sends(.pubAck(9))
            passes(.milliseconds(2500))
            a.getsNothing()
            passes(.milliseconds(600))
            a.isRefused(0x8D)
        }
        Exchange(
            "what is sent to a client does not count for its keep alive", v3: ["3.1.2-24"], v5: ["3.1.2-22"], traps: [9]
        ) {
            b.connects()
            a.connects(keepAlive: 2)
            a.subscribes("t")
            passes(.milliseconds(2500))
            b.sends(.publish("t", "x"))
            a.gets(.publish("t", "x"))
            passes(.milliseconds(600))
            a.isRefused(0x8D)
        }
        Exchange("keep alive 0 never closes", v3: ["3.1.2-24"], v5: ["3.1.2-22"], traps: [9]) {
            a.connects(keepAlive: 0)
            passes(.seconds(1_000_000))
            a.getsNothing()
        }
        Exchange(
            "a server keep alive below the client's is announced and held", v5: ["3.2.2-21", "3.1.2-21"], traps: [8],
            options: { $0.limits.maximumKeepAlive = 10 }
        ) {
            a.requests(keepAlive: 60)
            a.gets(.connAck(0, has: [.serverKeepAlive(10)]))
            b.requests(keepAlive: 0)
            b.gets(.connAck(0, has: [.serverKeepAlive(10)]))
            c.requests(keepAlive: 5)
            c.gets(.connAck(0, absent: [.serverKeepAlive]))
            passes(.milliseconds(7600))
            c.isRefused(0x8D)
            passes(.milliseconds(7300))
            a.getsNothing()
            passes(.milliseconds(200))
            a.isRefused(0x8D)
            b.isRefused(0x8D)
        }
    }
}
