import AccessControl
import MQTTModel
import Testing

@Suite("Permissions")
struct PermissionTests {
    private func rules(_ text: String) -> AccessRuleSet {
        var problems: [AccessProblem] = []
        let rules = AccessRuleSet(parsing: text, problems: &problems)
        #expect(problems.isEmpty)
        return rules
    }

    private func access(
        _ text: String, client: String = "c1", user: String? = "alice", groups: [String] = [],
        certificate: CertificateIdentity? = nil, granted: [String] = []
    ) -> SessionAccess {
        SessionAccess(
            identity: AccessIdentity(
                clientIdentifier: client, userName: user, groups: groups, certificate: certificate),
            granted: granted.map { try! AccessRule(parsingGranted: $0) }, rules: rules(text))
    }

    @Test func nothingIsAllowedWithoutARule() {
        let access = access("")
        #expect(!access.writes("a"))
        #expect(!access.receives("a"))
        #expect(!access.permitSubscribing(to: "a"))
    }

    struct Case: Sendable, CustomTestStringConvertible {
        let rules: String
        let filter: String
        let isPermitted: Bool
        init(_ rules: String, _ filter: String, _ isPermitted: Bool) {
            (self.rules, self.filter, self.isPermitted) = (rules, filter, isPermitted)
        }
        var testDescription: String { "\(filter) with \(rules)" }
    }

    @Test(arguments: [
        Case("allow everyone read a/#", "a/#", true),
        Case("allow everyone read a/#", "a", true),
        Case("allow everyone read a/#", "a/+/b", true),
        Case("allow everyone read a/#", "#", false),
        Case("allow everyone read a/#", "+/b", false),
        Case("allow everyone read a/#", "+", false),
        Case("allow everyone read a/+", "a/#", false),
        Case("allow everyone read a/+", "a/+", true),
        Case("allow everyone read a/b", "a/+", false),
        Case("allow everyone read #", "#", true),
        Case("allow everyone read #", "$SYS/#", false),
        Case("allow everyone read +/#", "#", true),
        Case("allow everyone read $SYS/#", "$SYS/broker/+", true),
        Case("allow everyone write a/#", "a/b", false),
        Case("allow everyone readwrite a/#", "a/b", true),
        Case("allow everyone receive a/#", "a/b", false),
        Case("allow everyone subscribe a/#", "a/b", true),
        Case("allow everyone read a/#\ndeny everyone read a/b/c", "a/#", false),
        Case("allow everyone read a/#\ndeny everyone read a/b/c", "a/+/c", false),
        Case("allow everyone read a/#\ndeny everyone read a/b/c", "a/b/d", true),
        Case("allow everyone read a/#\ndeny everyone read a/b/c", "a/b/c/#", false),
        Case("allow everyone read a/#\ndeny everyone receive a/b/c", "a/#", true),
        Case("allow user alice read a", "a", true),
        Case("allow user bob read a", "a", false),
        Case("allow client c1 read a", "a", true),
        Case("allow client c2 read a", "a", false),
        Case("allow anonymous read a", "a", false),
        Case("group g alice\nallow group g read a", "a", true),
        Case("group g bob\nallow group g read a", "a", false),
        Case("allow everyone read %u/%c/#", "alice/c1/x", true),
        Case("allow everyone read %u/%c/#", "alice/c2/x", false),
        Case("allow everyone read x-%u-%c", "x-alice-c1", true),
        Case("allow everyone read %%u", "%u", true),
    ])
    func aSubscriptionIsNeverWiderThanWhatIsAllowed(_ one: Case) {
        #expect(access(one.rules).permitSubscribing(to: one.filter) == one.isPermitted)
    }

    @Test(arguments: ["#", "+", "a/b", "", "+/b", "$SYS"])
    func aNameThatIsNoLevelOfATopicGivesNothing(_ name: String) {
        let access = access("allow everyone readwrite %u/#", user: name)
        for topic in ["x", "a/b", "a/b/c", "$SYS/x", "/", "/a"] where topic.prefix(while: { $0 != "/" }) != name {
            #expect(!access.writes(topic), "\(name) writes \(topic)")
        }
        #expect(!access.permitSubscribing(to: "#"))
        #expect(!access.permitSubscribing(to: "a/b/#"))
    }

