import AccessControl
import AccessProviders
import BrokerConfiguration
import BrokerCore
import BrokerTransport
import Foundation
import Logging
import ServiceLifecycle

/// Everything that finds out who clients are, from the settings to what the broker asks.
final class AccessSetup: Sendable {
    /// Whom the broker asks.
    let authenticator: AuthenticatorChain
    private let settings: BrokerSettings
    private let threads: HashingThreads
    /// For what is asked over HTTP; nil when nothing is.
    private let client: AccessHTTPClient?
    private let tokens: TokenProvider?
    private let http: HTTPProvider?
    private let logger: Logger

    init(_ settings: BrokerSettings, _ files: AccessFiles, logger: Logger) {
        let access = settings.access
        self.settings = settings
        self.logger = logger
        authenticator = AuthenticatorChain([], allowsAnonymous: settings.allowsAnonymous, logger: logger)
        threads = HashingThreads(
            count: access.hashingThreads, maximumWaiting: settings.options.limits.maximumPendingAuthentications,
            patience: settings.options.limits.authenticationTimeout)
        let asksOverHTTP = access.http.url != nil || access.tokens.keySetURL != nil
        client = asksOverHTTP ? AccessHTTPClient() : nil
        tokens = access.tokens.isSet ? TokenProvider(keys: files.tokenKeys, options: TokenOptions(access.tokens)) : nil
        if let url = access.http.url, let client {
            http = HTTPProvider(HTTPProviderOptions(access.http, url: url), client: client, logger: logger)
        } else {
            http = nil
        }
        use(files)
        for path in [access.passwordFile, access.tokens.secretFile].compactMap({ $0 }) { warnOfOthers(reading: path) }
    }

    private func warnOfOthers(reading path: String) {
        let attributes = try? FileManager.default.attributesOfItem(atPath: path)
        guard let mode = attributes?[.posixPermissions] as? Int, mode & 0o004 != 0 else { return }
        logger.warning("every user of this machine can read a file with secrets", metadata: ["file": "\(path)"])
    }

    /// Asks by these files from now on: what is certain and cheap first.
    private func use(_ files: AccessFiles) {
        if let keys = files.tokenKeys { tokens?.replaceKeys(with: keys) }
        var providers: [any AuthenticationProvider] = []
        if let field = settings.access.certificateUserName.field { providers.append(CertificateProvider(field: field)) }
        if let passwords = files.passwords { providers.append(ScramProvider(file: passwords)) }
        if let tokens { providers.append(tokens) }
        if let passwords = files.passwords { providers.append(PasswordProvider(file: passwords, threads: threads)) }
        if let http { providers.append(http) }
        authenticator.replaceProviders(with: providers)
    }

    /// Fetches the keys of tokens, as long as the task is not cancelled.
    func fetchKeys() async {
        guard let url = settings.access.tokens.keySetURL, let tokens, let client else { return }
        let interval = settings.access.tokens.keySetInterval
        await TokenKeyFetcher(url: url, interval: interval, client: client, provider: tokens, logger: logger).run()
    }

    /// The files that the settings name, as they are now; nothing changes yet.
    ///
    /// - Throws: everything that is wrong with them.
    func read(_ settings: BrokerSettings) async throws(InvalidSettings) -> AccessFiles {
        try await AccessFiles(settings)
    }

    /// Goes by these files from now on.
    func use(_ files: AccessFiles, telling server: BrokerServer) {
        use(files)
        server.accessChanged(to: files.policy)
    }

    func stop() async {
        await client?.shutdown()
        await threads.stop()
    }
}

/// Keeps the setup going while the broker serves.
struct AccessService: Service {
    let setup: AccessSetup

    func run() async throws {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await setup.fetchKeys() }
            try? await gracefulShutdown()
            group.cancelAll()
        }
        await setup.stop()
    }
}

extension TokenOptions {
    init(_ settings: TokenSettings) {
        self.init()
        issuer = settings.issuer
        audience = settings.audience
        userNameClaim = settings.userNameClaim
        clientIdentifierClaim = settings.clientIdentifierClaim
        groupsClaim = settings.groupsClaim
        rulesClaim = settings.rulesClaim
    }
}

extension HTTPProviderOptions {
    init(_ settings: HTTPAccessSettings, url: String) {
        self.init(url: url)
        timeout = settings.timeout
        remembering = settings.remembering
    }
}
