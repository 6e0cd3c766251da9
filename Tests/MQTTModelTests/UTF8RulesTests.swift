import MQTTModel
import Testing

@Suite struct UTF8RulesTests {
    /// The rule by way of code points: each sequence is decoded by hand, and the shortest form of what it says must be
    /// itself.
    static func isValidByDecoding(_ bytes: [UInt8]) -> Bool {
        var index = 0
        while index < bytes.count {
            let lead = bytes[index]
            let length =
                lead < 0x80 ? 1 : lead >> 5 == 0b110 ? 2 : lead >> 4 == 0b1110 ? 3 : lead >> 3 == 0b11110 ? 4 : 0
            guard length > 0, index + length <= bytes.count else { return false }
            var value = UInt32(length == 1 ? lead : lead & (0x7F >> UInt8(length)))
            for offset in 1..<max(length, 1) {
                guard bytes[index + offset] >> 6 == 0b10 else { return false }
                value = value << 6 | UInt32(bytes[index + offset] & 0x3F)
            }
            guard value != 0, let scalar = Unicode.Scalar(value), UTF8.width(scalar) == length else { return false }
            index += length
        }
        return true
    }

    static func isValid(_ bytes: [UInt8]) -> Bool { bytes.withUnsafeBytes { UTF8Rules.isValid($0) } }

    @Test("MQTT-1.5.4-1 and -2: all sequences of one and two bytes, alone and behind eight ASCII bytes")
    func allShortSequences() {
        let ascii = Array("01234567".utf8)
        for first in UInt8.min...UInt8.max {
            #expect(UTF8RulesTests.isValid([first]) == UTF8RulesTests.isValidByDecoding([first]))
            for second in UInt8.min...UInt8.max {
                let expected = UTF8RulesTests.isValidByDecoding([first, second])
                if UTF8RulesTests.isValid([first, second]) != expected
                    || UTF8RulesTests.isValid(ascii + [first, second]) != expected
                    || UTF8RulesTests.isValid([first, second] + ascii) != expected
                {
                    Issue.record("\(first) \(second)")
                }
            }
        }
    }

    @Test("MQTT-1.5.4-1: sequences of three and four bytes at every border")
    func longSequencesAtTheBorders() {
        let borders: [UInt8] = [0x00, 0x01, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xC2, 0xED, 0xF4, 0xFF]
        for first in UInt8(0xC0)...0xFF {
            for second in borders {
                for third in borders {
                    for fourth in borders {
                        for bytes in [[first, second, third], [first, second, third, fourth]]
                        where UTF8RulesTests.isValid(bytes) != UTF8RulesTests.isValidByDecoding(bytes) {
                            Issue.record("\(bytes)")
                        }
                    }
                }
            }
        }
    }

    @Test("MQTT-1.5.4-2: U+0000 is found at every place of strings of every length up to 40")
    func zeroIsFoundAnywhere() {
        for length in 1...40 {
            var bytes = [UInt8](repeating: 0x61, count: length)
            #expect(UTF8RulesTests.isValid(bytes))
            for position in 0..<length {
                bytes[position] = 0
                #expect(!UTF8RulesTests.isValid(bytes))
                bytes[position] = 0x61
            }
        }
    }

    @Test("every code point but U+0000 and the surrogates")
    func everyScalarIsLetThrough() {
        for value in stride(from: UInt32(1), through: 0x10FFFF, by: 1) {
            guard let scalar = Unicode.Scalar(value) else { continue }
            if !UTF8RulesTests.isValid(Array(Character(scalar).utf8)) { Issue.record("\(value)") }
        }
        #expect(UTF8RulesTests.isValid([]))
    }
}
