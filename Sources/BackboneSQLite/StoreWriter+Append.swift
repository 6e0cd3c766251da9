import Backbone
import MQTTModel

extension StoreWriter {
    func apply(_ append: LogAppend) throws(StoreFault) -> LogEntry {
        var sequence: LogSequence = 0
        if append.isKept || !append.groups.isEmpty {
            state.lastSequence += 1
            sequence = state.lastSequence
            try log(append.message, sequence: sequence)
            for group in append.groups { try insertPending(group, sequence: sequence) }
        }
        if append.message.isRetained { try retain(append.message) }
        if let received = append.received, let key = try sessionKey(received.clientIdentifier.string) {
            try begin()
            try statements.session.insertReceived.bind(1, key).bind(2, received.packetIdentifier).run()
        }
        if let client = append.willOf, let key = try sessionKey(client) {
            try begin()
            try statements.session.deleteWill.bind(1, key).run()
        }
        return LogEntry(sequence: sequence, message: append.message, publisher: append.publisher)
    }

    private func log(_ message: ApplicationMessage, sequence: LogSequence) throws(StoreFault) {
        try begin()
        try statements.message.insertLog.bind(1, sequence).bind(2, bytes: message.topic).bind(message, from: 3, at: now)
            .run()
        state.logMessages += 1
        state.logBytes += message.byteCount
        statistics.appended += 1
        statistics.appendedBytes += UInt64(message.byteCount)
    }

    private func insertPending(_ group: SharedGroup, sequence: LogSequence) throws(StoreFault) {
        try group.name.withBytes { name throws(StoreFault) in
            try group.pattern.withBytes { pattern throws(StoreFault) in
                try statements.message.insertPending.bind(1, sequence).bind(2, bytes: name).bind(3, bytes: pattern)
                    .run()
            }
        }
    }

    /// An empty payload deletes [MQTT-3.3.1-6].
    private func retain(_ message: ApplicationMessage) throws(StoreFault) {
        try begin()
        if message.payloadLength == 0 {
            try statements.message.deleteRetained.bind(1, bytes: message.topic).run()
        } else {
            try statements.message.putRetained.bind(1, bytes: message.topic).bind(message, from: 2, at: now)
                .bind(8, takePosition()).run()
        }
    }
}

/// The column `flags` of a message.
enum MessageFlags {
    static func pack(_ message: ApplicationMessage) -> Int64 {
        Int64(message.qos.rawValue) | (message.isRetained ? 4 : 0)
    }

    static func unpack(_ flags: Int64, into message: ApplicationMessage) {
        message.qos = QoS(rawValue: UInt8(truncatingIfNeeded: flags & 3)) ?? .atLeastOnce
        message.isRetained = flags & 4 != 0
    }
}

extension PreparedStatement {
    /// Properties, payload, flags, stored_at, expires_at and publisher.
    fileprivate func bind(_ message: ApplicationMessage, from column: Int32, at now: Int64) -> PreparedStatement {
        let expiresAt = message.expiryInterval.map { now + Int64($0) * 1000 }
        return bind(column, bytes: message.properties).bind(column + 1, bytes: message.payload)
            .bind(column + 2, MessageFlags.pack(message)).bind(column + 3, now)
            .bind(column + 4, optional: expiresAt).bind(column + 5, message.publisherHash)
    }
}
