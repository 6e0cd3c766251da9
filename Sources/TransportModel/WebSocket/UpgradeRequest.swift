/// The HTTP request that a WebSocket connection begins with (RFC 6455, 4.2.1), and the broker's answer. Any path will do.
package enum UpgradeRequest {
    /// What is made of the bytes so far.
    package enum Outcome: Sendable, Hashable {
        case incomplete
        /// WebSocket begins behind the first `byteCount` bytes, once `response` is sent.
        case accepted(response: [UInt8], byteCount: Int)
        /// The connection ends with `response`.
        case refused(response: [UInt8], reason: String)
    }

    /// Largest request, bytes; a larger one gets 431.
    package static let maximumSize = 8_192
    private static let maximumFields = 100

    /// Judges the bytes from the start of the connection.
    package static func outcome(of bytes: UnsafeRawBufferPointer) -> Outcome {
        let window = bytes.prefix(maximumSize)
        // Whoever does not speak HTTP is told at once, not when it has sent enough.
        guard zip(window, "GET ".utf8).allSatisfy({ $0 == $1 }) || isMethod(window) else {
            return refused(.badRequest, "this is no HTTP request")
        }
        guard let end = endOfHead(window) else {
            return bytes.count < maximumSize ? .incomplete : refused(.headerTooLarge, "the request is too long")
        }
        do throws(Refusal) {
            let head = try Head(parsing: window[..<(end - 4)], maximumFields: maximumFields)
            let (accept, subprotocol) = try check(head)
            return .accepted(response: response(accept: accept, subprotocol: subprotocol), byteCount: end)
        } catch {
            return refused(error.status, error.text)
        }
    }

    // MARK: Checks

    struct Refusal: Error {
        let status: HTTPStatus
        let text: String

        init(_ status: HTTPStatus, _ text: String) {
            self.status = status
            self.text = text
        }
    }

    private static func check(_ head: Head) throws(Refusal) -> (accept: String, subprotocol: String) {
        guard head.method == "GET" else { throw Refusal(.methodNotAllowed, "only GET can become WebSocket") }
        guard head.values("host").count == 1 else { throw Refusal(.badRequest, "Host has to be there once") }
        guard head.values("transfer-encoding").isEmpty, head.values("content-length").allSatisfy({ $0 == "0" }) else {
            throw Refusal(.badRequest, "the request has a body")
        }
        guard head.hasToken("upgrade", "websocket"), head.hasToken("connection", "upgrade") else {
            throw Refusal(.upgradeRequired, "this port speaks MQTT over WebSocket, not plain HTTP")
        }
        guard head.values("sec-websocket-version") == ["13"] else {
            throw Refusal(.upgradeRequired, "Sec-WebSocket-Version has to be 13")
        }
        let keys = head.values("sec-websocket-key")
        guard keys.count == 1, let key = keys.first, isKey(key) else {
            throw Refusal(.badRequest, "Sec-WebSocket-Key has to be there once, 16 bytes in base64")
        }
        // [MQTT-6.0.0-3], [MQTT-6.0.0-4]; the second is what clients of MQTT 3.1 ask for.
        guard let subprotocol = ["mqtt", "mqttv3.1"].first(where: { head.hasToken("sec-websocket-protocol", $0) })
        else { throw Refusal(.badRequest, "Sec-WebSocket-Protocol has to offer mqtt") }
        return (accept(for: key), subprotocol)
    }

    /// 22 digits of base64, whose last carries 4 bits that count, and the padding.
    private static func isKey(_ key: Substring) -> Bool {
        let bytes = Array(key.utf8)
        guard bytes.count == 24, bytes[22] == UInt8(ascii: "="), bytes[23] == UInt8(ascii: "=") else { return false }
        return bytes[..<22].allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"), UInt8(ascii: "/"):
                true
            default: false
            }
        }
    }

    /// Sec-WebSocket-Accept for a key: the constant is the standard's.
    private static func accept(for key: Substring) -> String {
        Base64.encode(SHA1.digest(Array((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").utf8)))
    }

    // MARK: Bytes

    private static func isMethod(_ bytes: Slice<UnsafeRawBufferPointer>) -> Bool {
        let method = bytes.prefix { $0 != UInt8(ascii: " ") }
        return method.count <= 10 && method.allSatisfy { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0) }
    }

    /// The index behind the empty line.
    private static func endOfHead(_ bytes: Slice<UnsafeRawBufferPointer>) -> Int? {
        var index = bytes.startIndex
        while index + 4 <= bytes.endIndex {
            if bytes[index] == 0x0D, bytes[index + 1] == 0x0A, bytes[index + 2] == 0x0D, bytes[index + 3] == 0x0A {
                return index + 4
            }
            index += 1
        }
        return nil
    }

    // MARK: Answers

    private static func response(accept: String, subprotocol: String) -> [UInt8] {
        Array(
            """
            HTTP/1.1 101 Switching Protocols\r
            Upgrade: websocket\r
            Connection: Upgrade\r
            Sec-WebSocket-Accept: \(accept)\r
            Sec-WebSocket-Protocol: \(subprotocol)\r
            \r\n
            """.utf8)
    }

    private static func refused(_ status: HTTPStatus, _ reason: String) -> Outcome {
        let body = reason + "\n"
        let text = """
            HTTP/1.1 \(status.line)\r
            \(status.fields)Content-Type: text/plain\r
            Content-Length: \(body.utf8.count)\r
            Connection: close\r
            \r
            \(body)
            """
        return .refused(response: Array(text.utf8), reason: reason)
    }
}

/// The answers that are no WebSocket.
enum HTTPStatus {
    case badRequest, methodNotAllowed, upgradeRequired, headerTooLarge

    var line: String {
        switch self {
        case .badRequest: "400 Bad Request"
        case .methodNotAllowed: "405 Method Not Allowed"
        case .upgradeRequired: "426 Upgrade Required"
        case .headerTooLarge: "431 Request Header Fields Too Large"
        }
    }

    /// Fields that the status asks for, each with the end of its line.
    var fields: String {
        switch self {
        case .methodNotAllowed: "Allow: GET\r\n"
        case .upgradeRequired: "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        case .badRequest, .headerTooLarge: ""
        }
    }
}
