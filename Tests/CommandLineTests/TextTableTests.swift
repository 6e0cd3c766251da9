import Testing

@testable import dunlin

@Suite struct TextTableTests {
    @Test func columnsAreAligned() {
        #expect(
            TextTable.lines(["client", "qos"], [["a", "0"], ["longer name", ""], ["\u{1B}[2J", "1"]]) == [
                "CLIENT         QOS",
                "a              0",
                "\"longer name\"  -",
                "\"\\u001b[2J\"    1",
            ])
    }

    @Test func anythingFitsIntoAQuery() {
        #expect(
            AdminTarget.make("/v1/clients", [("client", "a/b &ä="), ("limit", "1")])
                == "/v1/clients?client=a%2Fb%20%26%C3%A4%3D&limit=1")
    }
}
