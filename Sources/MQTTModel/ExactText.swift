/// A text as a key: equal to another exactly if their bytes are.
///
/// Swift's own strings are equal if they are canonically equivalent, "é" as one scalar and as "e" with an accent for
/// one. MQTT knows no such thing: topics, filters, share names and client identifiers are what their bytes are
/// [MQTT-4.7.3-4], and the indices compare bytes, so a table by strings beside them would disagree with them.
package struct ExactText: Sendable, Hashable {
    package let string: String

    package init(_ string: String) { self.string = string }

    package static func == (left: ExactText, right: ExactText) -> Bool {
        left.string.utf8.count == right.string.utf8.count && left.string.utf8.elementsEqual(right.string.utf8)
    }

    package func hash(into hasher: inout Hasher) {
        var copy = string
        copy.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
    }
}
