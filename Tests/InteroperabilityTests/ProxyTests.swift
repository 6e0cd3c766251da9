import Foundation
import ProcessKit
import Testing

/// Behind HAProxy, which tells the clients' addresses by the PROXY protocol.
@Suite("HAProxy", .serialized, .enabled(if: !BrokerProcess.isPeer))
struct ProxyTests {
    @Test(arguments: ["send-proxy", "send-proxy-v2"], ["tcp", "ws"])
    func clientsComeThroughWithTheirAddress(option: String, transport: String) async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "dunlin-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let file = folder.appending(path: "dunlin.yaml").path
        let text = """
            listener:
              it:
                address: \(transport)://127.0.0.1:0
                proxy-from: ["127.0.0.1"]
                connection-rate-per-address: 1000
            """
        try Data(text.utf8).write(to: URL(filePath: file))
        try await BrokerProcess.with(configuration: file) { broker in
            let (proxy, port) = try await start(in: folder, before: broker.port, option)
            defer { proxy.signal(SIGKILL) }
            let script = try PahoTests.script(
                [port, "5", "a_thousand_messages_keep_their_order"], ["DUNLIN_TEST_TRANSPORT": transport])
            try await script.succeed(seconds: 60)
            // Without the header nobody gets in, not even from the proxy's address.
            let plain = MosquittoClients(broker: broker, version: "5")
            #expect(try await plain.tryToPublish(["-t", "a", "-m", "x", "-q", "1"]) != 0)
        }
    }

    /// A proxy on a port that the system chose. It inherits the listening socket, so nobody can take the port away.
    private func start(
        in folder: URL, before port: Int, _ option: String
    ) async throws -> (ChildProcess, port: String) {
        let file = folder.appending(path: "haproxy.cfg").path
        let configuration = """
            defaults
                mode tcp
                timeout connect 5s
                timeout client 60s
                timeout server 60s
            listen mqtt
                bind fd@30
                server broker 127.0.0.1:\(port) \(option)

            """
        try Data(configuration.utf8).write(to: URL(filePath: file))
        let starter = """
            import os, socket, sys
            s = socket.socket()
            s.bind(("127.0.0.1", 0))
            s.listen(64)
            os.dup2(s.fileno(), 30, inheritable=True)
            print("port", s.getsockname()[1], flush=True)
            os.execv(sys.argv[1], [sys.argv[1], "-db", "-f", sys.argv[2]])
            """
        let proxy = try ChildProcess(
            try Tool.path("python3"), ["-c", starter, try Tool.path("haproxy"), file])
        let line = try await proxy.line(containing: "port ")
        return (proxy, String(line.split(separator: " ")[1]))
    }
}
