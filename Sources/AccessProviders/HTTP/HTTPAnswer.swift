import AccessControl
import Foundation
import MQTTModel

/// The body of what the server is asked, JSON.
struct HTTPQuestion: Encodable {
    let clientIdentifier: String
    let userName: String?
    /// As text where it is UTF-8.
    let password: String?
    let passwordBase64: String?
    let address: String?
    let certificateCommonName: String?

    init(_ request: AuthenticationRequest) {
        clientIdentifier = request.clientIdentifier
        userName = request.userName
        password = request.password.flatMap { String(validating: $0, as: UTF8.self) }
        passwordBase64 = password == nil ? request.password.map { Data($0).base64EncodedString() } : nil
        address = request.transport?.address
        certificateCommonName = request.transport?.certificate?.commonName
    }
}

/// The body of its answer, JSON: `{"result": "allow", "rules": ["allow read plant/#"]}`.
struct HTTPAnswer: Decodable {
    enum Result: String, Decodable {
        case allow, deny, ignore
    }

    let result: Result
    /// The user name that counts from now on, if it is not the one that was said.
    let userName: String?
    let groups: [String]?
    let rules: [String]?
    let unrestricted: Bool?
    /// Seconds; then the client is disconnected.
    let expiresIn: Double?

    /// What it means for the client that was asked about; nil if it is not to be understood.
    func meaning(for request: AuthenticationRequest) -> ProviderAnswer? {
        switch result {
        case .ignore: return .ignore
        case .deny: return .deny(.badUserNameOrPassword)
        case .allow:
            guard let rules = GrantedRules.parse(rules ?? []) else { return nil }
            var lifetime: Duration?
            if let expiresIn {
                guard expiresIn.isFinite, expiresIn >= 0 else { return nil }
                lifetime = .seconds(min(expiresIn, 3_155_760_000))
            }
            return .allow(
                AccessGrant(
                    userName: userName ?? request.userName, groups: groups ?? [], rules: rules,
                    isUnrestricted: unrestricted ?? false, lifetime: lifetime))
        }
    }
}
