import ArgumentParser
import BrokerConfiguration
import Foundation
import TransportModel

/// `dunlin check`: says whether a configuration file would do, without starting anything.
struct Check: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Check a configuration file.",
        discussion: """
            Judges the file, with the environment variables over it, by the rules that `dunlin serve --config` goes by \
            and lists everything that is wrong. Exit codes: 0 the file is fine; 1 it is not; 64 bad command line.
            """)

    @Argument(help: "The configuration file.", completion: .file())
    var file: String

    func run() async throws {
        do throws(InvalidSettings) {
            var settings = try await BrokerSettings(contentsOfFile: file)
            try settings.apply(environment: ProcessInfo.processInfo.environment)
            let contradictions =
                settings.contradictions(file: file) + settings.certificateProblems(file: file)
                + settings.bridgeFileProblems(file: file)
            if !contradictions.isEmpty { throw InvalidSettings(contradictions) }
            _ = try await AccessFiles(settings)
            let list = settings.listeners.map(\.description).joined(separator: ", ")
            StandardStreams.writeLine("\(file) is fine; the broker would listen on \(list)")
        } catch {
            for problem in error.problems { StandardStreams.writeErrorLine("\(problem)") }
            throw BrokerExitCode.failure
        }
    }
}
