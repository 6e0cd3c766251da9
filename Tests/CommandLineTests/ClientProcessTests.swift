import BrokerTransport
import Foundation
import Logging
import Testing
import TransportModel

/// `dunlin pub` and `dunlin sub` as processes, against a broker in this one.
@Suite(.serialized) struct ClientProcessTests {
    private func withBroker(_ body: (String) async throws -> Void) async throws {
        let configuration = BrokerServerConfiguration(
            listeners: [Listener(host: "127.0.0.1", port: 0)], shardCount: 1)
        var logger = Logger(label: "test")
        logger.logLevel = .error
        let server = BrokerServer(configuration: configuration, logger: logger)
        let running = Task { try await server.run() }
        let port = try await server.boundAddresses()[0].port
        do {
            try await body("\(port)")
        } catch {
            server.requestShutdown()
            try? await running.value
            throw error
        }
        server.requestShutdown()
        try await running.value
    }

    @Test(arguments: ["31", "311", "5"])
    func linesArriveInOrder(version: String) async throws {
        try await withBroker { port in
            let subscriber = try DunlinProcess(
                "sub", "-h", "127.0.0.1", "-p", port, "-V", version, "-t", "a/#", "-q", "2", "-v", "-C", "3", "-d")
            try subscriber.waitForErrorOutput("subscribed to a/#")
            let publisher = try DunlinProcess(
                "pub", "-h", "127.0.0.1", "-p", port, "-V", version, "-t", "a/b", "-q", "2", "-l")
            try publisher.write("one\n\ntwo\nthree")
            try publisher.closeInput()
            #expect(try publisher.result().exitCode == 0)
            let result = try subscriber.result()
            #expect(result.exitCode == 0)
            #expect(result.output == "a/b one\na/b two\na/b three\n")
        }
    }

    @Test func retainedMessagesAreRemoved() async throws {
        try await withBroker { port in
            let publisher = try DunlinProcess(
                "pub", "-h", "127.0.0.1", "-p", port, "-t", "r", "-m", "kept", "-r", "-q", "1")
            #expect(try publisher.result().exitCode == 0)
            let remover = try DunlinProcess(
                "sub", "-h", "127.0.0.1", "-p", port, "-t", "r", "-C", "1", "--remove-retained", "-F", "%r %p")
            #expect(try remover.result().output == "1 kept\n")
            let late = try DunlinProcess("sub", "-h", "127.0.0.1", "-p", port, "-t", "r", "-W", "1")
            let result = try late.result()
            #expect(result.output.isEmpty)
            #expect(result.exitCode == 27)
        }
    }

    @Test(arguments: [SIGINT, SIGTERM])
    func signalEndsInOrder(signal: Int32) async throws {
        try await withBroker { port in
            let subscriber = try DunlinProcess("sub", "-h", "127.0.0.1", "-p", port, "-t", "a", "-d")
            try subscriber.waitForErrorOutput("subscribed to a")
            subscriber.send(signal)
            #expect(try subscriber.result().exitCode == 0)
        }
    }

    @Test func signalEndsAPublisherThatWaitsForItsInput() async throws {
        try await withBroker { port in
            let publisher = try DunlinProcess("pub", "-h", "127.0.0.1", "-p", port, "-t", "a", "-l", "-d")
            try publisher.waitForErrorOutput("connected as")
            publisher.send(SIGTERM)
            #expect(try publisher.result().exitCode == 0)
        }
    }

    @Test func refusedConnectionSaysWhatToDo() throws {
        let result = try DunlinProcess("pub", "-h", "127.0.0.1", "-p", "1", "-t", "a", "-n").result()
        #expect(result.exitCode == 5)
        #expect(result.errorOutput == "Error: 127.0.0.1:1 refused the connection: is a broker listening there?\n")
    }

    @Test func wrongCommandLineIsUsage() throws {
        let result = try DunlinProcess("sub", "-t", "a#").result()
        #expect(result.exitCode == 64)
        #expect(result.errorOutput.contains("is no topic filter"))
    }
}
