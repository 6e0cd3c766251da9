import MQTTModel

/// Retained messages (section 3.3.1.3, and the options of 5.0 section 3.8.3.1).
extension Exchange {
    @ExchangeList static var retained: [Exchange] {
        storing
        sendingAtSubscribe
        retainHandling
        retainAsPublished
    }

    @ExchangeList private static var storing: [Exchange] {
        Exchange(
            "a retained message is stored with its QoS and sent to new subscriptions with RETAIN 1",
            v3: ["3.3.1-5", "3.3.1-6", "3.3.1-8"], v5: ["3.3.1-5", "3.3.1-9"], traps: [45]
        ) {
            b.connects()
            b.publishes("t/1", "old", retain: true)
            b.publishes("t/1", "1", retain: true)
            b.publishesExactlyOnce("t/2", "2", id: 2, retain: true)
            b.sends(.publish("t/3", "3", retain: true))
            // When it is acknowledged the broker has what came before.
            b.publishes("u", "x")
            a.connects()
            a.sends(.subscribe(.filter("t/+", qos: 2)))
            a.gets(.subAck(1, [2]))
            a.getsInAnyOrder(
                .publish("t/1", "1", qos: 1, id: "m1", retain: true),
                .publish("t/2", "2", qos: 2, id: "m2", retain: true),
                .publish("t/3", "3", qos: 0, retain: true))
            a.getsNothing()
        }
        Exchange(
            "a retained QoS 0 message replaces a retained QoS 1 message", v3: ["3.3.1-7"], v5: ["3.3.1-5"],
            traps: [45]
        ) {
            a.connects()
            a.publishes("t", "1", retain: true)
            a.sends(.publish("t", "0", retain: true))
            // When it is acknowledged the broker has what came before.
            a.publishes("u", "x")
            a.subscribes("t", qos: 1)
            a.gets(.publish("t", "0", qos: 0, retain: true))
            a.getsNothing()
        }
        Exchange(
            "an empty payload removes the retained message, and is delivered as usual",
            v3: ["3.3.1-10", "3.3.1-11"], v5: ["3.3.1-6", "3.3.1-7"], traps: [45]
        ) {
            b.connects()
            b.publishes("t", "x", retain: true)
            a.connects()
            a.subscribes("t", qos: 1)
            a.takes("t", "x", retain: true)
            b.publishes("t", "", retain: true)
            a.takes("t", "")
            c.connects()
            c.subscribes("t", qos: 1)
            c.getsNothing()
            b.publishes("u", "", retain: true)
            c.subscribes("u", qos: 1)
            c.getsNothing()
        }
        Exchange(
            "a message without RETAIN neither stores nor changes what is retained", v3: ["3.3.1-12"],
            v5: ["3.3.1-8"]
        ) {
            b.connects()
            b.publishes("t", "kept", retain: true)
            b.publishes("t", "x")
            b.publishes("t", "")
            b.publishes("u", "x")
            a.connects()
            a.subscribes("t", qos: 1)
            a.takes("t", "kept", retain: true)
            a.subscribes("u", qos: 1)
            a.getsNothing()
        }
        Exchange(
            "to a subscription that exists a retained message comes with RETAIN 0", v3: ["3.3.1-9"],
            v5: ["3.3.1-12"], traps: [45]
        ) {
            a.connects()
            a.subscribes("t", qos: 1)
            b.connects()
            b.publishes("t", "x", retain: true)
            a.takes("t", "x", retain: false)
            a.getsNothing()
        }
    }

    @ExchangeList private static var sendingAtSubscribe: [Exchange] {
        Exchange(
            "retained messages come at the lower of their own QoS and the granted one", v3: ["3.8.4-6"],
            v5: ["3.8.4-8"], traps: [45]
        ) {
            b.connects()
            b.publishesExactlyOnce("t", "x", id: 2, retain: true)
            a.connects()
            a.subscribes("t", qos: 0)
            a.gets(.publish("t", "x", qos: 0, retain: true))
            a.subscribes("t", qos: 1)
            a.gets(.publish("t", "x", qos: 1, id: "m", retain: true))
        }
        Exchange(
            "subscribing again sends retained messages again", v3: ["3.8.4-3", "3.3.1-6"], v5: ["3.8.4-4", "3.3.1-9"],
            traps: [45]
        ) {
            b.connects()
            b.publishes("t", "x", retain: true)
            a.connects(kept: true)
            for _ in 1...2 {
                a.subscribes("t", qos: 1)
                a.takes("t", "x", retain: true)
            }
            a.disconnects()
            a.connects(kept: true, present: true)
            a.getsNothing()
            a.subscribes("t", qos: 1)
            a.takes("t", "x", retain: true)
        }
        Exchange("retained messages are sent for each filter of a SUBSCRIBE", v3: ["3.3.1-6"], v5: ["3.3.1-9"]) {
            b.connects()
            b.publishes("t/1", "1", retain: true)
            b.publishes("u", "2", retain: true)
            a.connects()
            a.sends(.subscribe(.filter("t/+"), .filter("u"), .filter("v")))
            a.gets(.subAck(1, [0, 0, 0]))
            a.getsInAnyOrder(.publish("t/1", "1", retain: true), .publish("u", "2", retain: true))
            a.getsNothing()
        }
        Exchange("retained messages carry the subscription identifier", v5: ["3.3.4-3"], traps: [45]) {
            b.connects()
            b.publishes("t", "x", retain: true)
            a.connects()
            a.subscribes("#", qos: 1)
            a.takes("t", "x", retain: true)
            a.subscribes("t", qos: 1, [.subscriptionIdentifier(4)])
            a.takes("t", "x", retain: true, identifiers: [4])
        }
        Exchange(
            "who subscribes after the publisher's PUBACK gets the retained message", v3: ["3.3.1-6"], v5: ["3.3.1-9"]
        ) {
            a.connects()
            b.connects()
            c.connects()
            for number in 1...5 {
                a.publishes("t/\(number)", "x", retain: true)
                b.subscribes("t/\(number)", qos: 1)
                b.takes("t/\(number)", "x", retain: true)
                c.subscribes("+/\(number)")
                c.gets(.publish("t/\(number)", "x", retain: true))
            }
        }
        Exchange("retained messages respect the receive maximum", v5: ["3.3.4-9"], traps: [35, 45]) {
            b.connects()
            for number in 1...3 { b.publishes("t/\(number)", "x", retain: true) }
            a.connects([.receiveMaximum(1)])
            a.subscribes("t/1", qos: 1)
            a.gets(.publish("t/1", "x", qos: 1, id: "m1", retain: true))
            a.subscribes("t/2", qos: 1)
            a.getsNothing()
            a.sends(.pubAck("m1"))
            a.takes("t/2", "x", retain: true)
            a.getsNothing()
        }
    }

