/// The packet identifier of a PUBLISH with QoS > 0, a SUBSCRIBE, an UNSUBSCRIBE and of their answers (section 2.2.1):
/// 1...65,535. 0 stands for "none" where a packet has none.
public typealias PacketIdentifier = UInt16
