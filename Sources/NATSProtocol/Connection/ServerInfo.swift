/// What INFO says about the server, and later about a change of the cluster.
package struct ServerInfo: Decodable, Hashable, Sendable {
    package var serverName = ""
    package var version = ""
    /// Bytes of a payload together with its headers.
    package var maximumPayload = 1 << 20
    package var supportsHeaders = false
    package var requiresTLS = false
    package var offersTLS = false
    package var requiresAuthentication = false
    /// To be signed when the client proves who it is by a key.
    package var nonce: String?
    package var isJetStreamEnabled = false
    /// Addresses of the cluster's servers, this one's too.
    package var clusterAddresses: [String] = []
    /// The server wants its clients to go: it will stop.
    package var isLameDuck = false

    package init() {}

    private enum CodingKeys: String, CodingKey {
        case serverName = "server_name"
        case version
        case maximumPayload = "max_payload"
        case supportsHeaders = "headers"
        case requiresTLS = "tls_required"
        case offersTLS = "tls_available"
        case requiresAuthentication = "auth_required"
        case nonce
        case isJetStreamEnabled = "jetstream"
        case clusterAddresses = "connect_urls"
        case isLameDuck = "ldm"
    }

    package init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        func value<Value: Decodable>(_ key: CodingKeys, or value: Value) throws -> Value {
            try values.decodeIfPresent(Value.self, forKey: key) ?? value
        }
        serverName = try value(.serverName, or: "")
        version = try value(.version, or: "")
        maximumPayload = try value(.maximumPayload, or: 1 << 20)
        supportsHeaders = try value(.supportsHeaders, or: false)
        requiresTLS = try value(.requiresTLS, or: false)
        offersTLS = try value(.offersTLS, or: false)
        requiresAuthentication = try value(.requiresAuthentication, or: false)
        nonce = try values.decodeIfPresent(String.self, forKey: .nonce)
        isJetStreamEnabled = try value(.isJetStreamEnabled, or: false)
        clusterAddresses = try value(.clusterAddresses, or: [])
        isLameDuck = try value(.isLameDuck, or: false)
    }
}
