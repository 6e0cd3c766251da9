import ArgumentParser
import Foundation
import MQTTClient

/// How `dunlin sub -F` prints a message: mosquitto_sub's conversions.
struct MessageFormat: Equatable, Sendable {
    enum Piece: Equatable, Sendable {
        case bytes([UInt8])
        case conversion(Character, Field)
        /// One of strftime's conversions.
        case time(Character)
    }

    /// The flags, width and precision of a conversion, as in printf.
    struct Field: Equatable, Sendable {
        var isLeftAligned = false
        var isZeroPadded = false
        var width = 0
        var precision: Int?

        func apply(to bytes: [UInt8]) -> [UInt8] {
            let cut = precision.map { Array(bytes.prefix($0)) } ?? bytes
            guard cut.count < width else { return cut }
            let fill = isZeroPadded && !isLeftAligned ? UInt8(ascii: "0") : UInt8(ascii: " ")
            let padding = [UInt8](repeating: fill, count: width - cut.count)
            return isLeftAligned ? cut + padding : padding + cut
        }
    }

    static let conversions = "CDdEFIJjlPpqRrStUxX"
    private static let maximumWidth = 10_000

    private(set) var pieces: [Piece] = []

    init(_ text: String) throws {
        var characters = Array(text)[...]
        var literal: [UInt8] = []
        func finishLiteral() {
            if !literal.isEmpty { pieces.append(.bytes(literal)) }
            literal = []
        }
        while let character = characters.popFirst() {
            switch character {
            case "%" where characters.first == "%", "@" where characters.first == "@":
                characters.removeFirst()
                literal += Array(String(character).utf8)
            case "%":
                finishLiteral()
                pieces.append(try MessageFormat.conversion(&characters))
            case "@":
                finishLiteral()
                guard let name = characters.popFirst(), name.isASCII, name.isLetter else {
                    throw ValidationError("-F: a letter of strftime follows @; @@ prints @.")
                }
                pieces.append(.time(name))
            case "\\":
                literal.append(try MessageFormat.escape(characters.popFirst()))
            default:
                literal += Array(String(character).utf8)
            }
        }
        finishLiteral()
    }

    private static func conversion(_ characters: inout ArraySlice<Character>) throws -> Piece {
        var field = Field()
        while let flag = characters.first, flag == "-" || flag == "0" {
            characters.removeFirst()
            if flag == "-" { field.isLeftAligned = true } else { field.isZeroPadded = true }
        }
        field.width = try number(&characters) ?? 0
        if characters.first == "." {
            characters.removeFirst()
            field.precision = try number(&characters) ?? 0
        }
        guard let name = characters.popFirst(), conversions.contains(name) else {
            throw ValidationError("-F: after % comes one of \(conversions); %% prints %.")
        }
        return .conversion(name, field)
    }

    private static func number(_ characters: inout ArraySlice<Character>) throws -> Int? {
        let digits = characters.prefix { $0.isASCII && $0.isNumber }
        guard !digits.isEmpty else { return nil }
        characters.removeFirst(digits.count)
        guard let number = Int(String(digits)), number <= maximumWidth else {
            throw ValidationError("-F: a width is \(maximumWidth) at most.")
        }
        return number
    }

    private static func escape(_ character: Character?) throws -> UInt8 {
        switch character {
        case "n": return 0x0A
        case "r": return 0x0D
        case "t": return 0x09
        case "v": return 0x0B
        case "a": return 0x07
        case "e": return 0x1B
        case "0": return 0x00
        case "\\": return UInt8(ascii: "\\")
        default: throw ValidationError("-F: after \\ comes one of n, r, t, v, a, e, 0 and \\.")
        }
    }

    // MARK: Printing

    func render(_ message: MQTTClient.Message, at time: WallClockTime) -> [UInt8] {
        var bytes: [UInt8] = []
        for piece in pieces {
            switch piece {
            case .bytes(let literal): bytes += literal
            case .conversion(let name, let field):
                bytes += field.apply(to: MessageFormat.value(name, of: message, at: time))
            case .time("N"): bytes += Array(time.nanosecondsText.utf8)
            case .time(let name): bytes += Array(time.text("%\(name)").utf8)
            }
        }
        return bytes
    }

    private static func value(_ name: Character, of message: MQTTClient.Message, at time: WallClockTime) -> [UInt8] {
        switch name {
        case "p": return message.payload
        case "D": return message.properties.correlationData ?? []
        case "x": return hexadecimal(message.payload, digits: "0123456789abcdef")
        case "X": return hexadecimal(message.payload, digits: "0123456789ABCDEF")
        default: return Array(text(name, of: message, at: time).utf8)
        }
    }

    private static func text(_ name: Character, of message: MQTTClient.Message, at time: WallClockTime) -> String {
        let properties = message.properties
        switch name {
        case "t": return message.topic
        case "l": return String(message.payload.count)
        case "q": return String(message.qos.rawValue)
        case "r": return message.isRetained ? "1" : "0"
        case "d": return message.isDuplicate ? "1" : "0"
        case "I": return time.text("%Y-%m-%dT%H:%M:%S%z")
        case "U": return "\(time.seconds).\(time.nanosecondsText)"
        case "j": return MessageJSON.text(message, at: time, payloadIsJSON: false)
        case "J": return MessageJSON.text(message, at: time, payloadIsJSON: true)
        case "C": return properties.contentType ?? ""
        case "E": return properties.messageExpiryInterval.map(String.init) ?? ""
        case "F": return properties.payloadFormatIndicator.map(String.init) ?? ""
        case "P": return properties.userProperties.map { "\($0.name):\($0.value)" }.joined(separator: " ")
        case "R": return properties.responseTopic ?? ""
        case "S": return message.subscriptionIdentifiers.map(String.init).joined(separator: " ")
        default: return ""
        }
    }

    private static func hexadecimal(_ bytes: [UInt8], digits: StaticString) -> [UInt8] {
        let digits = Array("\(digits)".utf8)
        return bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
    }
}

/// A point in time as people write it.
struct WallClockTime: Equatable, Sendable {
    let seconds: Int
    let nanoseconds: Int

    static var now: WallClockTime {
        // To about a tenth of a microsecond.
        let now = Date().timeIntervalSinceReferenceDate
        let seconds = now.rounded(.down)
        return WallClockTime(
            seconds: Int(Date.timeIntervalBetween1970AndReferenceDate + seconds),
            nanoseconds: Int(((now - seconds) * 1_000_000_000).rounded(.down)))
    }

    /// Nine digits.
    var nanosecondsText: String {
        let digits = String(nanoseconds)
        return String(repeating: "0", count: max(0, 9 - digits.count)) + digits
    }

    /// The local time in strftime's `format`.
    func text(_ format: String) -> String {
        var time = time_t(seconds)
        var parts = tm()
        localtime_r(&time, &parts)
        var buffer = [CChar](repeating: 0, count: 256)
        let count = strftime(&buffer, buffer.count, format, &parts)
        return String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
