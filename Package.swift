// swift-tools-version: 6.2
// The layers of the architecture, top to bottom. docs/architecture.md says what each holds; the tidy test
// (Tests/TidyTests) holds the list of what each may import.
import PackageDescription

let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

let nioCore: Target.Dependency = .product(name: "NIOCore", package: "swift-nio")
let nioPosix: Target.Dependency = .product(name: "NIOPosix", package: "swift-nio")
let nioHTTP1: Target.Dependency = .product(name: "NIOHTTP1", package: "swift-nio")
let nioWebSocket: Target.Dependency = .product(name: "NIOWebSocket", package: "swift-nio")
let swiftASN1: Target.Dependency = .product(name: "SwiftASN1", package: "swift-asn1")
let nioEmbedded: Target.Dependency = .product(name: "NIOEmbedded", package: "swift-nio")
let deque: Target.Dependency = .product(name: "DequeModule", package: "swift-collections")
let heap: Target.Dependency = .product(name: "HeapModule", package: "swift-collections")
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let argumentParser: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")
let configuration: Target.Dependency = .product(name: "Configuration", package: "swift-configuration")
let yams: Target.Dependency = .product(name: "Yams", package: "Yams")
let systemPackage: Target.Dependency = .product(name: "SystemPackage", package: "swift-system")
let serviceLifecycle: Target.Dependency = .product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let grdb: Target.Dependency = .product(name: "GRDB", package: "GRDB.swift")
let grdbSQLite: Target.Dependency = .product(name: "GRDBSQLite", package: "GRDB.swift")
let nioTLS: Target.Dependency = .product(name: "NIOTLS", package: "swift-nio")
let nioSSL: Target.Dependency = .product(name: "NIOSSL", package: "swift-nio-ssl")
let crypto: Target.Dependency = .product(name: "Crypto", package: "swift-crypto")
let hummingbird: Target.Dependency = .product(name: "Hummingbird", package: "hummingbird")
let hummingbirdCore: Target.Dependency = .product(name: "HummingbirdCore", package: "hummingbird")
let coreMetrics: Target.Dependency = .product(name: "CoreMetrics", package: "swift-metrics")
let unixSignals: Target.Dependency = .product(name: "UnixSignals", package: "swift-service-lifecycle")

let cryptoExtras: Target.Dependency = .product(name: "CryptoExtras", package: "swift-crypto")
let jwtKit: Target.Dependency = .product(name: "JWTKit", package: "jwt-kit")
let asyncHTTPClient: Target.Dependency = .product(name: "AsyncHTTPClient", package: "async-http-client")

func library(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: settings)
}

func tests(_ name: String, _ dependencies: [Target.Dependency], resources: [Resource] = [], exclude: [String] = [])
    -> Target
{
    .testTarget(
        name: name + "Tests", dependencies: dependencies, exclude: exclude, resources: resources,
        swiftSettings: settings)
}

