/// A control packet (section 2.1.2 of both standards), decoded.
///
/// One file per packet beside this one. The large, rare ones are boxed so that the frequent ones stay small.
package enum Packet: Sendable {
    indirect case connect(Connect)
    indirect case connAck(ConnAck)
    case publish(Publish)
    /// PUBACK, PUBREC, PUBREL or PUBCOMP.
    case acknowledgement(Acknowledgement)
    indirect case subscribe(Subscribe)
    indirect case subAck(SubAck)
    indirect case unsubscribe(Unsubscribe)
    indirect case unsubAck(UnsubAck)
    case pingReq
    case pingResp
    indirect case disconnect(Disconnect)
    indirect case auth(Auth)
}

/// The type of a control packet: the upper half of its first byte (table 2.1).
package enum PacketType: UInt8, Sendable, Hashable, CaseIterable {
    case connect = 1
    case connAck = 2
    case publish = 3
    case pubAck = 4
    case pubRec = 5
    case pubRel = 6
    case pubComp = 7
    case subscribe = 8
    case subAck = 9
    case unsubscribe = 10
    case unsubAck = 11
    case pingReq = 12
    case pingResp = 13
    case disconnect = 14
    case auth = 15
}
