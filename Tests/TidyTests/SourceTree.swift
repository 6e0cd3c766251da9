import Foundation
import Testing

/// The repository's files.
enum SourceTree {
    static let sources = swiftFiles(under: "Sources")
    static let tests = swiftFiles(under: "Tests")
    /// Everything that is written for people or machines to read.
    static let all =
        files(under: ["Sources", "Tests", "docs", "Benchmarks", ".ci"]) { _ in true }
        + ["Package.swift", "Makefile", "README.md"].compactMap(file)

    static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    private static func swiftFiles(under folder: String) -> [SourceFile] {
        files(under: [folder]) { $0.hasSuffix(".swift") }
    }

    private static func files(under folders: [String], where isWanted: (String) -> Bool) -> [SourceFile] {
        folders.flatMap { folder in
            let paths = FileManager.default.enumerator(atPath: root.appending(path: folder).path)?.allObjects ?? []
            return paths.compactMap { $0 as? String }.filter(isWanted).sorted().compactMap { file("\(folder)/\($0)") }
        }
    }

    /// nil for a folder, and for what is no text.
    private static func file(_ path: String) -> SourceFile? {
        guard let data = try? Data(contentsOf: root.appending(path: path)),
            let text = String(data: data, encoding: .utf8)
        else { return nil }
        return SourceFile(path: path, text: text)
    }
}

/// Fails the test for a place, in the form that editors and terminals make a link of.
func complain(
    _ file: SourceFile, _ line: Int, _ what: String, instead: String, sourceLocation: SourceLocation = #_sourceLocation
) {
    Issue.record("\(file.path):\(line): \(what); \(instead)", sourceLocation: sourceLocation)
}
