/// Why a store cannot be used. The message names the file and says what to do.
package struct BackboneError: Error, Sendable, CustomStringConvertible {
    package enum Code: Sendable, Hashable {
        /// The directory cannot be made or written to.
        case directoryUnusable
        /// Another broker works on the directory.
        case inUse
        /// The file is none of ours: not SQLite, or another application's.
        case foreign
        /// A later version of the broker has written it.
        case newer
        /// The file is damaged.
        case corrupt
        /// The file may be read but not written.
        case readOnly
        /// There is no store there, for who only reads.
        case missing
        /// The disk or SQLite refused something else.
        case engine
    }

    package let code: Code
    package let description: String

    package init(_ code: Code, _ description: String) {
        self.code = code
        self.description = description
    }
}
