import Foundation

/// How much room there is beside a store, looked up as its write-ahead log grows.
struct FreeSpace {
    /// Bytes that the log grows between two looks.
    private static let step = 1 << 18

    let directory: String
    private var bytes = Int.max
    private var nextLook = 0

    init(directory: String) { self.directory = directory }

    /// Whether the log has to be moved to the file before it takes the room that moving it needs: at worst, as much again.
    mutating func isScarce(walBytes: Int) -> Bool {
        // The log began anew.
        if nextLook > walBytes + Self.step { nextLook = 0 }
        if walBytes >= nextLook {
            nextLook = walBytes + Self.step
            bytes = Self.available(in: directory)
        }
        return walBytes > bytes / 2
    }

    private static func available(in directory: String) -> Int {
        var status = statvfs()
        guard statvfs(directory, &status) == 0 else { return .max }
        let (bytes, isHuge) = Int(clamping: status.f_bavail).multipliedReportingOverflow(
            by: Int(clamping: status.f_frsize))
        return isHuge ? .max : bytes
    }
}
