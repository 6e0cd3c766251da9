import BackboneSQLite

extension Setting {
    /// A key for each property of `StoreOptions` that an operator decides, in its order; `data.` and the property's name
    /// with hyphens.
    static let data: [Setting] = dataPlace + dataBounds + dataQueue + dataFile

    private static let dataPlace: [Setting] = [
        Setting(
            "data.directory", .text, range: "a path",
            """
            Directory for what has to outlive the process: sessions, messages for them, retained messages, wills. It is \
            made when it is not there. Without it everything is gone when the process ends.
            """
        ) { value, settings throws(Refusal) in
            guard case .text(let path) = value, !path.isEmpty, !path.contains("\0") else {
                throw Refusal(text: "has to be the path of a directory")
            }
            settings.store.directory = path
        } written: {
            $0.store.directory.isEmpty ? nil : "\"\($0.store.directory)\""
        },
        choice(
            "data.durability", \.store.durability,
            """
            When a message counts as kept and is acknowledged: commit (the disk has said that it has it), os (the \
            operating system has it), none (the same, and a power cut may damage the file).
            """),
    ]

    private static let dataBounds: [Setting] = [
        size(
            "data.maximum-log-bytes", \.store.maximumLogBytes, in: 4_096...(1 << 44), counter: "droppedByRetention",
            """
            Topics, properties and payloads of the messages that are kept for lasting sessions. Beyond it the oldest are \
            dropped though sessions still want them.
            """),
        duration(
            "data.maximum-log-age", \.store.maximumLogAge, in: .seconds(1)...(.seconds(36_500 * 86_400)),
            counter: "droppedByRetention",
            "Time after which a message that is kept for lasting sessions is dropped though they still want it."),
        optionalSize(
            "data.maximum-file-bytes", \.store.maximumFileBytes, in: (1 << 20)...(1 << 44), counter: "refused",
            """
            Size of the file, beside its write-ahead log. What finds no room in it is refused with 0x97 (Quota exceeded); \
            a 3.x client's connection is closed. Without it: until the disk is full, likewise.
            """),
    ]

    private static let dataQueue: [Setting] = [
        integer(
            "data.maximum-pending-commands", \.store.maximumPendingCommands, in: 1_000...100_000_000,
            counter: "refused",
            "Messages and changes of sessions that wait for the disk. Further ones are refused with 0x97."),
        size(
            "data.maximum-pending-bytes", \.store.maximumPendingBytes, in: (1 << 20)...(1 << 40), counter: "refused",
            "Bytes of the messages that wait for the disk, likewise."),
        integer(
            "data.maximum-commands-per-commit", \.store.maximumCommandsPerCommit, in: 1...1_000_000,
            "Messages and changes of sessions in one transaction; the rest waits for the next."),
        size(
            "data.maximum-bytes-per-commit", \.store.maximumBytesPerCommit, in: 4_096...(1 << 32),
            "Bytes of the messages in one transaction, likewise."),
        duration(
            "data.gather-time", \.store.gatherTime, in: .zero...(.seconds(1)),
            """
            Time for which messages are gathered for a transaction when there are few of them. It adds to the time of every \
            acknowledgement, and saves processor time where messages arrive one by one: 1ms is a good value then.
            """),
        duration(
            "data.maximum-trim-time", \.store.maximumTrimTime, in: .milliseconds(1)...(.seconds(1)),
            "Time that deleting what nobody needs any more may add to a transaction; the rest waits for the next."),
    ]

    private static let dataFile: [Setting] = [
        size(
            "data.idle-checkpoint-bytes", \.store.idleCheckpointBytes, in: 0...(1 << 40), counter: "checkpoints",
            "Size of the write-ahead log from which it is moved to the file when nothing else is to do."),
        size(
            "data.busy-checkpoint-bytes", \.store.busyCheckpointBytes, in: 65_536...(1 << 40), counter: "checkpoints",
            "Size from which it is moved though messages arrive."),
        size(
            "data.maximum-wal-bytes", \.store.maximumWalBytes, in: 65_536...(1 << 40),
            """
            Size from which messages wait until it has been moved. Only somebody who reads, such as `dunlin backup`, lets \
            it grow further.
            """),
        duration(
            "data.idle-time", \.store.idleTime, in: .milliseconds(1)...(.seconds(3_600)),
            "Time without a message after which nothing else is to do."),
        size(
            "data.page-cache-bytes", \.store.pageCacheBytes, in: 65_536...(1 << 36),
            "SQLite's page cache. Beyond it pages are read again."),
        size(
            "data.reader-cache-bytes", \.store.readerCacheBytes, in: 65_536...(1 << 36),
            "The same of the connection that reads messages back for sessions whose turn has come."),
        integer(
            "data.session-key-cache-count", \.store.sessionKeyCacheCount, in: 1...100_000_000,
            "Sessions whose place in the file is remembered; the others cost a look-up each."),
        size(
            "data.checked-file-bytes", \.store.checkedFileBytes, in: 0...(1 << 44),
            "Size up to which the file is checked whole at the start. `dunlin inspect` checks a larger one."),
    ]
}
