import ArgumentParser
import Foundation
import NATSClient
import NATSProtocol
import NATSServerKit
import NIOCore
import ProcessKit

/// Measures the NATS client against three servers on this machine, which it starts and stops.
///
/// Every client is on one event loop, so that the CPU time of this process is the client's; the servers' is read from
/// their processes.
@main struct BenchNATS: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench-nats", abstract: "Measures the NATS client with a cluster of three servers.")

    @Option(help: "Bytes of a payload.") var payload = 64
    @Option(help: "Multiplies the number of messages.") var scale = 1.0
    @Option(help: "Only cases whose name has this in it.") var only = ""

    func run() async throws {
        let cluster = try await NATSCluster()
        let options = { (place: Int) in
            NATSOptions(servers: [cluster.urls[place]].compactMap(ServerAddress.init))
        }
        let client = await NATSClient(options(0))
        try await client.connect()
        let other = await NATSClient(options(1), eventLoop: client.eventLoop)
        try await other.connect()
        var log = StreamConfiguration(name: "LOG", subjects: ["log.>"])
        log.replicas = 3
        _ = try await client.checkStream(log)
        var bucket = KeyValueBucket.Options(name: "B")
        bucket.replicas = 3
        _ = try await client.checkStream(bucket.stream)
        print("| case | messages/s | client CPU µs | servers CPU µs |\n|---|---|---|---|")
        let meter = Meter(cluster: cluster)
        let body = ByteBuffer(repeating: 0x61, count: payload)

        try await report("core publish, one server to another", 1_000_000, meter) { count in
            await Load.core(from: client, to: other, body, count: count)
        }
        for (window, count) in [(1, 1000), (100, 40_000), (1000, 100_000)] {
            try await report("JetStream R3 publish, window \(window)", count, meter) { count in
                await Load.store(client, body, count: count, window: window, isUpdate: false)
            }
        }
        for (window, count) in [(1, 1000), (64, 20_000), (512, 40_000)] {
            try await report("key-value compare-and-set R3, window \(window)", count, meter) { count in
                await Load.store(client, body, count: count, window: window, isUpdate: true)
            }
        }
        try await report("ordered consumer, R3 log from another server", 141_000, meter) { _ in
            await Load.follow(other, stream: "LOG")
        }
        await client.close()
        await other.close()
    }

    private func report(_ name: String, _ count: Int, _ meter: Meter, _ body: (Int) async -> Int) async throws {
        guard only.isEmpty || name.contains(only) else { return }
        let start = try meter.read()
        let done = Double(await body(max(1, Int(Double(count) * scale))))
        let end = try meter.read()
        let seconds = end.clock - start.clock
        let figures = [(end.client - start.client) / done * 1e6, (end.servers - start.servers) / done * 1e6]
        let text = figures.map { String(format: "%.2f", $0) }.joined(separator: " | ")
        print("| \(name) | \(Int(done / seconds)) | \(text) |")
    }
}

/// Reads the clock and CPU times, in seconds.
struct Meter {
    let cluster: NATSCluster

    func read() throws -> (clock: Double, client: Double, servers: Double) {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        let client = Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
        let servers = try cluster.servers.map { try cpuTime(of: $0.process.identifier) }.reduce(0, +)
        clock_gettime(CLOCK_MONOTONIC, &time)
        return (Double(time.tv_sec) + Double(time.tv_nsec) / 1e9, client, servers)
    }

    private func cpuTime(of process: Int32) throws -> Double {
        let text = try String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8)
        // Behind the name, which may hold anything: user and system time are the fields 14 and 15, counted from 1.
        let fields = text[(text.lastIndex(of: ")") ?? text.startIndex)...].split(separator: " ")
        let ticks = (Double(fields[12]) ?? 0) + (Double(fields[13]) ?? 0)
        return ticks / Double(sysconf(Int32(_SC_CLK_TCK)))
    }
}
