import BrokerConfiguration
import Foundation
import Logging
import Synchronization
import Testing

@testable import dunlin

@Suite struct LogOutputTests {
    @Test func aLineForPeopleQuotesWhatCouldBeTakenForSomethingElse() throws {
        let (logger, lines) = logger(.text)
        logger.info("client connected", metadata: ["client": "a b\n2026 info", "reason": "success", "empty": ""])
        let line = try #require(lines.all.first)
        #expect(line.hasSuffix(#" info test: client connected client="a b\n2026 info" empty="" reason=success"# + "\n"))
    }

    @Test func aLineOfJSONIsOneObject() throws {
        let (logger, lines) = logger(.json)
        logger.warning("it \"is\" so", metadata: ["client": "ä\u{1}\u{9B}", "level": "own"])
        let line = try #require(lines.all.first)
        #expect(line.hasSuffix("\n"))
        let object = try #require(
            try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: String])
        #expect(object["level"] == "warning")
        #expect(object["message"] == "it \"is\" so")
        #expect(object["client"] == "ä\u{1}\u{9B}")
        #expect(object["level_"] == "own")
        #expect(!line.dropLast().contains { $0 == "\n" || $0 == "\u{9B}" })
    }

    @Test func theLevelHoldsForLoggersThatAreThereAlready() {
        let (logger, lines) = logger(.text)
        logger.debug("hidden")
        lines.output?.level = .debug
        logger.debug("seen")
        #expect(lines.all.count == 1)
        var quiet = logger
        quiet.logLevel = .warning
        quiet.info("hidden")
        #expect(lines.all.count == 1)
    }

    private func logger(_ format: LogFormat) -> (Logger, Lines) {
        let lines = Lines()
        let output = LogOutput(format, level: .info) { lines.append($0) }
        lines.output = output
        return (Logger(label: "test") { LineLogHandler(label: $0, output: output) }, lines)
    }
}

private final class Lines: @unchecked Sendable {
    private let state = Mutex<[String]>([])
    var output: LogOutput?

    var all: [String] { state.withLock { $0 } }

    func append(_ line: String) { state.withLock { $0.append(line) } }
}
