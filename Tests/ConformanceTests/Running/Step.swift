import MQTTModel

/// One step of an exchange.
enum Step: Sendable {
    case open(Client)
    case send(Client, ClientPacket)
    case get(Client, [Expected], inOrder: Bool)
    /// The packet comes, or the connection is closed without it.
    case getOrClose(Client, Expected)
    case getNothing(Client)
    case isClosed(Client)
    /// 5.0: DISCONNECT with one of the codes, then closed. 3.x: closed without a word.
    case isRefused(Client, [UInt8])
    /// The network connection breaks.
    case drop(Client)
    /// Virtual time passes; nothing else happens meanwhile.
    case pass(Duration)
    /// The next packet, or the close, comes within this time: passes in virtual time, and is waited for over a socket.
    case await(Duration)
    case shutDown
    case only([ProtocolVersion], [Step])

    var needsVirtualTime: Bool {
        switch self {
        case .pass: true
        case .only(_, let steps): steps.contains { $0.needsVirtualTime }
        case .open, .send, .get, .getOrClose, .getNothing, .isClosed, .isRefused, .drop, .await, .shutDown: false
        }
    }
}

/// A client in an exchange. Its name is its client identifier unless a CONNECT says otherwise; the packet identifiers
/// that the broker chose are known by their names until they are acknowledged, also across connections.
struct Client: Sendable, Hashable {
    let name: String
}

let a = Client(name: "a")
let b = Client(name: "b")
let c = Client(name: "c")

extension Client {
    func opens() -> Step { .open(self) }
    func sends(_ packets: ClientPacket...) -> [Step] { packets.map { .send(self, $0) } }
    func gets(_ expected: Expected...) -> Step { .get(self, expected, inOrder: true) }
    func getsInAnyOrder(_ expected: Expected...) -> Step { .get(self, expected, inOrder: false) }
    func getsInAnyOrder(of expected: [Expected]) -> Step { .get(self, expected, inOrder: false) }
    func mayGet(_ expected: Expected) -> Step { .getOrClose(self, expected) }
    func getsNothing() -> Step { .getNothing(self) }
    func isClosed() -> Step { .isClosed(self) }
    func isRefused(_ codes: UInt8...) -> Step { .isRefused(self, codes) }
    func isRefusedWith(_ codes: [UInt8]) -> Step { .isRefused(self, codes) }
    func drops() -> Step { .drop(self) }

    /// The CONNECT was refused. 5.0: CONNACK with one of the codes, then closed. 3.x: closed without CONNACK.
    func isRejected(_ codes: UInt8...) -> Step {
        let answer = Expected.connAcknowledgement(codes: codes, isPresent: false, properties: [], absent: [])
        return .only(.all, [.only(.v5, [gets(answer)]), .isClosed(self)])
    }

    /// Opens a network connection and sends CONNECT.
    func requests(
        as version: ProtocolVersion? = nil, id: Text? = nil, clean: Bool = true, keepAlive: UInt16 = 0,
        will: WillFields? = nil, user: Text? = nil, password: Text? = nil, _ properties: PropertyList = []
    ) -> [Step] {
        let packet = ClientPacket.connect(
            as: version, id: id, clean: clean, keepAlive: keepAlive, will: will, user: user, password: password,
            properties)
        return [.open(self), .send(self, packet)]
    }

    /// Connects and is accepted. `kept` for a session that outlives the connection: CleanSession 0 in 3.x, Clean Start
    /// 0 with an expiry of 1000 s in 5.0. `present` is what CONNACK has to say.
    func connects(
        as version: ProtocolVersion? = nil, id: Text? = nil, clean: Bool? = nil, kept: Bool = false,
        present: Bool = false, keepAlive: UInt16 = 0, will: WillFields? = nil, user: Text? = nil,
        password: Text? = nil, _ properties: PropertyList = []
    ) -> [Step] {
        let expiry: PropertyList = kept ? [.sessionExpiryInterval(1000)] : []
        let request = requests(
            as: version, id: id, clean: clean ?? !kept, keepAlive: keepAlive, will: will, user: user,
            password: password, expiry + properties)
        return request + [gets(.connAck(0, present: present))]
    }

    /// DISCONNECT, and the broker closes.
    func disconnects(_ code: UInt8? = nil, _ properties: PropertyList? = nil) -> [Step] {
        [.send(self, .disconnect(code, properties)), .isClosed(self)]
    }

    /// Subscribes to one filter and is granted its QoS.
    func subscribes(
        _ filter: Text, qos: UInt8 = 0, noLocal: Bool = false, retainAsPublished: Bool = false, handling: UInt8 = 0,
        _ properties: PropertyList = []
    ) -> [Step] {
        let entry = FilterFields.filter(
            filter, qos: qos, noLocal: noLocal, retainAsPublished: retainAsPublished, handling: handling)
        return [.send(self, .subscription(1000, [entry], properties)), gets(.subAck(1000, [qos]))]
    }

    func unsubscribes(_ filter: Text) -> [Step] {
        [.send(self, .unsubscription(1001, [filter], [])), gets(.unsubAck(1001, [0x00]))]
    }

    /// Publishes with QoS 1 and is acknowledged.
    func publishes(
        _ topic: Text, _ payload: Text, retain: Bool = false, _ properties: PropertyList = []
    ) -> [Step] {
        let packet = ClientPacket.publish(topic, payload, qos: 1, id: 1002, retain: retain, properties)
        return [.send(self, packet), gets(.pubAck(1002))]
    }

    /// Publishes with QoS 2, to the end.
    func publishesExactlyOnce(_ topic: Text, _ payload: Text, id: Identifier, retain: Bool = false) -> [Step] {
        [
            .send(self, .publish(topic, payload, qos: 2, id: id, retain: retain)), gets(.pubRec(id)),
            .send(self, .pubRel(id)), gets(.pubComp(id)),
        ]
    }

    /// Gets a QoS 1 message and acknowledges it.
    func takes(
        _ topic: Text, _ payload: Text, retain: Bool = false, _ properties: [Property] = [],
        identifiers: [UInt32] = []
    ) -> [Step] {
        [
            gets(
                .publish(
                    topic, payload, qos: 1, id: "taken", retain: retain, properties, identifiers: identifiers)),
            .send(self, .pubAck("taken")),
        ]
    }
}

func passes(_ duration: Duration) -> Step { .pass(duration) }
func awaits(_ duration: Duration) -> Step { .await(duration) }
func shutsDown() -> Step { .shutDown }
func only(_ versions: [ProtocolVersion], @StepList _ steps: () -> [Step]) -> Step { .only(versions, steps()) }
