/// A text in which `*` stands for any bytes, also none.
struct GlobPattern: Sendable {
    private let bytes: [UInt8]

    init(_ text: String) { bytes = Array(text.utf8) }

    func matches(_ text: String) -> Bool {
        let text = Array(text.utf8)
        var (position, index) = (0, 0)
        /// After the last star, and where what it stands for ends so far.
        var retry: (position: Int, index: Int)?
        while index < text.count {
            if position < bytes.count, bytes[position] == UInt8(ascii: "*") {
                position += 1
                retry = (position, index)
            } else if position < bytes.count, bytes[position] == text[index] {
                position += 1
                index += 1
            } else if let last = retry {
                retry = (last.position, last.index + 1)
                (position, index) = (last.position, last.index + 1)
            } else {
                return false
            }
        }
        return bytes[position...].allSatisfy { $0 == UInt8(ascii: "*") }
    }
}
