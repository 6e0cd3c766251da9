import ArgumentParser

/// With what the broker's commands end, beside 0 and the argument parser's own 64 for a command line that it cannot
/// read. `sysexits.h` has the numbers.
enum BrokerExitCode {
    /// It could not start, or it failed while it served: a port in use, no permission.
    static let failure = ExitCode(1)
    /// The configuration, from the file or the command line, is wrong. Starting again will not help.
    static let badConfiguration = ExitCode(78)

    static let help = """
        Exit codes: 0 stopped as asked (SIGTERM, SIGINT); 1 could not start, or failed; 64 bad command line; 78 bad \
        configuration.
        """
}
