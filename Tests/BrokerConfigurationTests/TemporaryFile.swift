import BrokerConfiguration
import Foundation

/// What `BrokerSettings` makes of a file with this text, called `dunlin.yaml`.
func settings(reading text: String) async throws -> BrokerSettings {
    let directory = FileManager.default.temporaryDirectory.appending(path: "dunlin-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: directory) }
    let file = directory.appending(path: "dunlin.yaml")
    try Data(text.utf8).write(to: file)
    return try await BrokerSettings(contentsOfFile: file.path)
}

/// The problems with a file with this text, as `LINE: KEY: TEXT`.
func problems(reading text: String) async throws -> [String] {
    do {
        _ = try await settings(reading: text)
        return []
    } catch let error as InvalidSettings {
        return error.problems.map { problem in
            (problem.line.map { "\($0): " } ?? "") + (problem.key.map { "\($0): " } ?? "") + problem.text
        }
    }
}
