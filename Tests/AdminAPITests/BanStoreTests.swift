import AdminAPI
import BrokerRuntime
import Foundation
import MQTTModel
import NIOCore
import Testing

/// Bans outlive the process where there is a data directory.
@Suite struct BanStoreTests {
    private func withDirectory(_ body: (_ path: String) async throws -> Void) async throws {
        let directory = FileManager.default.temporaryDirectory.appending(
            path: "dunlin-bans-\(UInt64.random(in: 0 ... .max))")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }
        try await body(directory.path)
    }

    @Test func whatIsSavedIsThereAgain() async throws {
        try await withDirectory { directory in
            let before = BanList()
            let store = try BanStore(before, directory: directory)
            let bans: [BanList.Ban] = [
                .init(.clientIdentifier(ExactText("a\"\u{E9}/+ b")), for: nil, reason: "too \"loud\""),
                .init(.userName(ExactText("e\u{301}")), for: .seconds(3600), reason: ""),
                .init(.address("2001:db8::1"), for: .seconds(1_000_000_000), reason: ""),
            ]
            for ban in bans { #expect(before.add(ban)) }
            try await store.save()
            let after = BanList()
            _ = try BanStore(after, directory: directory + "/")
            #expect(Set(after.all.map(\.subject)) == Set(bans.map(\.subject)))
            let ends = Dictionary(uniqueKeysWithValues: after.all.map { ($0.subject, $0.until) })
            for ban in bans {
                guard let until = ban.until else {
                    #expect(ends[ban.subject] == .some(nil))
                    continue
                }
                let end = try #require(ends[ban.subject])
                let kept = try #require(end)
                // The file has whole seconds; the machine may take its time.
                #expect(abs((kept - until).nanoseconds) < 60_000_000_000)
            }
            #expect(after.all.contains { $0.reason == "too \"loud\"" })
        }
    }

    @Test func aBanThatHasEndedMeanwhileIsNotTakenUp() async throws {
        try await withDirectory { directory in
            try Data(
                #"{"bans":[{"kind":"user","value":"a","until":"2001-01-01T00:00:00Z"},{"kind":"user","value":"b"}]}"#
                    .utf8
            ).write(to: URL(filePath: directory + "/bans.json"))
            let bans = BanList()
            _ = try BanStore(bans, directory: directory)
            #expect(bans.all.map(\.subject) == [.userName(ExactText("b"))])
        }
    }

    @Test(arguments: [
        (#"{"bans":[{"kind":"user","value":"a"},{"kind":"planet","value":"b"}]}"#, "ban 2"),
        (#"{"bans":[{"kind":"address","value":"localhost"}]}"#, "\"localhost\" is no IPv4 or IPv6 address"),
        (#"{"bans":[{"kind":"user","value":""}]}"#, "a ban needs a value"),
        ("", "bans.json"), ("[]", "bans.json"),
    ])
    func aFileThatCannotBeReadKeepsTheBrokerFromStarting(text: String, words: String) async throws {
        try await withDirectory { directory in
            try Data(text.utf8).write(to: URL(filePath: directory + "/bans.json"))
            let failure = #expect(throws: AdminFailure.self) { try BanStore(BanList(), directory: directory) }
            #expect(failure?.description.contains(words) == true, "\(failure?.description ?? "")")
        }
    }

    @Test func whatCannotBeWrittenIsSaid() async throws {
        let store = try BanStore(BanList(), directory: "/nonexistent")
        await #expect(throws: AdminFailure.self) { try await store.save() }
        // Without a data directory there is nothing to write.
        try await BanStore(BanList(), directory: "").save()
    }
}
