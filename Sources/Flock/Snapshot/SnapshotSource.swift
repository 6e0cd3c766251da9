import Backbone
import MQTTModel

/// What a snapshot is made from: the state at a place of the log, for who takes time to write it. It shares everything
/// with the state, which copies a little of it with each of its next changes.
package struct SnapshotSource: Sendable {
    let stream: UInt64
    let nodes: [ExactText: FlockState.Node]
    let owners: PartedTable<ExactText, ExactText>
    let sessions: PartedTable<ExactText, StoredSession>
    let groups: [SharedGroup: SharedSubscriptions.Group]
    let assignments: PartedTable<LogSequence, [SharedSubscriptions.Assignment]>
    let keptEntries: PartedDeque<KeptLog.Entry>
    let keptTopics: PartedDeque<ExactText>
    let retained: PartedTable<RetainedLog.Key, RetainedLog.Value>
    let needed: [ExactText: LogSequence]
    let marks: PartedDeque<LogSize.Mark>
    let totalSize: UInt64
    let droppedThrough: LogSequence
    let droppedMessages: UInt64

    package init(_ state: FlockState) {
        stream = state.stream
        nodes = state.nodes
        owners = state.owners
        sessions = state.sessions
        groups = state.shared.groups
        assignments = state.shared.assignments
        keptEntries = state.kept.entries
        keptTopics = state.kept.topics
        retained = state.retained.table
        needed = state.needed
        marks = state.size.marks
        totalSize = state.size.total
        droppedThrough = state.droppedThrough
        droppedMessages = state.droppedMessages
    }

    /// The place of the log of which it is.
    package var place: UInt64 { stream }
}

/// The items of a snapshot. A kind keeps its number for ever; the version changes when what is needed is no longer there.
enum SnapshotKind {
    static let beginning: UInt8 = 1
    static let node: UInt8 = 2
    static let needed: UInt8 = 3
    static let owner: UInt8 = 4
    static let session: UInt8 = 5
    static let group: UInt8 = 6
    static let topic: UInt8 = 7
    static let kept: UInt8 = 8
    static let retained: UInt8 = 9
    static let mark: UInt8 = 10
    static let end: UInt8 = 11
    static let assignments: UInt8 = 12
}
