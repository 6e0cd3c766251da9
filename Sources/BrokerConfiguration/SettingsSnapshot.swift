package import Configuration
import Foundation
import Yams

/// A configuration file as swift-configuration reads it: YAML, and so JSON too. Knows every key that was written and its
/// line, so that a slip can be told with its place.
package struct SettingsSnapshot: FileConfigSnapshot {
    package struct ParsingOptions: FileParsingOptions {
        package static var `default`: Self { Self() }
    }

    /// One key as written.
    struct Entry: Sendable {
        let key: String
        let line: Int?
        let content: Content
    }

    /// What was written. A scalar keeps its text, since a size or a duration is judged by its text.
    enum Content: Sendable, Hashable {
        case integer(Int, text: String)
        case boolean(Bool, text: String)
        case text(String)
        case list([String])
        /// A key without a value, or a list of something other than words and numbers.
        case unusable
    }

    package let providerName: String
    /// In the order of the file.
    let entries: [Entry]
    private let contents: [String: Content]

    package init(data: RawSpan, providerName: String, parsingOptions: ParsingOptions) throws {
        let bytes = data.withUnsafeBytes { Array($0) }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw SettingsProblem(text: "the file is not UTF-8 text")
        }
        try self.init(text: text, providerName: providerName)
    }

    init(text: String, providerName: String = "SettingsSnapshot") throws {
        self.providerName = providerName
        var entries: [Entry] = []
        if let root = try Self.compose(text) {
            guard case .mapping(let mapping) = root else {
                throw SettingsProblem(
                    line: root.mark?.line, text: "the file has to hold keys with values, as in `log-level: info`")
            }
            Self.append(mapping, under: "", to: &entries)
        }
        self.entries = entries
        contents = Dictionary(entries.map { ($0.key, $0.content) }) { _, last in last }
    }

    package func value(forKey key: AbsoluteConfigKey, type: ConfigType) throws -> LookupResult {
        let name = key.components.joined(separator: ".")
        guard let content = contents[name] else { return LookupResult(encodedKey: name, value: nil) }
        guard let value = Self.configValue(content, as: type) else {
            throw SettingsProblem(key: name, text: "has another type than \(type.rawValue)")
        }
        return LookupResult(encodedKey: name, value: ConfigValue(value, isSecret: false))
    }

    package var description: String { "\(providerName)[\(entries.count) values]" }

    package var debugDescription: String {
        "\(providerName)[" + entries.map { "\($0.key)=\($0.content)" }.joined(separator: ", ") + "]"
    }
}

extension SettingsSnapshot {
    private static func compose(_ text: String) throws -> Node? {
        do {
            return try Yams.compose(yaml: text)
        } catch let error as YamlError {
            switch error {
            case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
                .composer(_, let problem, let mark, _):
                throw SettingsProblem(line: mark.line, text: "this is neither YAML nor JSON: \(problem)")
            case .duplicatedKeysInMapping(let duplicates, let context):
                throw SettingsProblem(
                    line: context.mark.line, text: "written more than once: \(duplicates.joined(separator: ", "))")
            case .no, .memory, .reader, .writer, .emitter, .representer, .dataCouldNotBeDecoded:
                throw SettingsProblem(text: "the file cannot be read: \(error)")
            }
        }
    }

    private static func append(_ mapping: Node.Mapping, under prefix: String, to entries: inout [Entry]) {
        for (name, node) in mapping {
            let key = prefix + (name.string ?? "?")
            if case .mapping(let section) = node {
                append(section, under: key + ".", to: &entries)
            } else {
                entries.append(Entry(key: key, line: name.mark?.line, content: content(of: node)))
            }
        }
    }

    private static func content(of node: Node) -> Content {
        switch node {
        case .scalar(let scalar):
            switch node.tag.description {
            case Tag.Name.int.rawValue:
                return node.int.map { .integer($0, text: scalar.string) } ?? .text(scalar.string)
            case Tag.Name.bool.rawValue:
                return node.bool.map { .boolean($0, text: scalar.string) } ?? .text(scalar.string)
            case Tag.Name.null.rawValue: return .unusable
            default: return .text(scalar.string)
            }
        case .sequence(let sequence):
            let texts = sequence.compactMap { $0.scalar?.string }
            return texts.count == sequence.count ? .list(texts) : .unusable
        case .mapping, .alias: return .unusable
        }
    }

    private static func configValue(_ content: Content, as type: ConfigType) -> ConfigContent? {
        switch (type, content) {
        case (.int, .integer(let integer, _)): .int(integer)
        case (.bool, .boolean(let boolean, _)): .bool(boolean)
        case (.string, .text(let text)), (.string, .integer(_, let text)), (.string, .boolean(_, let text)):
            .string(text)
        case (.stringArray, .list(let texts)): .stringArray(texts)
        default: nil
        }
    }
}
