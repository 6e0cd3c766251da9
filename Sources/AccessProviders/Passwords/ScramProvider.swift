package import AccessControl
import Crypto
import MQTTModel

/// SCRAM-SHA-256 (RFC 7677) as an enhanced authentication: the client proves that it knows the password without saying it,
/// and the server that it knows the client.
package struct ScramProvider: AuthenticationProvider {
    package static let method = "SCRAM-SHA-256"
    package let name = "scram"
    private let file: PasswordFile
    /// What a name that is not there gets instead of its salt: always the same for the same name.
    private let substituteKey: [UInt8]
    private let makeNonce: @Sendable () -> String

    package init(file: PasswordFile) {
        self.init(file: file) { Self.randomBytes(18) }
    }

    init(file: PasswordFile, nonce: @escaping @Sendable () -> [UInt8]) {
        self.file = file
        self.substituteKey = Self.randomBytes(32)
        self.makeNonce = { PasswordHash.text(nonce()) }
    }

    private static func randomBytes(_ count: Int) -> [UInt8] {
        (0..<count).map { _ in UInt8.random(in: .min ... .max) }
    }

    package func authenticate(_ request: AuthenticationRequest) async -> ProviderAnswer {
        guard request.method == Self.method else { return .ignore }
        guard let exchange = request.exchange else { return begin(request) }
        guard let exchange = exchange as? ScramExchange else { return .deny(.badAuthenticationMethod) }
        guard let answer = exchange.verify(request.data) else { return .deny(.notAuthorized) }
        return .allow(AccessGrant(userName: exchange.userName, data: answer, credential: exchange.credential))
    }

    package func stillHolds(_ credential: Credential, of userName: String) -> Bool {
        file.holds(credential, of: userName)
    }

    private func begin(_ request: AuthenticationRequest) -> ProviderAnswer {
        guard let first = ScramClientFirst(parsing: request.data) else { return .deny(.notAuthorized) }
        if let renewed = request.renewedUserName, ExactText(renewed) != ExactText(first.userName) {
            return .deny(.notAuthorized)
        }
        var credentials = substitute(for: first.userName)
        var isKnown = false
        for case .scram(let known) in file.hashes(of: first.userName) {
            credentials = known
            isKnown = true
            break
        }
        let exchange = ScramExchange(
            first: first, credentials: credentials, isKnown: isKnown, nonce: first.nonce + makeNonce())
        return .challenge(exchange.serverFirst, exchange)
    }

    /// A name that is not there is answered as if it were, and fails at the end.
    private func substitute(for userName: String) -> ScramCredentials {
        var rounds = 600_000
        for line in file.lines {
            if case .scram(let credentials) = line.hash {
                rounds = credentials.rounds
                break
            }
        }
        let digest = ScramCredentials.hmac(substituteKey, Array(userName.utf8))
        return ScramCredentials(
            rounds: rounds, salt: Array(digest.prefix(16)), storedKey: digest,
            serverKey: ScramCredentials.hmac(digest, digest))
    }
}

/// client-first-message: `n,,n=USER,r=NONCE`.
struct ScramClientFirst: Sendable, Equatable {
    let userName: String
    let nonce: String
    /// What the client has to repeat in base64, and what the proof is about.
    let header: String
    let bare: String

    /// - Returns: nil unless it is one. Channel binding is not supported; a client that insists on it is refused.
    init?(parsing bytes: [UInt8]) {
        guard bytes.count <= 4096, let text = String(validating: bytes, as: UTF8.self) else { return nil }
        let parts = text.split(separator: ",", maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count == 3, parts[0] == "n" || parts[0] == "y", parts[1].isEmpty else { return nil }
        bare = String(parts[2])
        header = "\(parts[0]),,"
        let attributes = parts[2].split(separator: ",", omittingEmptySubsequences: false)
        guard attributes.count >= 2, attributes[0].hasPrefix("n="), attributes[1].hasPrefix("r="),
            let userName = Self.unescape(attributes[0].dropFirst(2)), !userName.isEmpty
        else { return nil }
        nonce = String(attributes[1].dropFirst(2))
        // Printable, without a comma.
        guard !nonce.isEmpty, nonce.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else { return nil }
        self.userName = userName
    }

    /// `=2C` is a comma, `=3D` the sign itself.
    private static func unescape(_ text: Substring) -> String? {
        var result = ""
        var rest = text
        while let sign = rest.firstIndex(of: "=") {
            result += rest[..<sign]
            switch rest[sign...].prefix(3) {
            case "=2C": result += ","
            case "=3D": result += "="
            default: return nil
            }
            rest = rest[sign...].dropFirst(3)
        }
        return result + rest
    }
}

/// Between the server's first message and the client's last.
struct ScramExchange: AuthenticationExchange {
    let userName: String
    private let first: ScramClientFirst
    private let credentials: ScramCredentials
    private let isKnown: Bool
    private let nonce: String
    private let serverFirstText: String

    init(first: ScramClientFirst, credentials: ScramCredentials, isKnown: Bool, nonce: String) {
        self.userName = first.userName
        self.first = first
        self.credentials = credentials
        self.isKnown = isKnown
        self.nonce = nonce
        self.serverFirstText = "r=\(nonce),s=\(PasswordHash.text(credentials.salt)),i=\(credentials.rounds)"
    }

    var credential: Credential { Credential(.scram(credentials)) }

    var serverFirst: [UInt8] { Array(serverFirstText.utf8) }

    /// Checks the client-final-message.
    ///
    /// - Returns: the server-final-message, or nil if the client has not proven that it knows the password.
    func verify(_ clientFinal: [UInt8]) -> [UInt8]? {
        guard clientFinal.count <= 4096, let text = String(validating: clientFinal, as: UTF8.self),
            let proofStart = text.range(of: ",p=", fromEnd: true)
        else { return nil }
        let withoutProof = String(text[..<proofStart.lowerBound])
        let parts = withoutProof.split(separator: ",", omittingEmptySubsequences: false)
        guard parts.count >= 2, parts[0] == "c=\(PasswordHash.text(Array(first.header.utf8)))",
            parts[1] == "r=\(nonce)",
            let proof = PasswordHash.bytes(String(text[proofStart.upperBound...])), proof.count == 32
        else { return nil }
        let message = Array("\(first.bare),\(serverFirstText),\(withoutProof)".utf8)
        let signature = ScramCredentials.hmac(credentials.storedKey, message)
        let clientKey = zip(proof, signature).map { $0 ^ $1 }
        let isRight = ConstantTime.areEqual(Array(SHA256.hash(data: clientKey)), credentials.storedKey)
        guard isRight, isKnown else { return nil }
        let serverSignature = ScramCredentials.hmac(credentials.serverKey, message)
        return Array("v=\(PasswordHash.text(serverSignature))".utf8)
    }
}

extension String {
    /// The last place of `text`.
    fileprivate func range(of text: String, fromEnd: Bool) -> Range<String.Index>? {
        var end = utf8.endIndex
        let length = text.utf8.count
        while let start = utf8.index(end, offsetBy: -length, limitedBy: utf8.startIndex) {
            if utf8[start..<end].elementsEqual(text.utf8) { return start..<end }
            guard end > utf8.startIndex else { return nil }
            end = utf8.index(before: end)
        }
        return nil
    }
}
