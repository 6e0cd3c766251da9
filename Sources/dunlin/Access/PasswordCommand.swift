import AccessProviders
import ArgumentParser
import Foundation

/// `dunlin passwd`: changes a password file.
struct PasswordCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "passwd",
        abstract: "Set or delete a user's password in a password file.",
        discussion: """
            Asks for the password twice, or reads it from the first line of standard input when that is no terminal; it is \
            never an argument. The file is made when it is not there, readable for its owner alone, and is exchanged in \
            one step, so a broker never reads half of it. The broker reads it again at SIGHUP.

            Exit codes: 0 done; 1 the file or the password will not do; 64 bad command line.
            """)

    @Argument(help: "The password file.", completion: .file())
    var file: String

    @Argument(help: "The user's name.")
    var user: String

    @Option(
        name: .long,
        help: ArgumentHelp(
            "How it is hashed: scrypt, pbkdf2 (which Mosquitto can read), or scram (also for SCRAM-SHA-256).",
            valueName: "scheme"))
    var scheme: PasswordHash.Scheme = .scrypt

    @Flag(name: .long, help: "Delete the user.")
    var delete = false

    func validate() throws {
        guard PasswordFile.isValid(userName: user) else {
            throw ValidationError(
                "A user name is not empty, has no colon and no control character, and begins with no #.")
        }
    }

    func run() throws {
        var lines = try currentLines()
        let isOfUser = { (line: String) in line.utf8.starts(with: "\(user):".utf8) }
        let position = lines.firstIndex(where: isOfUser)
        lines.removeAll(where: isOfUser)
        if delete {
            guard position != nil else { throw refusal("\(file) has no user \(user)") }
        } else {
            let password = try password()
            guard !password.isEmpty else { throw refusal("an empty password protects nothing") }
            let hash: PasswordHash
            do { hash = try PasswordHash(password, scheme: scheme) } catch { throw refusal("hashing failed: \(error)") }
            lines.insert("\(user):\(hash.text)", at: min(position ?? lines.count, lines.count))
        }
        try write(lines.map { $0 + "\n" }.joined())
    }

    private func refusal(_ text: String) -> any Error {
        StandardStreams.writeErrorLine("Error: \(text)")
        return BrokerExitCode.failure
    }

    private func currentLines() throws -> [String] {
        guard FileManager.default.fileExists(atPath: file) else {
            if delete { throw refusal("\(file) does not exist") }
            return []
        }
        guard let data = FileManager.default.contents(atPath: file), let text = String(validating: data, as: UTF8.self)
        else { throw refusal("\(file) cannot be read") }
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        if lines.last == "" { lines.removeLast() }
        return lines
    }

    private func password() throws -> [UInt8] {
        guard isatty(STDIN_FILENO) == 1 else {
            guard let line = readLine(strippingNewline: true) else { throw refusal("standard input has no password") }
            return Array(line.utf8)
        }
        let first = try readHidden("Password: ")
        guard try readHidden("Again: ") == first else { throw refusal("the two passwords differ") }
        return first
    }

    private func readHidden(_ prompt: String) throws -> [UInt8] {
        var settings = termios()
        guard tcgetattr(STDIN_FILENO, &settings) == 0 else { throw refusal("the terminal cannot be asked") }
        var hidden = settings
        hidden.c_lflag &= ~tcflag_t(ECHO)
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden)
        defer {
            tcsetattr(STDIN_FILENO, TCSAFLUSH, &settings)
            StandardStreams.writeErrorLine("")
        }
        FileHandle.standardError.write(Data(prompt.utf8))
        return Array((readLine(strippingNewline: true) ?? "").utf8)
    }

    /// Beside the file first, then in its place.
    private func write(_ text: String) throws {
        let temporary = "\(file).\(getpid()).new"
        let mode = (try? FileManager.default.attributesOfItem(atPath: file)[.posixPermissions] as? Int) ?? 0o600
        guard FileManager.default.createFile(atPath: temporary, contents: nil, attributes: [.posixPermissions: 0o600]),
            let handle = FileHandle(forWritingAtPath: temporary)
        else { throw refusal("\(temporary) cannot be written") }
        do {
            try handle.write(contentsOf: Data(text.utf8))
            try handle.synchronize()
            try handle.close()
            try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: temporary)
        } catch {
            _ = unlink(temporary)
            throw refusal("\(temporary) cannot be written")
        }
        guard rename(temporary, file) == 0 else {
            _ = unlink(temporary)
            throw refusal("\(file) cannot be written")
        }
    }
}

extension PasswordHash.Scheme: ExpressibleByArgument {}
