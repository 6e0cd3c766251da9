package import NATSProtocol
package import NIOCore

/// Keys with values and revisions, kept in a stream with a subject for each key: what NATS calls a key-value bucket.
///
/// A revision is the sequence of the value in the stream, so it only grows. Deleting leaves a marker, with a revision of
/// its own; so does a time to live that ran out, if the bucket has `markerTTL`. Confined to the connection's event loop.
package struct KeyValueBucket {
    package struct Options: Sendable {
        package var name: String
        package var replicas = 1
        package var storage = StreamConfiguration.Storage.file
        /// Values of a key that are kept.
        package var history = 1
        /// Zero: for ever.
        package var maximumAge = Duration.zero
        /// How long the marker of a key whose time ran out stays; zero: keys have no time to live.
        package var markerTTL = Duration.zero
        package var maximumBytes: Int64 = -1

        package init(name: String) { self.name = name }

        /// The stream that keeps the bucket.
        package var stream: StreamConfiguration {
            var stream = StreamConfiguration(name: "KV_\(name)", subjects: ["$KV.\(name).>"])
            stream.replicas = replicas
            stream.storage = storage
            stream.discard = .new
            stream.maximumMessagesPerSubject = Int64(history)
            stream.maximumAge = maximumAge
            stream.maximumBytes = maximumBytes
            stream.allowsRollup = true
            stream.deniesDelete = true
            stream.allowsMessageTTL = markerTTL > .zero
            stream.deleteMarkerTTL = markerTTL
            if maximumAge > .zero { stream.duplicateWindow = min(stream.duplicateWindow, maximumAge) }
            return stream
        }
    }

    private let connection: NATSConnection
    package let name: String
    private let prefix: [UInt8]
    package let timeout: Duration

    /// Of a bucket whose stream is there.
    package init(_ connection: NATSConnection, name: String, timeout: Duration = .seconds(5)) {
        self.connection = connection
        self.name = name
        self.timeout = timeout
        prefix = Array("$KV.\(name).".utf8)
    }

    package var streamName: String { "KV_\(name)" }

    /// The subject of a key.
    package func subject(_ key: Subject) -> Subject { Subject(unchecked: prefix + key.bytes) }

    // MARK: Writing

    /// Sets a key, whatever it had.
    package func put(_ value: ByteBuffer, for key: Subject, completion: @escaping (StoreOutcome) -> Void) {
        connection.store(value, to: subject(key), timeout: timeout, completion: completion)
    }

    /// Sets a key if it still has this revision; 0 stands for a key that was never set. The one operation that decides
    /// a race: exactly one of those that name the same revision gets `stored`.
    package func update(
        _ value: ByteBuffer, for key: Subject, revision: UInt64, timeToLive: Duration? = nil,
        completion: @escaping (StoreOutcome) -> Void
    ) {
        let conditions = StoreConditions(lastSubjectSequence: revision, timeToLive: timeToLive)
        connection.store(value, to: subject(key), conditions: conditions, timeout: timeout, completion: completion)
    }

    /// Sets a key that has no value: that was never set, or has only a marker.
    package func create(
        _ value: ByteBuffer, for key: Subject, timeToLive: Duration? = nil,
        completion: @escaping (StoreOutcome) -> Void
    ) {
        update(value, for: key, revision: 0, timeToLive: timeToLive) { outcome in
            guard case .conflict = outcome else { return completion(outcome) }
            get(key) { result in
                // A read may be stale: then the second attempt is a conflict, too, which is what the caller has to know.
                guard case .success(let entry?) = result, entry.isMarker else { return completion(outcome) }
                update(value, for: key, revision: entry.revision, timeToLive: timeToLive, completion: completion)
            }
        }
    }

    /// Leaves a marker in place of the value.
    ///
    /// - Parameters:
    ///   - revision: only if the key still has it.
    ///   - markerTTL: how long the marker stays; nil: for ever.
    package func delete(
        _ key: Subject, revision: UInt64? = nil, markerTTL: Duration? = nil,
        completion: @escaping (StoreOutcome) -> Void
    ) {
        let conditions = StoreConditions(lastSubjectSequence: revision, timeToLive: markerTTL)
        connection.store(
            ByteBuffer(), to: subject(key), headers: KeyValueEntry.Operation.delete.headers, conditions: conditions,
            timeout: timeout, completion: completion)
    }

    /// Leaves a marker in place of the value and of its history.
    package func purge(
        _ key: Subject, revision: UInt64? = nil, markerTTL: Duration? = nil,
        completion: @escaping (StoreOutcome) -> Void
    ) {
        let conditions = StoreConditions(lastSubjectSequence: revision, timeToLive: markerTTL)
        connection.store(
            ByteBuffer(), to: subject(key), headers: KeyValueEntry.Operation.purge.headers, conditions: conditions,
            timeout: timeout, completion: completion)
    }

    // MARK: Reading

    /// The value of a key or its marker, from any replica: it may be stale, so only an `update` decides anything.
    ///
    /// - Parameter completion: gets nil for a key that was never set.
    package func get(_ key: Subject, completion: @escaping (Result<KeyValueEntry?, NATSError>) -> Void) {
        let prefixCount = prefix.count
        connection.directGet(stream: streamName, .last(subject(key)), timeout: timeout) { result in
            completion(
                result.map { message in
                    message.map { message in
                        KeyValueEntry(
                            key: Subject(unchecked: Array(message.subject.bytes.dropFirst(prefixCount))),
                            revision: message.sequence, value: message.payload, operation: .of(message.headers))
                    }
                })
        }
    }

    /// Follows the bucket: first what each key has, then each change, markers too. `handler` is called on the event loop.
    ///
    /// - Parameters:
    ///   - filter: of keys.
    ///   - start: `lastPerSubject` or behind a revision that is known.
    ///   - eventHandler: is told `caughtUp` when all that was there has come.
    package func watch(
        _ filter: SubjectFilter = ">", from start: OrderedConsumer.Start = .lastPerSubject,
        eventHandler: @escaping (OrderedConsumerMachine.Event) -> Void = { _ in },
        handler: @escaping (KeyValueEntry) -> Void
    ) -> OrderedConsumer {
        var options = OrderedConsumer.Options(stream: streamName)
        options.filters = [SubjectFilter(unchecked: prefix + filter.bytes)]
        options.start = start
        let prefixCount = prefix.count
        let consumer = OrderedConsumer(connection, options, eventHandler: eventHandler) { message, delivery in
            let key = Subject(unchecked: Array(message.subject.bytes.dropFirst(prefixCount)))
            handler(
                KeyValueEntry(
                    key: key, revision: delivery.streamSequence, value: message.payload,
                    operation: .of(message.headers)))
        }
        consumer.start()
        return consumer
    }
}

/// What a key has.
package struct KeyValueEntry: Hashable, Sendable {
    package enum Operation: Hashable, Sendable {
        case put
        case delete
        case purge
        /// The time to live ran out.
        case expired
    }

    package var key: Subject
    package var revision: UInt64
    package var value: ByteBuffer
    package var operation: Operation

    /// Whether it stands for the absence of a value.
    package var isMarker: Bool { operation != .put }
}

extension KeyValueEntry.Operation {
    static func of(_ headers: HeaderBlock?) -> Self {
        guard let headers else { return .put }
        switch headers["KV-Operation"] {
        case "DEL": return .delete
        case "PURGE": return .purge
        default: return headers["Nats-Marker-Reason"] == nil ? .put : .expired
        }
    }

    var headers: HeaderBlock {
        var text = "NATS/1.0\r\n"
        switch self {
        case .delete: text += "KV-Operation: DEL\r\n"
        case .purge: text += "KV-Operation: PURGE\r\nNats-Rollup: sub\r\n"
        case .put, .expired: break
        }
        return HeaderBlock(received: ByteBuffer(string: text + "\r\n"))
    }
}
