/// The variable byte integer of section 1.5.5: 0...268,435,455 in one to four bytes, seven bits each, lowest first.
package enum VariableByteInteger {
    package static var maximum: Int { 268_435_455 }

    /// Bytes that `value` takes in the shortest form, the only legal one [MQTT-1.5.5-1].
    package static func length(of value: Int) -> Int {
        assert(value >= 0 && value <= maximum)
        return value < 0x80 ? 1 : value < 0x4000 ? 2 : value < 0x20_0000 ? 3 : 4
    }
}
