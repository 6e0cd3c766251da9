import Foundation

/// The inputs in a directory, one a file, in the order of their names.
enum InputFiles {
    static func read(directory: String) throws -> [(name: String, bytes: [UInt8])] {
        try FileManager.default.contentsOfDirectory(atPath: directory).filter { $0.hasSuffix(".bin") }.sorted().map {
            ($0, try Array(Data(contentsOf: URL(fileURLWithPath: directory).appendingPathComponent($0))))
        }
    }

    static func write(_ bytes: [UInt8], directory: String, name: String) throws -> String {
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        let file = URL(fileURLWithPath: directory).appendingPathComponent(name)
        try Data(bytes).write(to: file)
        return file.path
    }
}
