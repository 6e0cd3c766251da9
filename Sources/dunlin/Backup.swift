import ArgumentParser
import BackboneSQLite

/// `dunlin backup`: a copy of a data directory's store, made beside a broker or without one.
struct Backup: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Copy what a data directory holds into one file.",
        discussion: """
            The copy is the store as it is at one moment: everything that was acknowledged before it, and nothing else. \
            May be used while a broker works on the directory; no message waits for it. The file appears when it is \
            complete and has been checked.

            To restore it, stop the broker, move the files dunlin.sqlite* out of the data directory, and copy the \
            backup there as dunlin.sqlite. What was delivered after the backup will be delivered again.

            Exit codes: 0 the backup is complete; 1 it is not, and FILE is not there; 64 bad command line.
            """)

    @Argument(help: "The data directory.", completion: .directory)
    var directory: String

    @Argument(help: "The file to make. It must not be there.", completion: .file())
    var file: String

    func run() throws {
        do throws(BackboneError) {
            try StoreInspection(directory: directory).backUp(to: file)
        } catch {
            StandardStreams.writeErrorLine("\(error)")
            throw BrokerExitCode.failure
        }
    }
}
