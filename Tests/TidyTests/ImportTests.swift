import Testing

/// The layers of the architecture as an allow-list: what each target may import. A line that is missing here is a
/// decision, not an oversight. `MODULE.NAME` allows only the import of that one declaration.
private let allowedImports: [String: Set<String>] = [
    // Layer 0: the standard library and nothing else.
    "MQTTModel": [],
    // Layer 1: pure parts.
    "MQTTCodec": ["MQTTModel", "NIOCore.ByteBuffer"],
    "TopicIndex": ["MQTTModel", "OrderedCollections", "DequeModule", "HeapModule"],
    "MQTTSession": ["MQTTModel", "OrderedCollections", "DequeModule", "HeapModule"],
    "AccessControl": ["MQTTModel"],
    "Backbone": ["MQTTModel"],
    "Flock": ["Backbone", "MQTTModel", "TopicIndex", "DequeModule"],
    "NATSProtocol": ["NIOCore.ByteBuffer"],
    "TransportModel": ["NIOCore.ByteBuffer"],
    // A link between two brokers.
    "MQTTBridge": ["MQTTModel", "MQTTCodec", "TransportModel", "DequeModule"],
    // Layer 2: one shard of a broker. Not the codec: the core sees packets, never bytes.
    "BrokerCore": [
        "MQTTModel", "TopicIndex", "MQTTSession", "AccessControl", "Backbone", "OrderedCollections", "DequeModule",
        "HeapModule",
    ],
    // Layer 3: shells that do I/O.
    "BrokerRuntime": [
        "BrokerCore", "AccessControl", "Backbone", "MQTTModel", "MQTTCodec", "NIOCore", "NIOPosix", "Logging",
        "Synchronization", "Glibc",
    ],
    "BrokerTransport": [
        "AccessControl", "Backbone", "BrokerRuntime", "BrokerCore", "MQTTModel", "MQTTCodec", "TransportModel",
        "NIOCore", "NIOPosix", "NIOSSL", "NIOTLS", "SwiftASN1", "Dispatch", "Logging", "ServiceLifecycle",
        "Synchronization", "Glibc", "Musl",
    ],
    "MQTTClient": [
        "MQTTModel", "MQTTCodec", "MQTTSession", "DequeModule", "NIOCore", "NIOPosix", "Logging", "Synchronization",
        "Glibc", "Musl", "Darwin",
    ],
    "BridgeRuntime": [
        "MQTTBridge", "MQTTModel", "MQTTCodec", "TransportModel", "NIOCore", "NIOPosix", "NIOSSL", "NIOHTTP1",
        "NIOWebSocket", "CoreMetrics", "Logging", "ServiceLifecycle", "Glibc",
    ],
    "NATSClient": ["NATSProtocol", "NIOCore", "NIOPosix", "NIOTLS", "NIOSSL", "Crypto", "Foundation"],
    "AccessProviders": [
        "AccessControl", "MQTTModel", "Crypto", "CryptoExtras", "JWTKit", "AsyncHTTPClient", "NIOCore", "NIOPosix",
        "NIOHTTP1", "Logging", "Foundation", "Synchronization",
    ],
    "BackboneNATS": [
        "Backbone", "Flock", "MQTTModel", "NATSClient", "NATSProtocol", "Crypto", "NIOCore", "NIOPosix",
        "Synchronization",
    ],
    "BackboneSQLite": ["Backbone", "MQTTModel", "GRDB", "GRDBSQLite", "Foundation", "Synchronization"],
    "BrokerConfiguration": [
        "BrokerCore", "AccessControl", "BackboneSQLite", "MQTTBridge", "TransportModel", "Configuration",
        "SystemPackage", "Yams", "Foundation",
    ],
    "AdminAPI": [
        "BrokerTransport", "BrokerRuntime", "BrokerCore", "BrokerConfiguration", "Backbone", "MQTTModel",
        "TransportModel", "Hummingbird", "HummingbirdCore", "CoreMetrics", "NIOCore", "NIOPosix", "NIOHTTP1", "Logging",
        "ServiceLifecycle", "Foundation", "Synchronization",
    ],
    // Layer 4: the executable.
    "dunlin": [
        "AdminAPI", "CoreMetrics",
        "BridgeRuntime", "MQTTBridge",
        "BrokerTransport", "BrokerRuntime", "BrokerCore", "BrokerConfiguration", "BackboneSQLite", "Backbone",
        "BackboneNATS", "NATSClient", "NATSProtocol", "AccessControl", "AccessProviders",
        "MQTTClient", "MQTTModel", "TopicIndex", "TransportModel", "ArgumentParser", "Logging", "ServiceLifecycle",
        "UnixSignals", "NIOCore", "NIOPosix", "Foundation", "Dispatch", "Synchronization",
    ],
    // Beside the layers.
    "SimulationKit": [
        "BrokerCore", "AccessControl", "Backbone", "Flock", "MQTTModel", "MQTTCodec", "MQTTSession", "TopicIndex",
        "NIOCore.ByteBuffer", "HeapModule",
        "DequeModule",
    ],
    "simulate": ["SimulationKit", "ArgumentParser", "Foundation", "BrokerCore", "MQTTModel", "Backbone"],
    "ProcessKit": ["Foundation", "Synchronization"],
    "NATSServerKit": ["ProcessKit", "Foundation", "Synchronization"],
    "FuzzKit": [
        "MQTTModel", "MQTTCodec", "MQTTBridge", "NATSProtocol", "AccessControl", "AccessProviders",
        "BrokerConfiguration", "TransportModel", "Crypto", "Foundation", "NIOCore.ByteBuffer",
    ],
    "fuzz": [
        "FuzzKit", "MQTTCodec", "MQTTModel", "BrokerCore", "Backbone", "SimulationKit", "NIOCore.ByteBuffer",
        "ArgumentParser",
        "Foundation",
    ],
]

@Suite("Imports")
struct ImportTests {
    private static let statement = Pattern(
        #"^[ \t]*(?:@\w+(?:\(\w+\))?[ \t]+)*(?:(?:public|package|internal|fileprivate|private)[ \t]+)?import[ \t]+"#
            + #"(?:(?:struct|class|enum|protocol|func|var|let|typealias)[ \t]+)?([\w.]+)"#)

    @Test func everyTargetImportsOnlyWhatItsLayerMay() {
        for file in SourceTree.sources {
            guard let allowed = allowedImports[file.target] else { continue }
            for match in file.matches(Self.statement) {
                let name = match.groups[1]
                let module = String(name.prefix { $0 != "." })
                guard !allowed.contains(name), !allowed.contains(module) else { continue }
                let narrow = allowed.filter { $0.hasPrefix(module + ".") }.sorted()
                let instead =
                    narrow.isEmpty
                    ? "it may import \(allowed.isEmpty ? "nothing" : allowed.sorted().joined(separator: ", "))"
                    : "write `import struct \(narrow.joined(separator: ", "))`"
                complain(file, match.line, "\(file.target) imports \(name)", instead: instead)
            }
        }
    }

    @Test func everyTargetIsInTheList() {
        for target in Set(SourceTree.sources.map(\.target)).sorted() where allowedImports[target] == nil {
            Issue.record("Sources/\(target) is not in the list of allowed imports; add what its layer may import")
        }
    }

    @Test func noUnderscoredFeatureOpensAModule() {
        let pattern = Pattern(#"@testable[ \t]+import[ \t]+(\w+)"#)
        for file in SourceTree.sources {
            for match in file.matches(pattern) {
                complain(file, match.line, "@testable outside tests", instead: "make what is needed `package`")
            }
        }
    }
}
