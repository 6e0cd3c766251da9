import AccessControl
import Testing

@Suite("Rule files")
struct RuleFileTests {
    private func problems(_ text: String) -> [AccessProblem] {
        var problems: [AccessProblem] = []
        _ = AccessRuleSet(parsing: text, problems: &problems)
        return problems
    }

    @Test func everyLineReadsBackAsItself() {
        let text = """
            allow everyone read #
            deny user alice write a/+/b
            allow client "two words" readwrite "a b/#"
            allow user "say \\"hi\\" \\\\" subscribe clients/%c/%u/%{common-name}/%%
            deny group g receive $SYS/#
            allow anonymous readwrite +
            """
        var found: [AccessProblem] = []
        let rules = AccessRuleSet(parsing: text, problems: &found)
        #expect(found.isEmpty)
        #expect(rules.rules.map(\.description).joined(separator: "\n") == text)
    }

    @Test func commentsAndEmptyLinesAreNothing() {
        var found: [AccessProblem] = []
        let rules = AccessRuleSet(
            parsing: "# one\r\n\r\n   \t\r\n  # two\r\nallow everyone read # # all\r\ngroup g a b # members\r\n",
            problems: &found)
        #expect(found.isEmpty)
        #expect(rules.rules.count == 1)
        #expect(rules.groups == [.init(name: "g", members: ["a", "b"])])
    }

    struct Fault: Sendable {
        let text: String
        let line: Int
        var word: String?
    }

    @Test(arguments: [
        Fault(text: "alow everyone read a", line: 1, word: "alow"),
        Fault(text: "allow everyone read a\n\nallow nobody read a", line: 3, word: "nobody"),
        Fault(text: "allow everyone reed a", line: 1, word: "reed"),
        Fault(text: "allow everyone read a/#/b", line: 1),
        Fault(text: "allow everyone read a/%x", line: 1, word: "%x"),
        Fault(text: "allow everyone read a/%", line: 1, word: "%"),
        Fault(text: "allow everyone read %{dns", line: 1, word: "%{"),
        Fault(text: "allow everyone read %{cn}", line: 1, word: "%{cn}"),
        Fault(text: "allow everyone read a b", line: 1),
        Fault(text: "allow everyone read", line: 1),
        Fault(text: "allow everyone", line: 1),
        Fault(text: "allow user", line: 1),
        Fault(text: "allow user \"alice read a", line: 1),
        Fault(text: "allow user \"al\\ice\" read a", line: 1),
        Fault(text: "allow everyone read $share/g/a", line: 1),
        Fault(text: "group g", line: 1),
        Fault(text: "group staff a\nallow group staf read a", line: 2, word: "staf"),
        Fault(text: "allow everyone read \"\"", line: 1),
    ])
    func aFaultIsToldWithItsLine(_ fault: Fault) {
        let found = problems(fault.text)
        #expect(found.count == 1)
        #expect(found.first?.line == fault.line)
        #expect(found.first?.word == fault.word)
    }

    @Test func everyFaultIsToldNotOnlyTheFirst() {
        #expect(problems("x\nallow everyone read a\ny").map(\.line) == [1, 3])
    }

    @Test func anEmptyFileAllowsNothing() {
        #expect(problems("").isEmpty)
    }

    // MARK: Mosquitto

    @Test func mosquittosFileBecomesOurRules() {
        let text = """
            # For those without a name.
            topic read $SYS/#

            user alice
            topic a b/100%
            topic write b
            topic deny c/#
            user bob smith
            topic readwrite d
            pattern write clients/%c/up
            pattern read users/%u/50%
            """
        let imported = MosquittoRules(parsing: text)
        #expect(imported.problems.isEmpty)
        #expect(
            imported.rules.map(\.description) == [
                "allow anonymous read $SYS/#",
                "allow user alice readwrite \"a b/100%%\"",
                "allow user alice write b",
                "deny user alice readwrite c/#",
                "allow user \"bob smith\" readwrite d",
                "allow everyone write clients/%c/up",
                "allow everyone read users/%u/50%%",
            ])
    }

    @Test func mosquittosWayOfSubscribingCanBeAskedFor() {
        let imported = MosquittoRules(parsing: "topic read a", allowsAnySubscription: true)
        #expect(
            imported.rules.map(\.description).suffix(2) == [
                "allow everyone subscribe #", "allow everyone subscribe $SYS/#",
            ])
    }

    @Test func aFaultInMosquittosFileIsToldWithItsLine() {
        let imported = MosquittoRules(parsing: "user\ntopic\ntopics a\ntopic read a/#/b")
        #expect(imported.problems.map(\.line) == [1, 2, 3, 4])
        #expect(imported.problems[2].word == "topics")
    }
}
