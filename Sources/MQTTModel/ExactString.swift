/// A string as a key that is compared byte by byte, which Swift's own comparison is not: it takes "é" and "e" with an
/// accent for the same. Client identifiers, filters and share names are compared like this [MQTT-4.7.3-4].
package struct ExactString: Sendable, Hashable {
    package let string: String

    package init(_ string: String) { self.string = string }

    package static func == (left: ExactString, right: ExactString) -> Bool { left.string.isExactly(right.string) }

    package func hash(into hasher: inout Hasher) {
        let isHashed: Void? = string.utf8.withContiguousStorageIfAvailable {
            hasher.combine(bytes: UnsafeRawBufferPointer($0))
        }
        if isHashed == nil { for byte in string.utf8 { hasher.combine(byte) } }
        hasher.combine(0xFF as UInt8)
    }
}

extension String {
    /// Whether both consist of the same bytes.
    package func isExactly(_ other: String) -> Bool { utf8.elementsEqual(other.utf8) }
}
