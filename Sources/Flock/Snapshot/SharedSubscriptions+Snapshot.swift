import Backbone
import MQTTModel

/// Groups in a snapshot. What is known of each client follows from them.
extension RecordWriter {
    mutating func append(_ group: SharedSubscriptions.Group, of name: SharedGroup) {
        append(name)
        append(UInt64(group.turn))
        append(UInt64(group.members.count))
        for member in group.members {
            append(member.client.string)
            append(byte: member.maximumQoS.rawValue | (member.isConnected ? 0x04 : 0))
            append(UInt64(bitPattern: Int64(member.unfinished)))
        }
    }

    mutating func append(_ assignments: [SharedSubscriptions.Assignment], at place: LogSequence) {
        append(place)
        append(UInt64(assignments.count))
        for assignment in assignments {
            append(assignment.group)
            append(byte: assignment.qos.rawValue | (assignment.isBegun ? 0x04 : 0))
            append(assignment.client.string)
        }
    }
}

extension SharedSubscriptions {
    mutating func addGroup(_ item: inout RecordReader) throws(MalformedRecord) {
        let name = try item.sharedGroup()
        var group = Group()
        group.turn = Int(try item.number(as: UInt32.self))
        for _ in 0..<(try item.count()) {
            let client = ExactText(try item.text())
            let (qos, isConnected) = try item.qosAndFlag()
            var member = Member(client: client, maximumQoS: qos, isConnected: isConnected)
            member.unfinished = Int(Int64(bitPattern: try item.number()))
            group.members.append(member)
            clients[client, default: Client()].groups.append(name)
        }
        guard groups[name] == nil, !group.members.isEmpty else { throw item.malformed("a group has no members") }
        make(name)
        groups[name] = group
    }

    mutating func addAssignments(_ item: inout RecordReader) throws(MalformedRecord) {
        let place = try item.number()
        var some: [Assignment] = []
        for _ in 0..<(try item.count()) {
            let group = try item.sharedGroup()
            let (qos, isBegun) = try item.qosAndFlag()
            let client = ExactText(try item.text())
            some.append(Assignment(group: group, qos: qos, client: client, isBegun: isBegun))
            clients[client, default: Client()].places.insert(place)
        }
        guard !some.isEmpty else { throw item.malformed("nobody has been given the message") }
        assignments[place] = some
    }
}

extension RecordReader {
    fileprivate mutating func qosAndFlag() throws(MalformedRecord) -> (QoS, Bool) {
        let flags = try byte()
        guard flags & ~0x07 == 0, let qos = QoS(rawValue: flags & 0x03) else { throw malformed("flags are unknown") }
        return (qos, flags & 0x04 != 0)
    }
}
