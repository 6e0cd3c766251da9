import ArgumentParser

/// Feeds the parts that read what strangers send with bytes that no honest peer would send.
///
/// Each target is a subcommand in a file of its own; a run is repeated by its seed.
@main struct Fuzz: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Runs a fuzz target.",
        discussion: """
            A failure is written to the directory for failures and named in the output; put it into the tree, and the \
            tests replay it from then on. Exit status 1 if there was one.
            """,
        subcommands: subcommands)

    private static var subcommands: [any ParsableCommand.Type] {
        #if COVERAGE
            [FuzzDecoder.self, FuzzDecoderByCoverage.self, MeasureCodec.self]
        #else
            [
                FuzzDecoder.self, FuzzCore.self, FuzzNATS.self, FuzzAccess.self, FuzzTransport.self,
                FuzzConfiguration.self, FuzzBridge.self, MeasureCodec.self,
            ]
        #endif
    }
}

/// The options that all targets have.
struct FuzzOptions: ParsableArguments {
    @Option(help: "Inputs to try.") var runs = 100_000
    @Option(help: "Repeats a run.") var seed: UInt64 = 1
    @Option(help: ArgumentHelp("Where inputs that failed are written.", valueName: "dir"))
    var failures = "Fuzzing/Failures"
}
