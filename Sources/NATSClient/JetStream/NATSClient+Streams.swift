package import NIOCore
package import NATSProtocol

/// Streams, for code that waits. Each call asks once: an answer `unknown` is for the caller to decide about.
extension NATSClient {
    private struct Empty: Encodable {}

    private struct Success: Decodable {
        var success: Bool
    }

    /// Asks JetStream for something: `$JS.API.` and `name`, with a JSON object.
    package func askJetStream<Answer: Decodable & Sendable>(
        _ name: String, _ body: (any Encodable & Sendable)? = nil, timeout: Duration = .seconds(5),
        for type: Answer.Type
    ) async throws(NATSError) -> Answer {
        let result: Result<Answer, NATSError> = await withCheckedContinuation { continuation in
            connection.askJetStream(name, body, timeout: timeout, for: type) { continuation.resume(returning: $0) }
        }
        return try result.get()
    }

    /// Makes a stream; one with the same configuration may be there already.
    @discardableResult
    package func createStream(_ configuration: StreamConfiguration) async throws(NATSError) -> StreamInfo {
        try await askJetStream("STREAM.CREATE.\(configuration.name)", configuration, for: StreamInfo.self)
    }

    @discardableResult
    package func updateStream(_ configuration: StreamConfiguration) async throws(NATSError) -> StreamInfo {
        try await askJetStream("STREAM.UPDATE.\(configuration.name)", configuration, for: StreamInfo.self)
    }

    package func streamInfo(_ name: String) async throws(NATSError) -> StreamInfo {
        try await askJetStream("STREAM.INFO.\(name)", for: StreamInfo.self)
    }

    package func deleteStream(_ name: String) async throws(NATSError) {
        _ = try await askJetStream("STREAM.DELETE.\(name)", for: Success.self)
    }

    /// What a check of a stream found.
    package enum StreamCheck: Sendable {
        /// It was not there, and is now.
        case created(StreamInfo)
        case asWanted(StreamInfo)
        /// It is there with other settings, which are named.
        case differs(StreamInfo, settings: [String])
    }

    /// Makes sure that there is a stream, and says in what it differs from the one that is wanted.
    ///
    /// - Parameter patience: for so long it is tried again while the cluster has no leader or not enough members yet, as
    ///   just after its start.
    package func checkStream(
        _ wanted: StreamConfiguration, patience: Duration = .seconds(30)
    ) async throws(NATSError) -> StreamCheck {
        let deadline = ContinuousClock.now + patience
        while true {
            do throws(NATSError) {
                return try await checkStreamOnce(wanted)
            } catch {
                guard error.isTemporary, ContinuousClock.now < deadline else { throw error }
                do { try await Task.sleep(for: .milliseconds(100)) } catch { throw .unknown(.timedOut) }
            }
        }
    }

    private func checkStreamOnce(_ wanted: StreamConfiguration) async throws(NATSError) -> StreamCheck {
        let info: StreamInfo
        do {
            info = try await streamInfo(wanted.name)
        } catch {
            guard case .refused(let reason) = error, reason.errorCode == JetStreamError.streamNotFound else {
                throw error
            }
            return .created(try await createStream(wanted))
        }
        let differences = wanted.differences(from: info.config)
        return differences.isEmpty ? .asWanted(info) : .differs(info, settings: differences)
    }

    /// Removes the messages of a stream, of those subjects that match if there is a filter.
    ///
    /// - Parameter below: only those with a lower sequence.
    /// - Returns: how many were removed.
    @discardableResult
    package func purgeStream(
        _ name: String, filter: SubjectFilter? = nil, below sequence: UInt64? = nil
    ) async throws(NATSError) -> UInt64 {
        let result: Result<UInt64, NATSError> = await withCheckedContinuation { continuation in
            connection.purge(stream: name, filter: filter, below: sequence) { continuation.resume(returning: $0) }
        }
        return try result.get()
    }

    /// Asks the leader of a stream to step down; another one is elected.
    package func stepDown(stream name: String) async throws(NATSError) {
        _ = try await askJetStream("STREAM.LEADER.STEPDOWN.\(name)", for: Success.self)
    }

    /// Stores a message and waits for the acknowledgement.
    @discardableResult
    package func store(
        _ payload: ByteBuffer, to subject: Subject, conditions: StoreConditions = .init(),
        timeout: Duration = .seconds(5)
    ) async throws(NATSError) -> PublishAcknowledgement {
        let outcome: StoreOutcome = await withCheckedContinuation { continuation in
            connection.store(payload, to: subject, conditions: conditions, timeout: timeout) {
                continuation.resume(returning: $0)
            }
        }
        return try outcome.get()
    }

    /// The last message of a subject, or one by its sequence, from any replica: it may be stale.
    package func directGet(stream: String, _ selection: DirectGet) async throws(NATSError) -> StoredMessage? {
        let result: Result<StoredMessage?, NATSError> = await withCheckedContinuation { continuation in
            connection.directGet(stream: stream, selection) { continuation.resume(returning: $0) }
        }
        return try result.get()
    }
}

extension StreamConfiguration {
    /// The names of the settings in which a stream that is there is not as this one wants it.
    package func differences(from other: StreamConfiguration) -> [String] {
        var names: [String] = []
        func compare(_ name: String, _ isSame: Bool) {
            if !isSame { names.append(name) }
        }
        compare("subjects", Set(subjects) == Set(other.subjects))
        compare("storage", storage == other.storage)
        compare("num_replicas", replicas == other.replicas)
        compare("retention", retention == other.retention)
        compare("discard", discard == other.discard)
        compare("max_msgs", maximumMessages == other.maximumMessages)
        compare("max_msgs_per_subject", maximumMessagesPerSubject == other.maximumMessagesPerSubject)
        compare("max_bytes", maximumBytes == other.maximumBytes)
        compare("max_age", maximumAge == other.maximumAge)
        compare("max_msg_size", maximumMessageSize == other.maximumMessageSize)
        compare("duplicate_window", duplicateWindow == other.duplicateWindow)
        compare("allow_direct", allowsDirectGet == other.allowsDirectGet)
        compare("allow_msg_ttl", allowsMessageTTL == other.allowsMessageTTL)
        compare("allow_rollup_hdrs", allowsRollup == other.allowsRollup)
        compare("deny_delete", deniesDelete == other.deniesDelete)
        compare("subject_delete_marker_ttl", deleteMarkerTTL == other.deleteMarkerTTL)
        return names
    }
}
