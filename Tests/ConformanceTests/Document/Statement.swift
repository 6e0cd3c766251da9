import MQTTModel

/// A normative statement of one version of the standard, in our words.
struct Statement: Sendable {
    let version: ProtocolVersion
    /// With `MQTT-`.
    let id: String
    let bound: String
    let text: String
    /// The exchanges that hold it.
    var exchanges: [Exchange] = []
    /// Files of other tests that name it.
    var files: [String] = []
    /// Why it has no test.
    var reason: String?

    var hasTest: Bool { !exchanges.isEmpty || !files.isEmpty }
}

/// What `docs/conformance` holds beside the checkout's tests: the statements, the tests elsewhere, and the reasons.
struct ConformanceData {
    var statements: [Statement] = []
    var traps: [(number: Int, text: String)] = []
    /// Rows that speak of what does not exist.
    private(set) var faults: [String] = []

    init() throws {
        for version in [ProtocolVersion.v3_1_1, .v5_0] {
            for row in try Repository.table("docs/conformance/mqtt-\(version.numberText).tsv", columns: 4) {
                statements.append(Statement(version: version, id: row[0], bound: row[2], text: row[3]))
            }
        }
        try addExchanges()
        for row in try Repository.table("docs/conformance/elsewhere.tsv", columns: 4) {
            if try !Repository.read(row[2]).contains(row[3]) { faults.append("\(row[2]) does not name \(row[3])") }
            change(row[0], row[1]) { $0.files.append(row[2]) }
        }
        for row in try Repository.table("docs/conformance/reasons.tsv", columns: 3) {
            change(row[0], row[1]) { $0.reason = row[2] }
        }
        traps = try Repository.table("docs/conformance/traps.tsv", columns: 2).map { (Int($0[0]) ?? 0, $0[1]) }
    }

    private mutating func addExchanges() throws {
        for exchange in Exchange.all {
            for (version, ids) in [("3.1.1", exchange.statements3), ("5.0", exchange.statements5)] {
                for id in ids { change(version, "MQTT-" + id) { $0.exchanges.append(exchange) } }
            }
        }
    }

    private mutating func change(_ version: String, _ id: String, _ body: (inout Statement) -> Void) {
        guard let index = statements.firstIndex(where: { $0.version.numberText == version && $0.id == id }) else {
            faults.append("there is no \(id) in \(version)")
            return
        }
        body(&statements[index])
    }
}

extension ProtocolVersion {
    var numberText: String {
        switch self {
        case .v3_1: "3.1"
        case .v3_1_1: "3.1.1"
        case .v5_0: "5.0"
        }
    }
}
