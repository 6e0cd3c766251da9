import Foundation
import Testing

/// The table of what is held by which test is complete, true, and written down.
@Suite struct ConformanceDocumentTests {
    private let data: ConformanceData

    init() throws { data = try ConformanceData() }

    @Test func everyStatementHasATestOrAReason() {
        for statement in data.statements where !statement.hasTest && statement.reason == nil {
            Issue.record("\(statement.version.numberText) \(statement.id) has neither: \(statement.text)")
        }
    }

    @Test func noReasonIsGivenWhereThereIsATest() {
        for statement in data.statements where statement.hasTest {
            #expect(statement.reason == nil, "\(statement.version.numberText) \(statement.id)")
        }
    }

    @Test func whatTheTablesNameExists() {
        #expect(data.faults.isEmpty)
    }

    @Test func everyTrapHasAnExchange() {
        #expect(Set(Exchange.all.flatMap(\.traps)) == Set(data.traps.map(\.number)))
    }

    @Test func everyExchangeHasANameOfItsOwn() {
        var seen: Set<String> = []
        for exchange in Exchange.all { #expect(seen.insert(exchange.name).inserted, "\(exchange.name)") }
    }

    @Test func documentIsUpToDate() throws {
        let text = ConformanceDocument(data: data).text
        if ProcessInfo.processInfo.environment["DUNLIN_WRITE_DOCS"] != nil {
            try Repository.write(text, to: ConformanceDocument.path)
        }
        let isUpToDate = try Repository.read(ConformanceDocument.path) == text
        #expect(isUpToDate, "docs/conformance.md is out of date: run `make docs`")
    }
}
