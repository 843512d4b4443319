internal import Crypto
public import DBDriver

extension MCPRegistry {
    /// Makes a key for a program.
    ///
    /// - Parameters:
    ///   - name: what the program is called; never given twice, so that nobody inherits what another was granted.
    ///   - scopes: what it may do; at least one.
    ///   - user: the user that it acts for, when it is one only.
    ///   - expiresAt: from when on it is refused; nil for never.
    ///   - principal: who makes it.
    /// - Returns: what is kept of the key, and the key itself, which nobody can read again.
    /// - Throws: `invalid`, `conflict` when the name was given before, `unavailable` without a database or key ring
    public func createAPIKey(
        _ name: APIKeyName,
        scopes: Set<Scope>,
        user: UserID? = nil,
        expiresAt: Timestamp? = nil,
        by principal: Principal
    ) async throws(RegistryError) -> (key: APIKey, text: Secret) {
        guard !scopes.isEmpty else { throw RegistryError(.invalid, "scopes must not be empty") }
        if let expiresAt, expiresAt <= clock() { throw RegistryError(.invalid, "expires must be in the future") }
        let vault = try requiredVault()
        let text = APIKeyText.random()
        let target = "key '\(name)', scopes \(scopes.text)" + (user.map { ", user '\($0)'" } ?? "")
        let key = try await changeEachTime(.createAPIKey, target, by: principal) { session, time in
            guard try APIKeyTable.find(name, session) == nil else {
                throw RegistryError(.conflict, "an API key has or had the name '\(name)': choose another")
            }
            if try ServerSecretTable.find(.apiKeys, session) == nil {
                let fresh = try Self.seal(Secret(KeyRing.generateKey()), ServerSecret.apiKeys.context, vault, session)
                try ServerSecretTable.insertUnlessThere(.apiKeys, fresh, at: time, session)
            }
            let pepper = try ServerSecretTable.find(.apiKeys, session)
            let key = APIKey(
                id: text.id,
                name: name.rawValue,
                scopes: scopes,
                user: user,
                createdAt: time,
                createdBy: principal.name,
                expiresAt: expiresAt
            )
            try APIKeyTable.insert(key, hash: text.hash(under: Self.pepper(pepper, vault)), session)
            return key
        }
        return (key, text.secret)
    }

    /// All keys, oldest first, with those that are refused.
    ///
    /// - Throws: `unavailable`
    public func apiKeys() async throws(RegistryError) -> [APIKey] {
        try await read { try APIKeyTable.all($0) }
    }

    /// Refuses a key from now on; instances that have just looked it up notice within ``APIKeyCache/reach``.
    ///
    /// - Throws: `notFound`, `conflict` when it was revoked before, `unavailable`
    public func revokeAPIKey(_ name: APIKeyName, by principal: Principal) async throws(RegistryError) {
        try await changeEachTime(.revokeAPIKey, "key '\(name)'", by: principal) { session, time in
            guard try APIKeyTable.find(name, session) != nil else {
                throw RegistryError(.notFound, "there is no API key '\(name)'")
            }
            guard try APIKeyTable.revoke(name, at: time, session) else {
                throw RegistryError(.conflict, "the API key '\(name)' was revoked before")
            }
        }
        apiKeyCache.forget(name)
    }

    /// Who calls with a key. It is looked up once a second at most: so long may a revocation by another instance take to be
    /// heeded.
    ///
    /// - Parameter text: what the caller sent.
    /// - Returns: the key; nil when it is none of ours, expired or revoked: a caller is not told which.
    /// - Throws: `unavailable` without a database or key ring
    public func apiKey(_ text: String) async throws(RegistryError) -> APIKey? {
        let digest = APIKeyCache.digest(of: text)
        let key: APIKey?
        if let found = apiKeyCache.find(digest) {
            // When it fails, whoever asks once this no longer counts is told why.
            if found.isToRefresh { Task { _ = try? await lookUpAPIKey(text, digest) } }
            key = found.key
        } else {
            key = try await lookUpAPIKey(text, digest)
        }
        guard let key, key.state(at: clock()) == .active else { return nil }
        return key
    }

    private func lookUpAPIKey(_ text: String, _ digest: SHA256Digest) async throws(RegistryError) -> APIKey? {
        guard let sent = APIKeyText(text) else { return nil }
        let vault = try requiredVault()
        let since = apiKeyCache.now()
        var key: APIKey?
        if let found = try await read({ try APIKeyTable.find(id: sent.id, $0) }) {
            // Secrets compare in constant time.
            let hash = Secret(sent.hash(under: try Self.pepper(found.pepper, vault)))
            key = hash == Secret(found.hash) ? found.key : nil
        }
        apiKeyCache.keep(key, digest, since: since)
        return key
    }

    /// Whether a text has the form of an API key.
    public static func isAPIKey(_ text: String) -> Bool { text.hasPrefix(APIKeyText.prefix) }

    /// Writes down when keys were last used.
    ///
    /// - Parameter uses: the time for each ``APIKey/id``.
    /// - Throws: `unavailable`
    public func noteUses(_ uses: [String: Timestamp]) async throws(RegistryError) {
        for (id, time) in uses.sorted(by: { $0.key < $1.key }) {
            try await note { session, _ in try APIKeyTable.noteUse(of: id, at: time, session) }
        }
    }

    private static func pepper(_ sealed: SealedToken?, _ vault: TokenVault) throws(RegistryError) -> Secret {
        guard let sealed else {
            throw RegistryError(
                .internal,
                "internal error",
                detail: "the secret that API keys are hashed with is missing"
            )
        }
        return try open(sealed, ServerSecret.apiKeys.context, vault, of: "the servers (api-keys)")
    }
}
