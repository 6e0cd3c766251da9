import MQTTCodec
import MQTTModel

/// The names of the brokers that a message has left over a bridge, in order, in a user property. With it a ring of
/// bridges ends: a message does not leave or enter a broker a second time.
package struct BridgePath {
    /// The user property that holds it; names are separated by commas.
    static let propertyName = "dunlin-bridge-path"

    /// What stands for a broker in it.
    package static func isName(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.count <= 64
            && text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: ",") }
    }

    /// The broker that messages leave, and the one that they enter, where they have a name.
    let source: String?
    let target: String?
    let maximumHops: Int

    enum Step {
        /// The message goes on with these properties.
        case passOn([UInt8])
        /// It has been here before, or came through too many.
        case stop
    }

    /// - Parameter properties: those of an `ApplicationMessage`.
    func step(_ properties: UnsafeRawBufferPointer) -> Step {
        guard !properties.isEmpty else { return .passOn(source.map { Self.encode([], $0) } ?? []) }
        let all = ForwardedProperties.decode(properties).all
        let path = all.compactMap(Self.value).joined(separator: ",")
        let names = path.split(separator: ",").map(String.init)
        if names.contains(where: { $0 == source || $0 == target }) || names.count >= maximumHops { return .stop }
        guard let source else { return .passOn(Array(properties)) }
        return .passOn(Self.encode(all.filter { Self.value($0) == nil }, (names + [source]).joined(separator: ",")))
    }

    private static func value(_ property: Property) -> String? {
        if case .userProperty(propertyName, let value) = property { value } else { nil }
    }

    private static func encode(_ properties: [Property], _ path: String) -> [UInt8] {
        PacketEncoder.encodeForwardedProperties(
            Properties(properties + [.userProperty(name: propertyName, value: path)]))
    }
}
