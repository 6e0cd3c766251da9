package import Backbone
import MQTTModel

/// A command with what its answer is to be labelled with.
package struct Submission: Sendable {
    package let command: BackboneCommand
    /// The shard that asks.
    package let submitter: UInt16
    package let token: BackboneToken
    /// It found the queue full, or its publisher has something before it that was not taken: it is not done, and its answer
    /// keeps its place.
    private(set) var isRefused = false

    init(_ command: BackboneCommand, submitter: UInt16, token: BackboneToken) {
        self.command = command
        self.submitter = submitter
        self.token = token
    }

    /// Without the message that it carries.
    var refused: Submission {
        var command = BackboneCommand.store([])
        if case .append(let append) = self.command {
            var rest = LogAppend(message: ApplicationMessage(topic: "", payload: []), publisher: append.publisher)
            rest.knownRefusal = append.knownRefusal
            command = .append(rest)
        }
        var refused = Submission(command, submitter: submitter, token: token)
        refused.isRefused = true
        return refused
    }

    /// What it asks to read.
    var sequences: [LogSequence] {
        guard case .fetch(let sequences) = command, !isRefused else { return [] }
        return sequences
    }

    /// Bytes of the message, if it carries one.
    var byteCount: Int {
        guard case .append(let append) = command else { return 0 }
        return append.message.byteCount
    }
}
