import AccessControl
import SwiftASN1

/// What an X.509 certificate says about its holder, and by what a revocation list names it.
struct CertificateNames {
    private(set) var identity = CertificateIdentity()
    /// Big-endian, as the revocation list has it.
    let serialNumber: [UInt8]
    /// The issuer's distinguished name, DER.
    let issuer: [UInt8]

    /// The names in an X.509 certificate.
    ///
    /// - Throws: when `bytes` are none. NIOSSL has read the certificate before, so that is not expected.
    init(der bytes: [UInt8]) throws {
        let certificate = try DERFields(try DER.parse(bytes))
        var fields = try certificate.field(0)
        // RFC 5280, 4.1: [0] version, serial number, signature, issuer, validity, subject, key, [1], [2], [3] extensions.
        let first = fields.isAtTag(.contextSpecific, 0) ? 1 : 0
        serialNumber = try DERFields.bytes(of: fields.node(first))
        issuer = Array(try fields.node(first + 2).encodedBytes)
        identity.commonName = try Self.commonName(DERFields(fields.node(first + 4)))
        fields.removeFirst(first + 6)
        for field in fields.nodes where field.identifier == .init(tagWithNumber: 3, tagClass: .contextSpecific) {
            for one in try DERFields(DERFields(field).node(0)).nodes { try takeExtension(DERFields(one)) }
        }
    }

    /// Names are a sequence of sets of pairs.
    private static func commonName(_ name: DERFields) throws -> String? {
        let commonName: ASN1ObjectIdentifier = [2, 5, 4, 3]
        var found: String?
        for set in name.nodes {
            for pair in try DERFields(set).nodes {
                let parts = try DERFields(pair)
                if try ASN1ObjectIdentifier(derEncoded: parts.node(0)) == commonName { found = try text(parts.node(1)) }
            }
        }
        return found
    }

    private static func text(_ node: ASN1Node) throws -> String? {
        // The other kinds of strings are out of use; what is no UTF-8 counts as absent.
        name(try DERFields.bytes(of: node))
    }

    /// A name with U+0000 in it is one thing to some readers and another to others: absent.
    private static func name(_ bytes: some Collection<UInt8>) -> String? {
        bytes.contains(0) ? nil : String(validating: bytes, as: UTF8.self)
    }

    private mutating func takeExtension(_ fields: DERFields) throws {
        let alternativeNames: ASN1ObjectIdentifier = [2, 5, 29, 17]
        guard try ASN1ObjectIdentifier(derEncoded: fields.node(0)) == alternativeNames, let value = fields.nodes.last
        else { return }
        for entry in try DERFields(DER.parse(DERFields.bytes(of: value))).nodes {
            guard entry.identifier.tagClass == .contextSpecific, case .primitive(let bytes) = entry.content,
                let text = Self.name(bytes)
            else { continue }
            switch entry.identifier.tagNumber {
            case 1: identity.emailAddresses.append(text)
            case 2: identity.dnsNames.append(text)
            case 6: identity.uris.append(text)
            default: break
            }
        }
    }
}

/// The parts of a constructed value.
struct DERFields {
    struct Missing: Error {}

    private(set) var nodes: [ASN1Node]

    init(_ node: ASN1Node) throws {
        guard case .constructed(let nodes) = node.content else { throw Missing() }
        self.nodes = Array(nodes)
    }

    /// The content of a value that has no parts.
    static func bytes(of node: ASN1Node) throws -> [UInt8] {
        guard case .primitive(let bytes) = node.content else { throw Missing() }
        return Array(bytes)
    }

    func node(_ index: Int) throws -> ASN1Node {
        guard nodes.indices.contains(index) else { throw Missing() }
        return nodes[index]
    }

    func field(_ index: Int) throws -> DERFields { try DERFields(node(index)) }

    func isAtTag(_ tagClass: ASN1Identifier.TagClass, _ number: UInt) -> Bool {
        nodes.first?.identifier == ASN1Identifier(tagWithNumber: number, tagClass: tagClass)
    }

    mutating func removeFirst(_ count: Int) { nodes.removeFirst(min(count, nodes.count)) }
}
