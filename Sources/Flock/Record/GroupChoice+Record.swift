package import Backbone
import MQTTModel

/// Members that were chosen for a message of QoS 0: nothing is kept for them.
extension RecordWriter {
    package mutating func append(_ choices: [GroupChoice]) {
        append(UInt64(choices.count))
        for choice in choices {
            append(choice.group)
            append(choice.client.string)
        }
    }
}

extension RecordReader {
    package mutating func choices() throws(MalformedRecord) -> [GroupChoice] {
        var choices: [GroupChoice] = []
        for _ in 0..<(try count()) {
            let group = try sharedGroup()
            choices.append(GroupChoice(group, client: ExactText(try text()), isKept: false))
        }
        return choices
    }
}
