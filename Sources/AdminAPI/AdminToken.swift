import Foundation

/// The secret that a request over TCP shows.
package struct AdminToken: Sendable {
    package static let minimumLength = 16
    private static let maximumLength = 4096

    private let bytes: [UInt8]

    /// Reads the file: one line.
    package init(contentsOfFile path: String) throws(AdminFailure) {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw AdminFailure("the file \(path) with the token (admin.token-file) cannot be read")
        }
        var bytes = [UInt8](data.prefix(Self.maximumLength + 2))
        while let last = bytes.last, last == UInt8(ascii: "\n") || last == UInt8(ascii: "\r") { bytes.removeLast() }
        let isPrintable = bytes.allSatisfy { (0x21...0x7E).contains($0) }
        guard isPrintable, (Self.minimumLength...Self.maximumLength).contains(bytes.count) else {
            throw AdminFailure(
                """
                the file \(path) (admin.token-file) has to hold one line with at least \(Self.minimumLength) characters of \
                ASCII without spaces
                """)
        }
        self.bytes = bytes
    }

    /// The time this takes tells nothing about where the two differ.
    func matches(authorization field: String) -> Bool {
        let scheme = "bearer "
        guard field.prefix(scheme.count).lowercased() == scheme else { return false }
        let shown = Array(field.utf8.dropFirst(scheme.utf8.count))
        var difference = shown.count ^ bytes.count
        for index in bytes.indices {
            difference |= Int(bytes[index] ^ (index < shown.count ? shown[index] : 0))
        }
        return difference == 0
    }

    /// For a request's `Authorization` field.
    var field: String { "Bearer " + String(decoding: bytes, as: UTF8.self) }
}
