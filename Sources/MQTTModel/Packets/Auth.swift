/// AUTH: a step of an enhanced authentication (5.0 section 3.15).
package struct Auth: Sendable, Hashable {
    package var reasonCode: ReasonCode
    package var properties: Properties

    package init(reasonCode: ReasonCode = .success, properties: Properties = []) {
        self.reasonCode = reasonCode
        self.properties = properties
    }
}
