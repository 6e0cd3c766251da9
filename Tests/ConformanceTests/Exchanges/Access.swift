import AccessControl
import BrokerCore
import MQTTModel

/// Authentication (5.0 section 4.12) and authorization: what clients are told, in every version.
extension Exchange {
    @ExchangeList static var access: [Exchange] {
        admission
        enhancedAuthentication
        reauthentication
        denials
    }

    private static let checked: @Sendable (inout BrokerOptions) -> Void = {
        $0.access = AccessPolicy(checksClients: true)
    }

    private static let method: Property = .authenticationMethod("steps")

    @ExchangeList private static var admission: [Exchange] {
        Exchange(
            "a bad user name or password is refused with 0x86, in 3.x with 4", v3: ["3.1.4-5", "3.2.2-4"],
            v5: ["3.1.4-2"], versions: .all, options: checked
        ) {
            a.requests(user: "bad", password: "x")
            only(.v5) { a.gets(.connAck(0x86)) }
            only([.v3_1, .v3_1_1]) { a.gets(.connAck(4)) }
            a.isClosed()
        }
        Exchange(
            "a client that may not connect is refused with 0x87, in 3.x with 5", v3: ["3.2.2-4"], v5: ["3.1.4-2"],
            versions: .all, options: checked
        ) {
            a.requests(user: "stranger", password: "x")
            only(.v5) { a.gets(.connAck(0x87)) }
            only([.v3_1, .v3_1_1]) { a.gets(.connAck(5)) }
            a.isClosed()
        }
        Exchange(
            "a refused CONNECT leaves the session of its client identifier alone", v3: ["3.1.4-5"], v5: ["3.1.4-6"],
            options: checked
        ) {
            b.connects(id: "same", user: "good", password: "x")
            b.subscribes("t", qos: 1)
            a.requests(id: "same", user: "bad", password: "x")
            only(.v5) { a.gets(.connAck(0x86)) }
            only(.v3) { a.gets(.connAck(4)) }
            a.isClosed()
            c.connects(user: "good", password: "x")
            c.publishes("t", "still there")
            b.takes("t", "still there")
        }
        Exchange(
            "what follows a CONNECT waits for its answer", v3: ["3.2.0-1"], v5: ["3.2.0-1"], options: checked
        ) {
            b.connects(user: "good", password: "x")
            b.subscribes("t")
            a.opens()
            a.sends(.joined([.connect(id: "a", user: "good", password: "x"), .publish("t", "x")]))
            a.gets(.connAck(0))
            b.gets(.publish("t", "x"))
        }
    }

    @ExchangeList private static var enhancedAuthentication: [Exchange] {
        Exchange(
            "AUTH goes to and fro with 0x18 and the method, then CONNACK has the method",
            v5: ["4.12.0-2", "4.12.0-5", "3.2.0-1", "3.1.4-6"], options: checked
        ) {
            a.requests([method, .authenticationData([2])])
            a.gets(.auth(0x18, [method, .authenticationData([2])]))
            a.sends(.auth(0x18, [method, .authenticationData([9])]))
            a.gets(.auth(0x18, [method, .authenticationData([1])]))
            a.sends(.auth(0x18, [method, .authenticationData([9])]))
            a.gets(.connAck(0, has: [method, .authenticationData([0])]))
        }
        Exchange(
            "an authentication that fails ends with the reason and a close", v5: ["4.12.0-4"], options: checked
        ) {
            a.requests([method, .authenticationData([1])])
            a.gets(.auth(0x18, [method, .authenticationData([1])]))
            a.sends(.auth(0x18, [method, .authenticationData([255])]))
            a.isRejected(0x87)
        }
        Exchange("a method that nobody knows is refused with 0x8C", v5: ["4.12.0-1"], options: checked) {
            a.requests([.authenticationMethod("unknown"), .authenticationData([1])])
            a.isRejected(0x8C)
        }
        for (what, packet) in [
            ("PINGREQ", ClientPacket.pingReq), ("PUBLISH", .publish("t", "x")),
            ("AUTH of another method", .auth(0x18, [.authenticationMethod("other"), .authenticationData([1])])),
            ("AUTH 0x19", .auth(0x19, [.authenticationMethod("steps"), .authenticationData([1])])),
            ("AUTH without a method", .auth(0x18)),
        ] {
            Exchange(
                "before CONNACK a packet that is a \(what) is an error", v5: ["3.1.2-30", "4.12.0-3"], options: checked
            ) {
                a.requests([method, .authenticationData([1])])
                a.gets(.auth(0x18, [method, .authenticationData([1])]))
                a.sends(packet)
                a.isRejected(0x82)
            }
        }
        Exchange("before CONNACK a client may leave with DISCONNECT", v5: ["3.1.2-30"], options: checked) {
            a.requests([method, .authenticationData([1])])
            a.gets(.auth(0x18, [method, .authenticationData([1])]))
            a.sends(.disconnect(0))
            a.isClosed()
        }
        Exchange("an AUTH that is too large for the client is not sent", v5: ["3.1.2-24"], options: checked) {
            a.requests([method, .authenticationData([1]), .maximumPacketSize(15)])
            a.isRejected(0x95)
        }
    }

