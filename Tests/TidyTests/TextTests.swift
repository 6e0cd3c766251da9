import Testing

@Suite("Text")
struct TextTests {
    @Test func nothingOutsideTestsCrashesOnPurposeOrByHope() {
        let bans: [(pattern: Pattern, instead: String)] = [
            (Pattern(#"\btry!"#), "throw, or turn the error into a value"),
            (Pattern(#"\bas!"#), "use `as?` and say what happens otherwise"),
            (
                Pattern(#"(?<=[\w)\]>])!(?![=\w])"#),
                "unwrap with `if let` or `guard let` and say what happens otherwise"
            ),
            (
                Pattern(#"\b(?:fatalError|unsafeBitCast|unowned\(unsafe\))"#),
                "use `precondition` with the rule in a sentence"
            ),
        ]
        for file in SourceTree.sources {
            for ban in bans {
                for match in file.matches(ban.pattern) {
                    complain(file, match.line, "`\(match.groups[0])` outside tests", instead: ban.instead)
                }
            }
        }
    }

    /// The words are put together here so that this file does not hold them.
    @Test func nothingIsLeftForLater() {
        let pattern = Pattern(
            #"\b("# + ["TO" + "DO", "FIX" + "ME", "X" + "XX", "HA" + "CK"].joined(separator: "|") + #")\b"#)
        for file in SourceTree.all {
            for match in pattern.matches(in: file.text) {
                complain(
                    file, match.line, "`\(match.groups[1])`",
                    instead: "do it now, or file it where the project keeps its issues")
            }
        }
    }

    /// What is only so on one machine does not belong into the repository.
    @Test func nothingNamesAMachineOrARegistry() {
        let words = ["/wo" + "rk/", "/ro" + "ot/", "/ho" + "me/", "/opt/" + "wheels", "/opt/" + "swift"]
        let hosts = ["py" + "pi.org", "python" + "hosted", "deb." + "debian.org", "docker" + ".io", "ghcr" + ".io"]
        let pattern = Pattern("(" + (words + hosts).joined(separator: "|") + ")")
        for file in SourceTree.all {
            for match in pattern.matches(in: file.text) {
                complain(
                    file, match.line, "`\(match.groups[1])` is a place on one machine or a registry's address",
                    instead: "find it out at run time, or name the package")
            }
        }
    }

    @Test func everyFileEndsWithOneNewline() {
        for file in SourceTree.all where !file.text.isEmpty {
            if !file.text.hasSuffix("\n") || file.text.hasSuffix("\n\n") {
                complain(file, file.lines.count, "does not end with one newline", instead: "end it with one")
            }
        }
    }
}