    @Test func aDenyReachesWhatTheNameSays() {
        let access = access("allow everyone readwrite #\ndeny everyone write %u/secret", user: "a/b")
        #expect(!access.writes("a/b/secret"))
        #expect(access.writes("a/b"))
    }

    @Test func aPlaceholderForWhatTheClientHasNotGivesNothing() {
        #expect(!access("allow everyone write %u/#", user: nil).writes("x/y"))
        #expect(!access("allow everyone write %{common-name}/#").writes("x/y"))
        let certificate = CertificateIdentity(commonName: "sensor", dnsNames: ["s.example", "t.example"])
        let access = access("allow everyone write %{common-name}/%{dns}", certificate: certificate)
        #expect(access.writes("sensor/s.example"))
        #expect(!access.writes("sensor/t.example"))
    }

    /// Two names that Swift takes for equal and MQTT does not.
    @Test func namesAreComparedByteForByte() {
        let access = access("allow user \"caf\u{E9}\" write a", user: "cafe\u{301}")
        #expect(!access.writes("a"))
    }

    @Test func aDenyWinsWhereverItStands() {
        for text in [
            "deny user alice write a/b\nallow everyone write a/#",
            "allow everyone write a/#\ndeny user alice write a/b",
        ] {
            let access = access(text)
            #expect(!access.writes("a/b"))
            #expect(access.writes("a/c"))
        }
    }

    @Test func groupsAndRulesOfTheOneWhoCheckedCount() {
        let access = access(
            "allow group staff write a", groups: ["staff"], granted: ["allow write b", "deny write a/b"])
        #expect(access.writes("a"))
        #expect(access.writes("b"))
        #expect(!access.writes("a/b"))
    }

    @Test func anonymousClientsHaveRulesOfTheirOwn() {
        let access = access("allow anonymous write a\nallow user alice write b", user: nil)
        #expect(access.writes("a"))
        #expect(!access.writes("b"))
    }

    @Test func deliveringAsksOnlyWhereARuleTellsReceivingFromSubscribing() {
        #expect(!access("allow everyone read #\ndeny everyone read a").restrictsDelivery)
        #expect(access("allow everyone subscribe #\nallow everyone read a").restrictsDelivery)
        #expect(access("allow everyone read #\ndeny everyone receive a").restrictsDelivery)
    }

    /// What a granted subscription matches may be received, when delivering does not ask.
    @Test func aGrantedSubscriptionMatchesNothingThatMayNotBeReceived() {
        let levels = ["a", "b", "$d", "+"]
        let filters = levels + levels.flatMap { one in levels.map { "\(one)/\($0)" } }
        let patterns = filters + filters.map { "\($0)/#" } + ["#"]
        let topics = ["a", "b", "$d", "z"].flatMap { one in [one] + ["a", "b", "z"].map { "\(one)/\($0)" } }
        for allowed in patterns {
            for denied in patterns {
                let access = access("allow everyone read \(allowed)\ndeny everyone read \(denied)")
                for pattern in patterns where access.permitSubscribing(to: pattern) {
                    for topic in topics where TopicFilter(pattern)!.matches(topic) {
                        #expect(access.receives(topic), "\(allowed), not \(denied): \(pattern) and \(topic)")
                    }
                }
            }
        }
    }

    @Test func decisionsAreForgottenWhenTheRulesChange() {
        let access = access("allow everyone write a")
        #expect(access.writes("a"))
        access.rulesChanged(to: rules("allow everyone write b"))
        #expect(!access.writes("a"))
        #expect(access.writes("b"))
    }

    /// More topics than the cache has places, each asked twice: a decision is never another topic's.
    @Test func rememberedDecisionsAreThoseOfTheTopic() {
        let access = access("allow everyone write even/#")
        for _ in 0..<2 {
            for number in 0..<200 {
                #expect(access.writes("even/\(number)"))
                #expect(!access.writes("odds/\(number)"))
            }
        }
    }
}

extension SessionAccess {
    func writes(_ topic: String) -> Bool {
        var topic = topic
        return topic.withUTF8 { permitWriting(UnsafeRawBufferPointer($0)) }
    }

    func receives(_ topic: String) -> Bool {
        var topic = topic
        return topic.withUTF8 { permitReceiving(UnsafeRawBufferPointer($0)) }
    }
}