    @ExchangeList private static var retainHandling: [Exchange] {
        Exchange(
            "retain handling 1 sends retained messages for a new subscription only", v5: ["3.3.1-10"], traps: [45]
        ) {
            b.connects()
            b.publishes("t", "x", retain: true)
            a.connects(kept: true)
            a.subscribes("t", qos: 1, handling: 1)
            a.takes("t", "x", retain: true)
            a.subscribes("t", qos: 0, handling: 1)
            a.getsNothing()
            a.disconnects()
            a.connects(kept: true, present: true)
            a.subscribes("t", qos: 1, handling: 1)
            a.getsNothing()
            // Newness is a filter's: another one that matches is new.
            a.subscribes("+", qos: 1, handling: 1)
            a.takes("t", "x", retain: true)
            a.unsubscribes("t")
            a.subscribes("t", qos: 1, handling: 1)
            a.takes("t", "x", retain: true)
        }
        Exchange("retain handling 2 never sends retained messages", v5: ["3.3.1-11"], traps: [45]) {
            b.connects()
            b.publishes("t", "x", retain: true)
            a.connects()
            a.subscribes("t", qos: 1, handling: 2)
            a.subscribes("t", qos: 1, handling: 2)
            a.getsNothing()
            b.publishes("t", "live", retain: true)
            a.takes("t", "live")
        }
        Exchange("retain handling counts for each filter of a SUBSCRIBE", v5: ["3.3.1-9", "3.3.1-11"], traps: [45]) {
            b.connects()
            for topic in ["0", "1", "2"] { b.publishes(Text(topic), Text(topic), retain: true) }
            a.connects()
            a.sends(.subscribe(.filter("0", handling: 0), .filter("1", handling: 1), .filter("2", handling: 2)))
            a.gets(.subAck(1, [0, 0, 0]))
            a.getsInAnyOrder(.publish("0", "0", retain: true), .publish("1", "1", retain: true))
            a.getsNothing()
        }
    }

    @ExchangeList private static var retainAsPublished: [Exchange] {
        Exchange(
            "retain as published keeps the RETAIN flag that a message came with", v5: ["3.3.1-12", "3.3.1-13"],
            traps: [45]
        ) {
            a.connects()
            a.subscribes("t", qos: 1, retainAsPublished: true)
            b.connects()
            b.subscribes("t", qos: 1)
            c.connects()
            c.publishes("t", "1", retain: true)
            c.publishes("t", "2", retain: false)
            a.takes("t", "1", retain: true)
            a.takes("t", "2", retain: false)
            b.takes("t", "1", retain: false)
            b.takes("t", "2", retain: false)
            c.publishes("t", "", retain: true)
            a.takes("t", "", retain: true)
            b.takes("t", "", retain: false)
        }
        Exchange(
            "retained messages come with RETAIN 1 whatever retain as published says", v5: ["3.3.1-9"], traps: [45]
        ) {
            c.connects()
            c.publishes("t", "1", retain: true)
            a.connects()
            a.subscribes("t", qos: 1, retainAsPublished: true)
            a.takes("t", "1", retain: true)
            b.connects()
            b.subscribes("t", qos: 1, retainAsPublished: false)
            b.takes("t", "1", retain: true)
        }
        Exchange("retain as published holds for queued messages", v5: ["3.3.1-13"], traps: [45]) {
            a.connects(kept: true)
            a.subscribes("t", qos: 1, retainAsPublished: true)
            a.disconnects()
            c.connects()
            c.publishes("t", "1", retain: true)
            a.connects(kept: true, present: true)
            a.takes("t", "1", retain: true)
        }
    }
}
