import Foundation

/// As little of a 3.1.1 client as a count takes, on a blocking socket. Its loops allocate nothing, since it runs in the
/// process whose allocations are counted.
final class BlockingClient {
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    private static let topic = Array("bench/topic".utf8)
    private static let payloadLength = 64

    private let descriptor: Int32
    private let input = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 1)
    private let output = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 1)
    private var inputStart = 0
    private var inputEnd = 0
    private var outputEnd = 0
    private var identifier: UInt16 = 0

    init(port: UInt16, identifier: String) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let status = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard status == 0 else { throw Failure(description: "cannot connect") }
        var isOn: Int32 = 1
        setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &isOn, socklen_t(MemoryLayout<Int32>.size))
        let name = Array(identifier.utf8)
        append([0x10, UInt8(12 + name.count), 0, 4] + Array("MQTT".utf8) + [4, 2, 0, 0, 0, UInt8(name.count)] + name)
        send()
        try expect(0x20)
    }

    deinit {
        close(descriptor)
        input.deallocate()
        output.deallocate()
    }

    func subscribe(qos: UInt8) throws {
        append([0x82, UInt8(5 + Self.topic.count), 0, 1, 0, UInt8(Self.topic.count)] + Self.topic + [qos])
        send()
        try expect(0x90)
    }

    /// Writes a batch of PUBLISH packets at once.
    func publish(_ count: Int, qos: UInt8) {
        let first = identifier
        for _ in 0..<count {
            append(0x30 | qos << 1)
            append(UInt8(2 + Self.topic.count + (qos > 0 ? 2 : 0) + Self.payloadLength))
            append(0)
            append(UInt8(Self.topic.count))
            for byte in Self.topic { append(byte) }
            if qos > 0 { appendIdentifier() }
            for _ in 0..<Self.payloadLength { append(0x78) }
        }
        if qos > 0 { identifier = (first &+ UInt16(count)) & 0x0FFF }
        send()
    }

    /// Waits for the answers to a batch.
    func finish(_ count: Int, qos: UInt8) throws {
        guard qos > 0 else { return }
        for _ in 0..<count {
            let answer = try expect(qos == 1 ? 0x40 : 0x50)
            if qos == 2 { acknowledge(0x62, answer) }
        }
        guard qos == 2 else { return }
        send()
        for _ in 0..<count { try expect(0x70) }
    }

    /// Reads a batch of messages and acknowledges them.
    func take(_ count: Int, qos: UInt8) throws {
        for _ in 0..<count {
            let message = try expect(0x30 | qos << 1)
            if qos > 0 { acknowledge(qos == 1 ? 0x40 : 0x50, message) }
        }
        guard qos > 0 else { return }
        send()
        guard qos == 2 else { return }
        for _ in 0..<count { acknowledge(0x70, try expect(0x62)) }
        send()
    }

    /// Reads a packet; the two bytes of its packet identifier, where it has one.
    @discardableResult
    private func expect(_ first: UInt8) throws -> (UInt8, UInt8) {
        let found = try next()
        guard found == first else { throw Failure(description: "found packet \(found), wanted \(first)") }
        let length = Int(try next())
        precondition(length < 128, "every packet here is short")
        var identifier: (UInt8, UInt8) = (0, 0)
        let offset = first & 0xF0 == 0x30 ? 2 + Self.topic.count : 0
        for index in 0..<length {
            let byte = try next()
            if index == offset { identifier.0 = byte }
            if index == offset + 1 { identifier.1 = byte }
        }
        return identifier
    }

    private func next() throws -> UInt8 {
        if inputStart == inputEnd {
            inputStart = 0
            inputEnd = recv(descriptor, input.baseAddress, input.count, 0)
            guard inputEnd > 0 else { throw Failure(description: "the broker closed the connection") }
        }
        defer { inputStart += 1 }
        return input[inputStart]
    }

    private func append(_ byte: UInt8) {
        output[outputEnd] = byte
        outputEnd += 1
    }

    private func append(_ bytes: [UInt8]) {
        for byte in bytes { append(byte) }
    }

    private func appendIdentifier() {
        identifier = identifier &+ 1
        append(UInt8(truncatingIfNeeded: identifier >> 8))
        append(UInt8(truncatingIfNeeded: identifier))
    }

    private func acknowledge(_ first: UInt8, _ identifier: (UInt8, UInt8)) {
        append(first)
        append(2)
        append(identifier.0)
        append(identifier.1)
    }

    private func send() {
        var sent = 0
        while sent < outputEnd {
            let count = Glibc.send(
                descriptor, output.baseAddress?.advanced(by: sent), outputEnd - sent, Int32(MSG_NOSIGNAL))
            guard count > 0 else { break }
            sent += count
        }
        outputEnd = 0
    }
}
