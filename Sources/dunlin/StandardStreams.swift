import Foundation

/// Lines for people and for scripts, written at once: what waits in a buffer is lost when a reader is a pipe.
enum StandardStreams {
    static func writeLine(_ text: String) {
        FileHandle.standardOutput.write(Data((text + "\n").utf8))
    }

    static func writeErrorLine(_ text: String) {
        FileHandle.standardError.write(Data((text + "\n").utf8))
    }
}
