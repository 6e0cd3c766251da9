/// When a commit counts as done, which is when its messages are acknowledged.
package enum Durability: String, Sendable, Hashable, CaseIterable {
    /// The disk has said that it has it: nothing acknowledged is lost when the machine loses its power.
    case commit
    /// The operating system has it: nothing acknowledged is lost when the broker dies; a power cut may cost the last
    /// seconds.
    case os
    /// As `os`, and a power cut may damage the file as well.
    case none

    /// SQLite's number for `PRAGMA synchronous`.
    var synchronous: Int {
        switch self {
        case .commit: 2
        case .os: 1
        case .none: 0
        }
    }
}
