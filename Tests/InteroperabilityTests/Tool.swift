import Foundation
import ProcessKit

extension Tool {
    static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    /// The broker, as built with these tests.
    static func dunlin() throws -> String {
        let built = URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent().appending(path: "dunlin").path
        if FileManager.default.isExecutableFile(atPath: built) { return built }
        let usual = root.appending(path: ".build/debug/dunlin").path
        if FileManager.default.isExecutableFile(atPath: usual) { return usual }
        throw Missing(description: "there is no dunlin beside the tests: run `swift build --build-tests`")
    }

    /// The folder that holds paho-mqtt.
    static func paho() throws -> String {
        let folder = root.appending(path: ".deps/python")
        guard FileManager.default.fileExists(atPath: folder.appending(path: "paho").path) else {
            throw Missing(description: "paho-mqtt is not in .deps/python: run `make deps`")
        }
        return folder.path
    }
}
