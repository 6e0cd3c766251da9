import Foundation
import Testing

@Suite("Dependencies")
struct DependencyTests {
    private struct Resolved: Decodable {
        struct Pin: Decodable {
            struct State: Decodable {
                let revision: String
                let version: String?
            }

            let identity: String
            let state: State
        }

        let pins: [Pin]
    }

    /// The manifest allows ranges, as the client library is for other packages; what is built is what this file says.
    @Test func everyDependencyIsPinnedToAReleaseAndItsCommit() throws {
        let file = SourceTree.root.appending(path: "Package.resolved")
        let resolved = try JSONDecoder().decode(Resolved.self, from: Data(contentsOf: file))
        #expect(!resolved.pins.isEmpty)
        for pin in resolved.pins {
            #expect(pin.state.version != nil, "\(pin.identity) is not pinned to a release")
            #expect(pin.state.revision.count == 40, "\(pin.identity) is not pinned to a commit")
        }
    }
}
