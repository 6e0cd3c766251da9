import Backbone
import BackboneNATS
import Foundation
import MQTTModel

/// A node's engine, which notices the marks that a test puts behind everything that any node of the flock has said.
final class WatchedEngine: BackboneEngine {
    /// Topics of marks; no client of an exchange publishes them.
    private static let markTopic = "$mark"

    private let engine: NATSBackbone
    private let marks: FlockMarks
    private let node: Int

    init(_ engine: NATSBackbone, node: Int, marks: FlockMarks) {
        self.engine = engine
        self.node = node
        self.marks = marks
    }

    /// Puts the mark into the log.
    func append(_ mark: UInt64) {
        var append = LogAppend(message: message(mark, in: "log", qos: .atLeastOnce), publisher: .none)
        append.isKept = false
        engine.submit(.append(append), submitter: 0, token: BackboneToken(rawValue: .max - mark))
    }

    /// Puts the mark behind what this node has told the others beside the log.
    func broadcast(_ mark: UInt64) { engine.broadcast(message(mark, in: "live", qos: .atMostOnce)) }

    private func message(_ mark: UInt64, in way: String, qos: QoS) -> ApplicationMessage {
        ApplicationMessage(topic: Self.markTopic, payload: Array("\(way) \(mark) \(node)".utf8), qos: qos)
    }

    private static func isMark(_ message: ApplicationMessage) -> Bool { message.topicString == markTopic }

    /// After what came before is with the shards.
    private func noticed(_ found: [ApplicationMessage]) {
        for message in found { marks.noticed("\(String(decoding: message.payload, as: UTF8.self)) \(node)") }
    }

    func start(
        onCommit: @escaping @Sendable ([Settled]) -> Void, onDropped: @escaping @Sendable (LogSequence) -> Void
    ) throws {
        try engine.start(
            onCommit: { settled in
                let found = settled.compactMap { $0.entry?.message }.filter(Self.isMark)
                onCommit(settled.filter { !($0.entry.map { Self.isMark($0.message) } ?? false) })
                self.noticed(found)
            }, onDropped: onDropped)
    }

    func onBroadcast(_ handler: @escaping @Sendable ([Broadcast]) -> Void) {
        engine.onBroadcast { broadcasts in
            handler(broadcasts.filter { !Self.isMark($0.message) })
            self.noticed(broadcasts.map(\.message).filter(Self.isMark))
        }
    }

    func restore(
        session: (RestoredSession) -> Void, retained: (ApplicationMessage, RetainedPosition) -> Void,
        entry: (LogEntry, [SharedGroup]) -> Void
    ) throws { try engine.restore(session: session, retained: retained, entry: entry) }

    func submit(_ command: BackboneCommand, submitter: UInt16, token: BackboneToken) {
        engine.submit(command, submitter: submitter, token: token)
    }

    func announce(_ facts: NodeFacts) { engine.announce(facts) }
    var nodes: [NodeSighting] { engine.nodes }
    func give(_ order: NodeOrder, to node: String, answer: @escaping @Sendable (NodeAnswer) -> Void) {
        engine.give(order, to: node, answer: answer)
    }
    func onOrder(
        _ handler: @escaping @Sendable (NodeOrder, @escaping @Sendable (NodeAnswer) -> Void) -> Void
    ) { engine.onOrder(handler) }
    func stop() { engine.stop() }
    var report: EngineReport { engine.report }
    var isShared: Bool { engine.isShared }
    func broadcast(_ message: ApplicationMessage) { engine.broadcast(message) }
}

/// Which marks have come to which nodes.
final class FlockMarks: @unchecked Sendable {
    private let condition = NSCondition()
    private var noticed: Set<String> = []
    private var last: UInt64 = 0
    private var engines: [WatchedEngine] = []

    func add(_ engine: WatchedEngine) { engines.append(engine) }

    func noticed(_ mark: String) {
        condition.lock()
        noticed.insert(mark)
        condition.broadcast()
        condition.unlock()
    }

    /// Returns when everything that any node has said before is with the shards of every node: over the log, then from
    /// one node to another beside it, for whom a node has to be in the log first.
    func settle() throws {
        last += 1
        for engine in engines { engine.append(last) }
        try wait { from, to in "log \(last) \(from) \(to)" }
        for engine in engines { engine.broadcast(last) }
        try wait { from, to in from == to ? nil : "live \(last) \(from) \(to)" }
    }

    /// Until every node has noticed the marks of all nodes.
    private func wait(for mark: (_ from: Int, _ to: Int) -> String?) throws {
        let missing = engines.indices.flatMap { from in engines.indices.compactMap { to in mark(from, to) } }
        let deadline = Date(timeIntervalSinceNow: 60)
        condition.lock()
        defer { condition.unlock() }
        while !missing.allSatisfy(noticed.contains) {
            guard condition.wait(until: deadline) else {
                throw WireFault("the flock has not settled: \(missing) have to come, and \(noticed.sorted()) have")
            }
        }
        noticed = []
    }
}
