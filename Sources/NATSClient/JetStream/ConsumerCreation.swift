import NATSProtocol

/// The request for the consumer of an `OrderedConsumer`: one that pushes, wants no acknowledgements, is kept in memory by
/// one server, and goes when nobody listens.
struct ConsumerCreation: Encodable {
    struct Configuration: Encodable {
        var deliver_subject: String
        var deliver_policy: String
        var opt_start_seq: UInt64?
        var filter_subject: String?
        var filter_subjects: [String]?
        var headers_only: Bool?
        var idle_heartbeat: Int64
        let ack_policy = "none"
        let max_deliver = 1
        let flow_control = true
        let mem_storage = true
        let num_replicas = 1
        /// Nanoseconds without anybody who listens.
        let inactive_threshold: Int64 = 30_000_000_000
    }

    var stream_name: String
    var config: Configuration

    init(_ options: OrderedConsumer.Options, deliverTo inbox: Subject, from sequence: UInt64) {
        stream_name = options.stream
        let policy: String
        switch (options.start, sequence) {
        case (.lastPerSubject, 1): policy = "last_per_subject"
        case (_, 1): policy = "all"
        default: policy = "by_start_sequence"
        }
        let filters = options.filters.map(\.description)
        config = Configuration(
            deliver_subject: inbox.description, deliver_policy: policy,
            opt_start_seq: policy == "by_start_sequence" ? sequence : nil,
            filter_subject: filters.count == 1 ? filters[0] : nil, filter_subjects: filters.count > 1 ? filters : nil,
            headers_only: options.headersOnly ? true : nil, idle_heartbeat: options.heartbeat.nanoseconds)
    }
}

struct CreatedConsumer: Decodable {
    /// Messages that it will deliver.
    var pending: UInt64

    private enum CodingKeys: String, CodingKey {
        case pending = "num_pending"
    }
}
