#if COVERAGE
    import ArgumentParser
    import FuzzKit

    /// The decoder's target led by libFuzzer of the toolchain, in builds made for it (Fuzzing/README.md): it follows the
    /// branches that inputs take and so finds ways that random changes do not, but is not the same on every machine. The
    /// run with a seed is the one that is repeated.
    struct FuzzDecoderByCoverage: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "decoder-coverage",
            abstract: "Feeds the packet decoder, led by coverage. Takes the arguments of libFuzzer.")

        @Argument(parsing: .captureForPassthrough) var arguments: [String] = []

        func run() throws {
            // libFuzzer wants the arguments as C has them, with a program's name in front: the subcommand's will do.
            var count = CommandLine.argc - 1
            var arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? = CommandLine.unsafeArgv + 1
            throw ExitCode(runLibFuzzer(&count, &arguments, fuzzDecoder))
        }
    }

    @_silgen_name("LLVMFuzzerRunDriver")
    private func runLibFuzzer(
        _ argumentCount: UnsafeMutablePointer<CInt>,
        _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?>,
        _ target: @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt
    ) -> CInt

    /// Under the name that libFuzzer's own `main` asks for, so that it links.
    @_cdecl("LLVMFuzzerTestOneInput")
    func fuzzDecoder(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
        let input = DecoderInput(file: Array(UnsafeBufferPointer(start: bytes, count: count)))
        let result = Result { () throws(DecoderCheck.Failure) in try DecoderCheck.run(input) }
        if case .failure(let failure) = result {
            // How libFuzzer is told of a failure: it keeps the input of a process that stops.
            preconditionFailure("what must hold of the decoder for any bytes does not: \(failure)")
        }
        return 0
    }
#endif
