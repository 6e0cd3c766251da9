/// What both standards demand of a UTF-8 encoded string (section 1.5.3 of 3.1.1, 1.5.4 of 5.0).
package enum UTF8Rules {
    /// Whether `bytes` are well-formed UTF-8 without U+0000 and without surrogates. Overlong forms, code points over
    /// U+10FFFF and cut sequences are ill-formed; U+FEFF, control characters and non-characters are let through.
    package static func isValid(_ bytes: UnsafeRawBufferPointer) -> Bool {
        var index = 0
        let count = bytes.count
        // Eight ASCII bytes at a time: none has its top bit set and none is zero.
        while index &+ 8 <= count {
            let word = bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self)
            let zeroBytes = (word &- 0x0101_0101_0101_0101) & ~word & 0x8080_8080_8080_8080
            if (word & 0x8080_8080_8080_8080) | zeroBytes != 0 { break }
            index &+= 8
        }
        while index < count {
            let lead = bytes[index]
            if lead < 0x80 {
                if lead == 0 { return false }
                index &+= 1
                continue
            }
            let length = sequenceLength(bytes, at: index, lead: lead)
            if length == 0 { return false }
            index &+= length
        }
        return true
    }

    /// The length of the well-formed multi-byte sequence at `index`, or 0 (table 3-7 of the Unicode standard).
    private static func sequenceLength(_ bytes: UnsafeRawBufferPointer, at index: Int, lead: UInt8) -> Int {
        func isContinuation(_ offset: Int) -> Bool {
            index + offset < bytes.count && bytes[index + offset] & 0xC0 == 0x80
        }
        guard isContinuation(1) else { return 0 }
        let second = bytes[index + 1]
        switch lead {
        case 0xC2...0xDF: return 2
        case 0xE0: return second >= 0xA0 && isContinuation(2) ? 3 : 0
        case 0xED: return second <= 0x9F && isContinuation(2) ? 3 : 0
        case 0xE1...0xEF: return isContinuation(2) ? 3 : 0
        case 0xF0: return second >= 0x90 && isContinuation(2) && isContinuation(3) ? 4 : 0
        case 0xF1...0xF3: return isContinuation(2) && isContinuation(3) ? 4 : 0
        case 0xF4: return second <= 0x8F && isContinuation(2) && isContinuation(3) ? 4 : 0
        default: return 0
        }
    }
}
