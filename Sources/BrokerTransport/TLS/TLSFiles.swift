import NIOSSL
import Glibc

/// Reads the files of a listener with TLS, and says in words what is wrong with one.
enum TLSFiles {
    private static let maximumSize = 1 << 26

    /// The certificates of a PEM file, at least one.
    static func certificates(_ path: String?, _ option: String) throws(TLSContext.Problem) -> [NIOSSLCertificate] {
        let bytes = try read(path, option)
        guard let certificates = try? NIOSSLCertificate.fromPEMBytes(bytes), !certificates.isEmpty else {
            throw TLSContext.Problem(option: option, text: "\(path ?? "") holds no certificate in PEM form")
        }
        return certificates
    }

    /// The private key of a PEM file.
    static func key(_ path: String?, _ option: String) throws(TLSContext.Problem) -> NIOSSLPrivateKey {
        let bytes = try read(path, option)
        guard let key = try? NIOSSLPrivateKey(bytes: bytes, format: .pem) else {
            throw TLSContext.Problem(
                option: option, text: "\(path ?? "") holds no private key in PEM form that needs no passphrase")
        }
        return key
    }

    static func revocationList(_ path: String) throws(TLSContext.Problem) -> RevocationList {
        let bytes = try read(path, "crl")
        do {
            return try RevocationList(bytes)
        } catch {
            let reason = (error as? RevocationList.Malformed)?.reason ?? "\(error)"
            throw TLSContext.Problem(option: "crl", text: "\(path): \(reason)")
        }
    }

    private static func read(_ path: String?, _ option: String) throws(TLSContext.Problem) -> [UInt8] {
        guard let path else { throw TLSContext.Problem(option: option, text: "no file is given") }
        guard let file = fopen(path, "r") else {
            throw TLSContext.Problem(
                option: option, text: "\(path) cannot be read: \(String(cString: strerror(errno)))")
        }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while case let count = fread(&chunk, 1, chunk.count, file), count > 0, bytes.count < maximumSize {
            bytes += chunk[..<count]
        }
        guard ferror(file) == 0 else { throw TLSContext.Problem(option: option, text: "\(path) cannot be read") }
        return bytes
    }
}
