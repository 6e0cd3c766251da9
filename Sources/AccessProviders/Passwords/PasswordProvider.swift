package import AccessControl
import MQTTModel

import Synchronization

/// Checks user name and password against a password file. The hashing is done by a few threads of its own, so that it
/// neither stops an event loop nor takes every processor.
package final class PasswordProvider: AuthenticationProvider {
    package let name = "password-file"
    private let file: PasswordFile
    private let threads: HashingThreads
    /// Passwords that were right lately: a client that reconnects does not cost the hashing again. Only what was right is
    /// remembered, so guessing always costs it.
    private let recent: Mutex<RecentAnswers<Credential>>
    private static let recentFor = Duration.seconds(3600)

    /// - Parameter threads: where the hashing is done; stopped by the caller.
    package init(file: PasswordFile, threads: HashingThreads, maximumRecent: Int = 10_000) {
        self.file = file
        self.threads = threads
        self.recent = Mutex(RecentAnswers(capacity: maximumRecent))
    }

    package func authenticate(_ request: AuthenticationRequest) async -> ProviderAnswer {
        guard request.method == nil, let userName = request.userName, let password = request.password else {
            return .ignore
        }
        let digest = CredentialDigest([Array(userName.utf8), password])
        let now = ContinuousClock.now
        if let credential = recent.withLock({ $0.answer(for: digest, at: now) }) {
            return .allow(AccessGrant(userName: userName, credential: credential))
        }
        let hashes = file.hashes(of: userName)
        guard !hashes.isEmpty else {
            // The same work, and the same answer when there is no time for it, as for a name that is there.
            guard let other = substitute(for: userName) else { return .ignore }
            return await verify(password, [other]) == nil ? .deny(.serverUnavailable) : .ignore
        }
        guard let right = await verify(password, hashes) else { return .deny(.serverUnavailable) }
        guard let hash = right.first else { return .deny(.badUserNameOrPassword) }
        let credential = Credential(hash)
        recent.withLock { $0.insert(credential, for: digest, validUntil: now + Self.recentFor) }
        return .allow(AccessGrant(userName: userName, credential: credential))
    }

    package func stillHolds(_ credential: Credential, of userName: String) -> Bool {
        file.holds(credential, of: userName)
    }

    /// Those that the password is right for; nil when the threads are stopped.
    private func verify(_ password: [UInt8], _ hashes: [PasswordHash]) async -> [PasswordHash]? {
        // Every one, so that it does not show which was right.
        await threads.run { hashes.filter { $0.verify(password) } }
    }

    /// A line of the file chosen by the name, always the same for the same name: the costs of names that are not there are
    /// spread like those of names that are.
    private func substitute(for userName: String) -> PasswordHash? {
        guard !file.lines.isEmpty else { return nil }
        let index = Int(StableHash.hash(userName) % UInt64(file.lines.count))
        return file.lines[index].hash.withoutPassword
    }
}
