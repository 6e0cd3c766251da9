import Testing

/// The tidy tests see what they are meant to see.
@Suite("Scanner of the tidy tests")
struct ScannerTests {
    private func code(_ text: String) -> String { CodeScanner.blankingCommentsAndStrings(text) }

    @Test func commentsAreBlank() {
        #expect(code("a // try!\nb") == "a        \nb")
        #expect(code("a /* x /* y */ z */ b") == "a                   b")
    }

    @Test func stringsAreBlankButInterpolationsAreCode() {
        #expect(code(#"f("try!") as!"#) == #"f("    ") as!"#)
        #expect(code(#""a\(b("c") + d)e""#) == #""   b(" ") + d  ""#)
        #expect(code(##"#"a"b"# c"##) == ##"#"   "# c"##)
        #expect(code("\"\"\"\na\"b\n\"\"\" c") == "\"\"\"\n   \n\"\"\" c")
    }
}
