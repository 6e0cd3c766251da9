import Foundation
import JWTKit

/// A claim's value, as far as it is looked at.
enum ClaimValue: Sendable, Hashable, Codable {
    case text(String)
    case number(Double)
    case list([String])
    /// What no claim of ours is.
    case other

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let text = try? container.decode(String.self) {
            self = .text(text)
        } else if let number = try? container.decode(Double.self) {
            self = .number(number)
        } else if let list = try? container.decode([String].self) {
            self = .list(list)
        } else {
            self = .other
        }
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .text(let text): try container.encode(text)
        case .number(let number): try container.encode(number)
        case .list(let list): try container.encode(list)
        case .other: try container.encodeNil()
        }
    }

    var text: String? { if case .text(let text) = self { text } else { nil } }
    var number: Double? { if case .number(let number) = self { number } else { nil } }

    /// A list, or a text alone as a list of one.
    var texts: [String]? {
        switch self {
        case .text(let text): [text]
        case .list(let list): list
        case .number, .other: nil
        }
    }
}

/// All claims of a token (RFC 7519). That they are in force is for `TokenProvider` to say, which knows the time.
struct TokenClaims: JWTPayload, Hashable {
    let all: [String: ClaimValue]

    init(all: [String: ClaimValue]) { self.all = all }

    init(from decoder: any Decoder) throws {
        all = try decoder.singleValueContainer().decode([String: ClaimValue].self)
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(all)
    }

    func verify(using algorithm: some JWTAlgorithm) async throws {}

    subscript(name: String) -> ClaimValue? { all[name] }
}
