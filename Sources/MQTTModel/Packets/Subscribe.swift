/// SUBSCRIBE (section 3.8). Filters are as sent: UTF-8 is checked, the rules for wildcards and shares are the session's.
package struct Subscribe: Sendable, Hashable {
    package struct Entry: Sendable, Hashable {
        package var filter: String
        package var options: SubscriptionOptions

        package init(filter: String, options: SubscriptionOptions) {
            self.filter = filter
            self.options = options
        }
    }

    package var packetIdentifier: PacketIdentifier
    /// Never empty [MQTT-3.8.3-2].
    package var entries: [Entry]
    package var properties: Properties

    package init(packetIdentifier: PacketIdentifier, entries: [Entry], properties: Properties = []) {
        self.packetIdentifier = packetIdentifier
        self.entries = entries
        self.properties = properties
    }
}
