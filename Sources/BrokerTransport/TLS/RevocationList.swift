import SwiftASN1

/// The certificates that one authority has revoked (RFC 5280, 5: a CRL). Its signature and its dates are not looked at: it
/// comes from a file of the operator's, as the authorities do.
struct RevocationList: Sendable {
    /// Why a file is no list.
    struct Malformed: Error {
        let reason: String
    }

    /// The authority's distinguished name, DER.
    let issuer: [UInt8]
    let serialNumbers: Set<[UInt8]>

    /// - Parameter bytes: PEM or DER.
    init(_ bytes: [UInt8]) throws {
        var der = bytes
        if bytes.first != 0x30 {
            guard let text = String(validating: bytes, as: UTF8.self),
                let document = try? PEMDocument(pemString: text), document.discriminator == "X509 CRL"
            else { throw Malformed(reason: "it holds no X509 CRL, neither PEM nor DER") }
            der = document.derBytes
        }
        do {
            var fields = try DERFields(DER.parse(der)).field(0)
            // version (optional), signature, issuer, thisUpdate, nextUpdate (optional), revoked (optional), [0] extensions
            if fields.nodes.first?.identifier == .integer { fields.removeFirst(1) }
            issuer = Array(try fields.node(1).encodedBytes)
            fields.removeFirst(3)
            if let next = fields.nodes.first, next.identifier == .utcTime || next.identifier == .generalizedTime {
                fields.removeFirst(1)
            }
            var serialNumbers: Set<[UInt8]> = []
            if let revoked = fields.nodes.first, revoked.identifier == .sequence {
                for entry in try DERFields(revoked).nodes {
                    let serial = try DERFields(entry).node(0)
                    serialNumbers.insert(try DERFields.bytes(of: serial))
                }
            }
            self.serialNumbers = serialNumbers
        } catch {
            throw Malformed(reason: "it is no revocation list")
        }
    }

    func hasRevoked(_ certificate: CertificateNames) -> Bool {
        certificate.issuer == issuer && serialNumbers.contains(certificate.serialNumber)
    }
}
