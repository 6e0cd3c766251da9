import BrokerCore

extension Setting {
    /// What keeps one client from taking the broker from the others, and the broker from taking the machine.
    static let overloadLimits: [Setting] = [
        integer(
            "limits.maximum-message-rate", \.options.limits.maximumMessageRate, in: 0...100_000_000,
            counter: "readingThrottled",
            """
            PUBLISH, SUBSCRIBE and UNSUBSCRIBE packets a second from one connection, with a burst of as many. One that \
            sends faster is not read from until an eighth of a second's are free again; nothing is lost. 0: no bound.
            """),
        size(
            "limits.maximum-byte-rate", \.options.limits.maximumByteRate, in: 0...(1 << 40),
            counter: "readingThrottled",
            """
            Bytes of these packets a second, likewise. Has to let limits.maximum-packet-size through within 10s, or \
            keep alives would run out meanwhile. 0: no bound.
            """),
        optionalSize(
            "limits.memory-watermark", \.options.limits.memoryWatermark, in: (1 << 24)...(1 << 50),
            counter: "readingThrottled",
            """
            Memory of the process, without pages of files, above which a connection may send 100 of the packets above and \
            128 KiB of them a second, if it may not less anyway. Until the memory has fallen a sixteenth below. Without \
            it: 70 % of what the machine or its control group has.
            """),
        optionalSize(
            "limits.maximum-memory", \.options.limits.maximumMemory, in: (1 << 24)...(1 << 50),
            counter: "refusedForMemory",
            """
            The bound of that memory. From a sixteenth below it on, a CONNECT for a new session is refused with 0x89 (3.x: \
            return code 3), new subscriptions and retained messages with 0x97 (3.1.1: 0x80); connections are cut that do \
            not read what they are sent, or hold more than 64 KiB of an unfinished packet (4 KiB before CONNECT); and a \
            connection may send 20 packets and 16 KiB a second. Until the memory has fallen another sixteenth. Without it: \
            85 % of what the machine or its control group has.
            """),
    ]
}