let package = Package(
    name: "dunlin",
    products: [
        .executable(name: "dunlin", targets: ["dunlin"]),
        .executable(name: "simulate", targets: ["simulate"]),
        .library(name: "MQTTClient", targets: ["MQTTClient"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.36.0"),
        .package(url: "https://github.com/apple/swift-asn1", from: "1.4.0"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-configuration", from: "1.4.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/vapor/jwt-kit", from: "5.7.1"),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
        .package(
            url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1", traits: ["FullFoundation"]),
    ],
    targets: [
        // Layer 0: the standard's vocabulary.
        library("MQTTModel", []),

        // Layer 1: pure parts.
        library("MQTTCodec", ["MQTTModel", nioCore]),
        library("TopicIndex", ["MQTTModel"]),
        library("MQTTSession", ["MQTTModel", deque, heap]),
        library("Backbone", ["MQTTModel"]),
        library("Flock", ["Backbone", "MQTTModel", "TopicIndex", deque]),
        library("AccessControl", ["MQTTModel"]),

        // Layer 1 too, but of the engine's protocol: it knows nothing of MQTT.
        library("NATSProtocol", [nioCore]),

        // Listeners and the formats under MQTT: PROXY protocol, WebSocket.
        library("TransportModel", [nioCore]),

        // A link between two brokers, as a client of both.
        library("MQTTBridge", ["MQTTModel", "MQTTCodec", "TransportModel", deque]),

        // Layer 2: one shard of a broker as a pure state machine.
        library("BrokerCore", ["MQTTModel", "TopicIndex", "MQTTSession", "AccessControl", "Backbone", deque, heap]),

        // Layer 3: shells that do I/O.
        library(
            "BrokerRuntime",
            [
                "BrokerCore", "AccessControl", "Backbone", "MQTTModel", "MQTTCodec", nioCore, nioPosix, logging,
            ]),
        library(
            "BrokerTransport",
            [
                "BrokerRuntime", "BrokerCore", "AccessControl", "Backbone", "MQTTModel", "MQTTCodec", "TransportModel",
                nioCore, nioPosix, nioSSL, nioTLS, swiftASN1, logging, serviceLifecycle,
            ]),
        library(
            "AccessProviders",
            [
                "AccessControl", "MQTTModel", crypto, cryptoExtras, jwtKit, asyncHTTPClient, nioCore, nioPosix,
                nioHTTP1,
                logging,
            ]),
        library("BackboneSQLite", ["Backbone", "MQTTModel", grdb, grdbSQLite]),
        library("NATSClient", ["NATSProtocol", nioCore, nioPosix, nioTLS, nioSSL, crypto]),
        library(
            "BackboneNATS", ["Backbone", "Flock", "NATSClient", "NATSProtocol", "MQTTModel", crypto, nioCore, nioPosix]),
        library(
            "BridgeRuntime",
            [
                "MQTTBridge", "MQTTModel", "MQTTCodec", "TransportModel", nioCore, nioPosix, nioSSL, nioHTTP1,
                nioWebSocket, coreMetrics, logging, serviceLifecycle,
            ]),
        library("MQTTClient", ["MQTTModel", "MQTTCodec", "MQTTSession", nioCore, nioPosix, deque]),
        library(
            "BrokerConfiguration",
            [
                "BrokerCore", "AccessControl", "BackboneSQLite", "MQTTBridge", "TransportModel", configuration,
                systemPackage, yams,
            ]),
        library(
            "AdminAPI",
            [
                "BrokerTransport", "BrokerRuntime", "BrokerCore", "BrokerConfiguration", "Backbone", "TransportModel",
                "MQTTModel", hummingbird, hummingbirdCore, coreMetrics, logging, serviceLifecycle, nioCore, nioPosix,
                nioHTTP1,
            ]),

        // Layer 4: the executable.
        .executableTarget(
            name: "dunlin",
            dependencies: [
                "AdminAPI", "BridgeRuntime", "MQTTBridge", "BrokerTransport", "BrokerRuntime", "BrokerCore",
                "BrokerConfiguration", "BackboneSQLite",
                "Backbone", "AccessControl", "AccessProviders", "TopicIndex", "TransportModel", "MQTTClient",
                "MQTTModel", "BackboneNATS", "NATSClient", "NATSProtocol", coreMetrics,
                argumentParser, logging, serviceLifecycle, unixSignals,
                nioCore,
                nioPosix,
            ],
            swiftSettings: settings),

        // Beside the layers: the simulator, the fuzz targets.
        library(
            "SimulationKit",
            [
                "BrokerCore", "AccessControl", "Backbone", "Flock", "MQTTModel", "MQTTCodec", "MQTTSession", nioCore,
                heap,
            ]),
        .executableTarget(
            name: "simulate", dependencies: ["SimulationKit", argumentParser], swiftSettings: settings),
        library(
            "FuzzKit",
            [
                "MQTTModel", "MQTTCodec", "MQTTBridge", "NATSProtocol", "AccessControl", "AccessProviders",
                "BrokerConfiguration", "TransportModel", crypto, nioCore,
            ]),
        .executableTarget(
            name: "fuzz",
            dependencies: [
                "FuzzKit", "MQTTCodec", "MQTTModel", "BrokerCore", "SimulationKit", nioCore, argumentParser,
            ],
            swiftSettings: settings),

        // Runs programs beside a test or a measurement; nats-servers on loopback.
        library("NATSServerKit", ["ProcessKit"]),
        library("ProcessKit", []),

        // Counts what a message allocates; Benchmarks/allocations.json holds the bounds.
        .target(name: "CAllocationCounter", path: "Benchmarks/CAllocationCounter"),
        .executableTarget(
            name: "allocations",
            dependencies: [
                "BrokerTransport", "BrokerCore", "AccessControl", "TransportModel", "CAllocationCounter",
                argumentParser,
                logging,
            ],
            path: "Benchmarks/Allocations", swiftSettings: settings),
        .executableTarget(
            name: "bench-nats",
            dependencies: ["NATSClient", "NATSProtocol", "NATSServerKit", "ProcessKit", argumentParser, nioCore],
            path: "Benchmarks/NATS", swiftSettings: settings),
        // What a message costs for sessions that are away.
        .executableTarget(
            name: "queue-cost", dependencies: ["BrokerCore", "Backbone", "MQTTModel", argumentParser],
            path: "Benchmarks/Queue", swiftSettings: settings),

        tests("NATSProtocol", ["NATSProtocol", nioCore]),
        tests(
            "NATSClient",
            ["NATSClient", "NATSProtocol", "NATSServerKit", "ProcessKit", nioCore, nioPosix, nioSSL, crypto]),
        .executableTarget(
            name: "store-benchmark", dependencies: ["BackboneSQLite", "Backbone", "MQTTModel", argumentParser],
            path: "Benchmarks/Store", swiftSettings: settings),

        tests("MQTTModel", ["MQTTModel"]),
        tests("MQTTCodec", ["MQTTCodec", "MQTTModel", "FuzzKit", nioCore]),
        tests("TopicIndex", ["TopicIndex", "MQTTModel"]),
        tests("MQTTSession", ["MQTTSession", "MQTTModel"]),
        tests(
            "Backbone",
            [
                "Backbone", "BackboneNATS", "BackboneSQLite", "Flock", "MQTTModel", "NATSClient", "NATSProtocol",
                "NATSServerKit",
            ]),
        tests("AccessControl", ["AccessControl", "MQTTModel"]),
        tests(
            "AccessProviders",
            [
                "AccessProviders", "AccessControl", "FuzzKit", "MQTTModel", cryptoExtras, jwtKit, nioCore, nioPosix,
                nioHTTP1,
                logging,
            ]),
        tests("BackboneNATS", ["BackboneNATS", "NATSProtocol", "MQTTModel"]),
        tests("Flock", ["Flock", "Backbone", "MQTTModel"]),
        tests("BackboneSQLite", ["BackboneSQLite", "Backbone", "MQTTModel", grdb, grdbSQLite]),
        tests(
            "BrokerCore",
            ["BrokerCore", "AccessControl", "Backbone", "MQTTModel", "MQTTSession", "SimulationKit", "TopicIndex"]),
        tests(
            "BrokerTransport",
            [
                "BrokerTransport", "BrokerRuntime", "BrokerCore", "AccessControl", "MQTTModel", "MQTTCodec",
                "TransportModel", nioCore, nioPosix, nioSSL, nioEmbedded, logging,
            ]),
        tests("TransportModel", ["TransportModel", "FuzzKit", nioCore]),
        tests(
            "AdminAPI",
            [
                "AdminAPI", "BrokerConfiguration", "BrokerTransport", "BrokerRuntime", "BrokerCore", "BackboneSQLite",
                "TransportModel", "MQTTClient", "MQTTModel", "BackboneNATS", "NATSClient", "NATSProtocol", coreMetrics,
                logging, serviceLifecycle, nioCore, nioPosix,
                nioHTTP1,
            ]),
        tests(
            "MQTTClient",
            ["MQTTClient", "MQTTSession", "BrokerTransport", "TransportModel", "MQTTModel", nioCore, nioPosix, logging]),
        tests("CommandLine", ["dunlin", "MQTTClient", "BrokerTransport", "TransportModel", argumentParser, logging]),
        tests("MQTTBridge", ["MQTTBridge", "MQTTCodec", "MQTTModel", "BrokerCore", "FuzzKit", "SimulationKit"]),
        tests(
            "BrokerConfiguration",
            ["BrokerConfiguration", "BrokerCore", "BackboneSQLite", "FuzzKit", "MQTTBridge", "TransportModel"]),
        tests("Simulation", ["SimulationKit", "BrokerCore", "MQTTModel", "MQTTCodec"]),
        tests(
            "Conformance",
            [
                "SimulationKit", "BrokerTransport", "TransportModel", "BrokerCore", "AccessControl", "MQTTModel",
                "Backbone", "BackboneNATS", "BackboneSQLite", "NATSClient", "NATSProtocol", "NATSServerKit", nioCore,
                nioPosix, nioSSL,
                nioHTTP1, nioWebSocket, logging,
            ]),
        tests("Interoperability", ["NATSServerKit", "ProcessKit", nioCore, nioPosix], exclude: ["Scripts"]),
        tests("Tidy", []),
    ]
)
