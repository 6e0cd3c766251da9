import Testing

/// Below the line that docs/architecture.md draws, the same inputs give the same outputs in every process: what is
/// banned here is what would break that.
@Suite("Pure half")
struct PureHalfTests {
    static let targets: Set<String> = [
        "MQTTModel", "MQTTCodec", "TopicIndex", "MQTTSession", "AccessControl", "Backbone", "Flock", "BrokerCore",
        "SimulationKit", "MQTTBridge", "NATSProtocol", "TransportModel",
    ]

    private static let files = SourceTree.sources.filter { targets.contains($0.target) }

    struct Ban: Sendable, CustomTestStringConvertible {
        let name: String
        let pattern: String
        let instead: String
        var exemptTargets: Set<String> = []

        var testDescription: String { name }
    }

    static let bans: [Ban] = [
        Ban(
            name: "a clock",
            pattern:
                #"\b(?:Date|ContinuousClock|SuspendingClock|DispatchTime|NIODeadline|clock_gettime)\b"#
                + #"|(?<![\w)\]?])\.now\b"#,
            instead: "take `now: Instant` as an argument"),
        Ban(
            name: "a random source",
            pattern:
                #"\bSystemRandomNumberGenerator\b|\bUUID\(|\.random\((?![^)\n]*using:)|\.randomElement\(\)|\.shuffled\(\)"#
                + #"|\.shuffle\(\)"#,
            instead: "take `using random: inout some RandomNumberGenerator` as an argument"),
        Ban(
            name: "concurrency", pattern: #"\b(?:Task|await|async|actor|DispatchQueue|Thread)\b"#,
            instead: "return an effect and let the driver do it"),
        Ban(
            name: "a lock", pattern: #"\b(?:Mutex|NIOLock\w*|NSLock|Atomic|pthread_\w+)\b"#,
            instead: "keep the state in one shard"),
        Ban(
            name: "output", pattern: #"(?<![\w.])(?:print|debugPrint|dump)\(|\bLogger\b"#,
            instead: "return `.report(BrokerEvent)` and let the driver log it"),
        Ban(
            name: "an address as a key", pattern: #"\bObjectIdentifier\b"#,
            instead: "hand out identifiers; an address differs from run to run",
            // Only looks messages up by it.
            exemptTargets: ["SimulationKit"]),
    ]

    @Test(arguments: bans)
    func isFreeOf(ban: Ban) {
        let pattern = Pattern(ban.pattern)
        for file in Self.files where !ban.exemptTargets.contains(file.target) {
            for match in file.matches(pattern) {
                let word = match.groups[0]
                complain(file, match.line, "`\(word)` is \(ban.name) in the pure half", instead: ban.instead)
            }
        }
    }

    /// The order of a `Dictionary` or `Set` differs from process to process. A loop over one is let through when a
    /// comment on its line or the line above says why the order reaches nothing: `// Order-free: …`.
    @Test func noLoopRunsInTheOrderOfADictionaryOrSet() {
        for target in Self.targets.sorted() {
            let files = Self.files.filter { $0.target == target }
            let names = UnorderedNames(files)
            for file in files {
                for (line, name) in names.iterations(in: file) where !isExcused(file, line) {
                    complain(
                        file, line, "iterates over `\(name)`, a Dictionary or Set, whose order differs between runs",
                        instead: "use OrderedDictionary, sort, or say `// Order-free: why` above the loop")
                }
            }
        }
    }

    private func isExcused(_ file: SourceFile, _ line: Int) -> Bool {
        file.lines[max(0, line - 2)..<line].contains { $0.contains("// Order-free: ") }
    }
}

/// The names that stand for dictionaries and sets in a target, by its declarations. A name that is also declared with
/// another type, in the file or in the target, is left alone there.
private struct UnorderedNames {
    private static let unordered = Pattern(
        #"\b(?:var|let)\s+(\w+)\s*(?::\s*(?:\[[^\[\]()\n]*[^\[\]()\s:]\s*:[^\n=]*\]|(?:Set|Dictionary)<)"#
            + #"|=\s*(?:\[[^\[\]\n]*:[^\[\]\n]*\]\(|(?:Set|Dictionary)[<(]))"#)
    private static let declared = Pattern(
        #"\b(?:var|let)\s+(\w+)\b|\b(\w+)\s*:\s*(?:inout |borrowing |consuming )?[\[A-Z]"#)
    private static let loop = Pattern(#"\bfor\s+[^\n{]*?\bin\s+([\w.?\[\]]+?)(?:\.(?:keys|values))?\s*(?:\{|where\b)"#)
    private static let method = Pattern(
        #"\b(\w+)(?:\.(?:keys|values))?\."#
            + #"(?:forEach|map|compactMap|flatMap|reduce|first|popFirst|enumerated|prefix)\b"#
    )

    private var inTarget: Set<String> = []
    private var inFile: [String: Set<String>] = [:]

    init(_ files: [SourceFile]) {
        var asUnordered: [String: Int] = [:]
        var asAnything: [String: Int] = [:]
        for file in files {
            var unordered: [String: Int] = [:]
            var anything: [String: Int] = [:]
            for match in file.matches(Self.unordered) { unordered[match.groups[1], default: 0] += 1 }
            for match in file.matches(Self.declared) {
                anything[match.groups[1].isEmpty ? match.groups[2] : match.groups[1], default: 0] += 1
            }
            inFile[file.path] = Set(unordered.filter { anything[$0.key, default: 0] <= $0.value }.keys)
            asUnordered.merge(unordered) { $0 + $1 }
            asAnything.merge(anything) { $0 + $1 }
        }
        inTarget = Set(asUnordered.filter { asAnything[$0.key, default: 0] <= $0.value }.keys)
    }

    func iterations(in file: SourceFile) -> [(line: Int, name: String)] {
        let names = inTarget.union(inFile[file.path] ?? [])
        let found = file.matches(Self.loop) + file.matches(Self.method)
        return found.compactMap { match in
            let name =
                match.groups[1].split(separator: ".").last.map { String($0.prefix { $0 != "[" && $0 != "?" }) } ?? ""
            return names.contains(name) ? (match.line, name) : nil
        }
    }
}
