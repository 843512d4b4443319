public import DBDriver

/// What is known about a program's key. The key itself is shown once, when it is made.
public struct APIKey: Sendable, Equatable {
    /// The part of the key that is no secret: 16 characters.
    public let id: String
    /// The program's name, which no other key ever has.
    public let name: String
    /// What it may do.
    public let scopes: Set<Scope>
    /// The user that it acts for, when it is one only.
    public let user: UserID?
    /// When it was made.
    public let createdAt: Timestamp
    /// By whom.
    public let createdBy: String
    /// From when on it is refused; nil for never.
    public let expiresAt: Timestamp?
    /// Since when it is refused.
    public let revokedAt: Timestamp?
    /// About when it was last used: noted every half minute.
    public let lastUsedAt: Timestamp?
    /// Who calls with it.
    public let principal: Principal

    init(
        id: String,
        name: String,
        scopes: Set<Scope>,
        user: UserID?,
        createdAt: Timestamp,
        createdBy: String,
        expiresAt: Timestamp?,
        revokedAt: Timestamp? = nil,
        lastUsedAt: Timestamp? = nil
    ) {
        self.id = id
        self.name = name
        self.scopes = scopes
        self.user = user
        self.createdAt = createdAt
        self.createdBy = createdBy
        self.expiresAt = expiresAt
        self.revokedAt = revokedAt
        self.lastUsedAt = lastUsedAt
        principal = Principal(name: "key:\(name)", scopes: scopes, user: user)
    }

    /// How it stands at a time.
    public func state(at now: Timestamp) -> State {
        if revokedAt != nil { return .revoked }
        return expiresAt.map { $0 <= now } ?? false ? .expired : .active
    }

    /// How a key stands.
    public enum State: String, Sendable {
        /// It is accepted.
        case active
        /// Its time is over.
        case expired
        /// It was revoked.
        case revoked
    }
}

/// The text of a key: `mcpr_` (so that scanners of source code recognise it), an id of 80 bits under which it is found, and a
/// secret of 160 random bits, both in the alphabet of RFC 4648 §6 in lower case.
struct APIKeyText: Sendable {
    static let prefix = "mcpr_"
    static let idCharacters = 16
    static let secretCharacters = 32

    let id: String
    /// The whole key.
    let secret: Secret

    /// A new key.
    static func random() -> APIKeyText {
        // Of the system's generator, as everything of SystemRandomNumberGenerator's.
        let characters = (0..<(idCharacters + secretCharacters)).map { _ in alphabet[Int.random(in: 0..<32)] }
        let id = String(decoding: characters.prefix(idCharacters), as: UTF8.self)
        return APIKeyText(id: id, secret: Secret(Array((prefix + id + "_").utf8) + characters.dropFirst(idCharacters)))
    }

    /// Reads a key as a caller sends it; nil when it has another form.
    init?(_ text: String) {
        let parts = text.split(separator: "_", omittingEmptySubsequences: false)
        guard parts.count == 3, parts[0] + "_" == Self.prefix, parts[1].utf8.count == Self.idCharacters,
            parts[2].utf8.count == Self.secretCharacters,
            parts[1...].allSatisfy({ $0.utf8.allSatisfy(Self.alphabet.contains) })
        else { return nil }
        self.init(id: String(parts[1]), secret: Secret(text))
    }

    private init(id: String, secret: Secret) {
        (self.id, self.secret) = (id, secret)
    }

    /// What is stored of it: HMAC-SHA256 (RFC 2104) under a secret of the servers', so that a stolen database helps nobody to
    /// try keys.
    func hash(under pepper: Secret) -> [UInt8] {
        pepper.authenticationCode(for: secret)
    }

    private static let alphabet = Array("abcdefghijklmnopqrstuvwxyz234567".utf8)
}
