import BackboneSQLite
import BrokerConfiguration
import BrokerCore
import Foundation
import Testing

@Suite("Table of settings")
struct SettingTableTests {
    /// A bound that no key can set is a bound that no page lists.
    @Test func everyLimitHasAKeyOfItsName() {
        let names = Mirror(reflecting: Limits()).children.compactMap(\.label).map { "limits." + hyphenated($0) }
        #expect(names == Setting.all.map(\.key).filter { $0.hasPrefix("limits.") })
    }

    @Test func everyOptionOfTheStoreHasAKeyOfItsName() {
        let names = Mirror(reflecting: StoreOptions(directory: "")).children.compactMap(\.label)
            // The number of event loops is the broker's to tell.
            .filter { $0 != "shardCount" }.map { "data." + hyphenated($0) }
        #expect(names == Setting.all.map(\.key).filter { $0.hasPrefix("data.") })
    }

    @Test func keysAreUnique() {
        #expect(Set(Setting.all.map(\.key)).count == Setting.all.count)
    }

    @Test func everyCounterNamedExists() {
        let ofTheCore = Set(Mirror(reflecting: Counters()).children.compactMap(\.label))
        let ofTheStore = Set(Mirror(reflecting: StoreStatistics()).children.compactMap(\.label))
        for setting in Setting.all {
            let counters = setting.key.hasPrefix("data.") ? ofTheStore : ofTheCore
            if let counter = setting.counter { #expect(counters.contains(counter), "\(setting.key)") }
        }
    }

    @Test func theDefaultFileSaysTheDefaults() async throws {
        let read = try await settings(reading: SettingsDocument.defaultFile)
        for setting in Setting.all {
            #expect(setting.written(read) == setting.written(BrokerSettings()), "\(setting.key)")
        }
        #expect(read.options.limits == Limits())
        #expect(read.contradictions().isEmpty)
    }

    @Test func thePageOfLimitsIsUpToDate() throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let page = try String(contentsOf: root.appending(path: "docs/limits.md"), encoding: .utf8)
        #expect(page == SettingsDocument.limits, "docs/limits.md is not what the table says: run `make docs`")
    }

    private func hyphenated(_ name: String) -> String {
        name.reduce(into: "") { result, character in
            result += character.isUppercase ? "-" + character.lowercased() : String(character)
        }
    }
}
