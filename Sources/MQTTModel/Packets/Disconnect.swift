/// DISCONNECT (section 3.14). In 3.x only a client sends it, and it has no content.
package struct Disconnect: Sendable, Hashable {
    package var reasonCode: ReasonCode
    package var properties: Properties

    package init(reasonCode: ReasonCode = .normalDisconnection, properties: Properties = []) {
        self.reasonCode = reasonCode
        self.properties = properties
    }
}
