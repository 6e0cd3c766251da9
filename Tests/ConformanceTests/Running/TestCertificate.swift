import Foundation

/// A self-signed certificate and its key in one file, made once with openssl.
enum TestCertificate {
    static let path: String = {
        let path = FileManager.default.temporaryDirectory.appending(path: "dunlin-\(UUID().uuidString).pem").path
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = [
            "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days",
            "2",
            "-subj", "/CN=test", "-keyout", path, "-out", path,
        ]
        process.standardError = FileHandle.nullDevice
        try? process.run()
        process.waitUntilExit()
        return path
    }()
}