    @ExchangeList private static var reauthentication: [Exchange] {
        Exchange(
            "a client proves itself again, and everything goes on meanwhile", v5: ["4.12.0-2", "4.12.0-5", "4.12.1-1"],
            options: checked
        ) {
            a.connects([method, .authenticationData([0])])
            a.subscribes("t")
            a.sends(.auth(0x19, [method, .authenticationData([1])]))
            a.gets(.auth(0x18, [method, .authenticationData([1])]))
            a.publishes("other", "x")
            a.sends(.auth(0x18, [method, .authenticationData([9])]))
            a.gets(.auth(0x00, [method, .authenticationData([0])]))
            a.sends(.publish("t", "y"))
            a.gets(.publish("t", "y"))
        }
        Exchange("a proof that fails ends the connection", v5: ["4.12.1-2"], options: checked) {
            a.connects([method, .authenticationData([0])])
            a.sends(.auth(0x19, [method, .authenticationData([255])]))
            a.isRefused(0x87)
        }
        Exchange("re-authentication with another method is an error", v5: ["4.12.1-1"], options: checked) {
            a.connects([method, .authenticationData([0])])
            a.sends(.auth(0x19, [.authenticationMethod("other"), .authenticationData([0])]))
            a.isRefused(0x82)
        }
        Exchange("an AUTH 0x18 that answers nothing is an error", v5: ["4.12.0-3"], options: checked) {
            a.connects([method, .authenticationData([0])])
            a.sends(.auth(0x18, [method, .authenticationData([0])]))
            a.isRefused(0x82)
        }
    }

    @ExchangeList private static var denials: [Exchange] {
        let rules: @Sendable (inout BrokerOptions) -> Void = {
            $0.access = AccessPolicy(
                rules: "allow everyone read #\nallow everyone write open/#\ndeny everyone read secret/#")
        }
        Exchange(
            "a publish that is not allowed: 0x87 in 5.0, acknowledged and dropped in 3.x", v3: ["3.3.5-2"],
            v5: ["3.3.4-1"], options: rules
        ) {
            b.connects()
            b.subscribes("closed/t", qos: 2)
            a.connects()
            a.sends(.publish("closed/t", "zero"))
            a.sends(.publish("closed/t", "one", qos: 1, id: 1))
            only(.v5) { a.gets(.pubAck(1, [0x87])) }
            only(.v3) { a.gets(.pubAck(1)) }
            a.sends(.publish("closed/t", "two", qos: 2, id: 2))
            only(.v5) { a.gets(.pubRec(2, [0x87])) }
            only(.v3) {
                a.gets(.pubRec(2))
                a.sends(.pubRel(2))
                a.gets(.pubComp(2))
            }
            b.getsNothing()
        }
        Exchange(
            "a publish that is not allowed closes a 3.x connection where that is set", v3: ["3.3.5-2"],
            options: {
                rules(&$0)
                $0.access?.deniedPublish = .close
            }
        ) {
            a.connects()
            a.sends(.publish("closed/t", "one", qos: 1, id: 1))
            a.isClosed()
        }
        Exchange(
            "a subscription that would reach further than what is allowed is refused, alone of its SUBSCRIBE",
            v3: ["3.9.3-2"], v5: ["3.8.4-6"], options: rules
        ) {
            a.connects()
            a.sends(
                .subscription(1, [.filter("#"), .filter("open/#", qos: 1), .filter("secret/x"), .filter("+/x")], []))
            a.gets(.subAck(1, [0x87, 1, 0x87, 0x87]))
        }
        Exchange(
            "a will that is not allowed is refused with its CONNECT", v3: ["3.1.4-5"], v5: ["3.1.4-2"], options: rules
        ) {
            a.requests(will: .will("closed/w", "x"))
            only(.v5) { a.gets(.connAck(0x87)) }
            only(.v3) { a.gets(.connAck(5)) }
            a.isClosed()
        }
    }
}
