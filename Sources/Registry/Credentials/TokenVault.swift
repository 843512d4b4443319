import Crypto
import Synchronization

/// Encrypts tokens for the database and decrypts them again: the only place where plain text meets a key.
///
/// Each encryption derives its own keys from a random 24-byte salt (HKDF-SHA256, RFC 5869), so no nonce repeats however
/// many tokens one key encrypts. AES-256-GCM then binds the token to its `TokenContext`: an envelope moved to another
/// user, service or column does not open. A commitment to the key, compared first, tells a wrong key under the right id
/// from a changed envelope.
public struct TokenVault: Sendable {
    private let current: CurrentRing
    private let makeSalt: @Sendable () -> [UInt8]

    /// Makes a vault that uses the keys of `ring`.
    public init(ring: KeyRing) {
        self.init(ring: ring, makeSalt: Self.randomSalt)
    }

    /// For tests with fixed salts. `makeSalt` must return 24 bytes, other ones at each call.
    init(ring: KeyRing, makeSalt: @escaping @Sendable () -> [UInt8]) {
        current = CurrentRing(ring)
        self.makeSalt = makeSalt
    }

    /// The keys in use.
    public var ring: KeyRing { current.ring }

    /// Uses another ring from now on, here and in every copy of this vault.
    public func use(_ ring: KeyRing) {
        current.use(ring)
    }

    /// Encrypts `plaintext` with the active key, or another one.
    ///
    /// - Parameters:
    ///   - plaintext: up to 65,458 bytes (64 KiB less the overhead of the envelope). Its length can be seen from outside.
    ///   - context: what the token belongs to; the same is needed to open it.
    ///   - keyID: the key, which must be in the ring; nil for the ring's active one.
    /// - Returns: the envelope and the id of its key.
    /// - Throws: `VaultError.malformed(.tooLong)` if the envelope would be longer than 64 KiB; `.keyUnavailable`,
    ///   `.keyDisabled`.
    public func seal(
        _ plaintext: Secret,
        context: TokenContext,
        keyID: UInt32? = nil
    ) throws(VaultError) -> SealedToken {
        let byteCount = plaintext.count + TokenEnvelope.overhead
        guard byteCount <= TokenEnvelope.maximumByteCount else { throw .malformed(.tooLong(byteCount: byteCount)) }

        let header = TokenEnvelope.Header(keyID: keyID ?? ring.active, salt: makeSalt())
        let keys = DerivedKeys(key: try ring.usableKey(header.keyID), header: header)
        do {
            let box = try unsafe plaintext.withUnsafeBytes {
                try unsafe AES.GCM.seal(
                    $0,
                    using: keys.encryption,
                    nonce: AES.GCM.Nonce(data: keys.nonce),
                    authenticating: context.authenticatedData(header)
                )
            }
            let envelope = TokenEnvelope(
                header: header,
                commitment: keys.commitment.revealBytes(),
                ciphertext: Array(box.ciphertext),
                tag: Array(box.tag)
            )
            return SealedToken(keyID: header.keyID, bytes: envelope.bytes)
        } catch {
            throw .sealingFailed(header.keyID)
        }
    }

    /// Decrypts an envelope with the key that it names.
    ///
    /// - Parameters:
    ///   - bytes: the envelope as stored.
    ///   - context: the context it was sealed with.
    /// - Returns: the plain text.
    /// - Throws: `VaultError`; no plain text is released unless everything fits.
    public func open(_ bytes: [UInt8], context: TokenContext) throws(VaultError) -> Secret {
        try open(parse(bytes), context: context)
    }

    /// Decrypts a stored token, whose key id was kept beside the envelope and must be the one inside it.
    ///
    /// - Parameters:
    ///   - token: the envelope and the key id as stored.
    ///   - context: the context it was sealed with.
    /// - Returns: the plain text.
    /// - Throws: `VaultError`, which is `.malformed(.keyIDMismatch)` if the two key ids differ.
    public func open(_ token: SealedToken, context: TokenContext) throws(VaultError) -> Secret {
        let envelope = try parse(token.bytes)
        guard envelope.keyID == token.keyID else {
            throw .malformed(.keyIDMismatch(stored: token.keyID, envelope: envelope.keyID))
        }
        return try open(envelope, context: context)
    }

    private func open(_ envelope: TokenEnvelope, context: TokenContext) throws(VaultError) -> Secret {
        let keys = try current.keys(of: envelope.header)
        guard keys.commitment == Secret(envelope.commitment) else { throw .wrongKey(envelope.keyID) }
        do {
            let box = try AES.GCM.SealedBox(
                nonce: AES.GCM.Nonce(data: keys.nonce),
                ciphertext: envelope.ciphertext,
                tag: envelope.tag
            )
            var plaintext = try AES.GCM.open(
                box,
                using: keys.encryption,
                authenticating: context.authenticatedData(envelope.header)
            )
            defer { overwrite(&plaintext) }
            return Secret(SymmetricKey(data: plaintext))
        } catch {
            throw .tampered(envelope.keyID)
        }
    }

    /// 24 bytes from the random number generator of the operating system.
    static func randomSalt() -> [UInt8] {
        RandomBytes.take(TokenEnvelope.saltByteCount)
    }

    private func parse(_ bytes: [UInt8]) throws(VaultError) -> TokenEnvelope {
        do {
            return try TokenEnvelope(parsing: bytes)
        } catch {
            throw .malformed(error)
        }
    }
}

extension KeyRing {
    /// A key that may be used.
    fileprivate func usableKey(_ id: UInt32) throws(VaultError) -> SymmetricKey {
        guard !disabled.contains(id) else { throw .keyDisabled(id) }
        guard let key = key(id) else { throw .keyUnavailable(id) }
        return key
    }
}

/// The ring that all copies of a vault share, and the keys of the envelopes that were opened lately: agents ask for the same
/// token again and again, and to derive its keys is most of the work of opening it.
private final class CurrentRing: Sendable {
    private struct State {
        var ring: KeyRing
        /// How many rings there were before.
        var number = 0
        var keys: [TokenEnvelope.Header: DerivedKeys] = [:]
    }

    /// Envelopes whose keys are remembered at most: 4,096, about 1 MiB. Beyond that all are forgotten.
    private static let keysMax = 4_096

    private let state: Mutex<State>

    init(_ ring: KeyRing) { state = Mutex(State(ring: ring)) }

    var ring: KeyRing { state.withLock { $0.ring } }

    func use(_ ring: KeyRing) {
        state.withLock { $0 = State(ring: ring, number: $0.number + 1) }
    }

    /// The keys of an envelope that is to be opened.
    func keys(of header: TokenEnvelope.Header) throws(VaultError) -> DerivedKeys {
        let (ring, number, known) = state.withLock { ($0.ring, $0.number, $0.keys[header]) }
        if let known { return known }
        let keys = DerivedKeys(key: try ring.usableKey(header.keyID), header: header)
        state.withLock { state in
            // Not under a ring that has been replaced meanwhile.
            guard state.number == number else { return }
            if state.keys.count >= Self.keysMax { state.keys = [:] }
            state.keys[header] = keys
        }
        return keys
    }
}

/// What one envelope is encrypted with: 76 bytes of HKDF-SHA256 over a key of the ring, bound to the envelope's header.
private struct DerivedKeys {
    let encryption: SymmetricKey
    let nonce: [UInt8]
    let commitment: Secret

    init(key: SymmetricKey, header: TokenEnvelope.Header) {
        let material = HKDF<SHA256>.deriveKey(
            inputKeyMaterial: key,
            salt: header.salt,
            info: Array("mcp-registry/token-envelope/v1".utf8) + header.prefix,
            outputByteCount: 32 + 12 + TokenEnvelope.commitmentByteCount
        )
        (encryption, nonce, commitment) = unsafe material.withUnsafeBytes { bytes in
            unsafe (
                SymmetricKey(data: UnsafeRawBufferPointer(rebasing: bytes[0..<32])),
                Array(bytes[32..<44]),
                Secret(SymmetricKey(data: UnsafeRawBufferPointer(rebasing: bytes[44...])))
            )
        }
    }
}

/// Sets every byte to 0, so that freed memory does not hold the plain text.
private func overwrite<Bytes: MutableCollection>(_ bytes: inout Bytes) where Bytes.Element == UInt8 {
    for index in bytes.indices { bytes[index] = 0 }
}

/// What a token belongs to. Every field is authenticated: a token opens only under the context it was sealed with.
///
/// Use ids that never change (the id of a service, the issuer and subject of a user), not names.
public struct TokenContext: Sendable {
    /// Which kind of secret this is, so that tables can't be mixed up: `user-token`, `oauth-client-secret`, …
    public var purpose: String
    /// The id of the service.
    public var serviceID: String
    /// The id of the user; empty where a secret belongs to the service alone.
    public var userID: String
    /// Which field of the row: `access_token`, …
    public var field: String

    /// Names what a token belongs to.
    public init(purpose: String, serviceID: String, userID: String, field: String) {
        self.purpose = purpose
        self.serviceID = serviceID
        self.userID = userID
        self.field = field
    }

    /// The header, then each field as its length (4 bytes, big endian) and its UTF-8 bytes, so that
    /// ("ab", "c") and ("a", "bc") differ.
    func authenticatedData(_ header: TokenEnvelope.Header) -> [UInt8] {
        [purpose, serviceID, userID, field].reduce(into: header.bytes) { data, field in
            data += TokenEnvelope.bigEndian(UInt32(field.utf8.count)) + Array(field.utf8)
        }
    }
}

/// An encrypted token as the database keeps it.
public struct SealedToken: Sendable, Equatable {
    /// The id of the key, kept in a column of its own to count and find the rows of a key.
    public var keyID: UInt32
    /// The envelope (`TokenEnvelope`), up to 64 KiB, for a binary column.
    public var bytes: [UInt8]

    /// Puts the two columns of a row together.
    public init(keyID: UInt32, bytes: [UInt8]) {
        self.keyID = keyID
        self.bytes = bytes
    }
}

/// Why a token could not be sealed or opened. Names the key and the reason, never a byte of the token or the key.
public enum VaultError: Error, Equatable, Sendable {
    /// The ring has no key with this id. The row must be left as it is: another ring may open it.
    case keyUnavailable(UInt32)
    /// The ring says that the key with this id must not be used.
    case keyDisabled(UInt32)
    /// The ring's key with this id is not the one that sealed the token, or the salt or the commitment was changed.
    case wrongKey(UInt32)
    /// The key is right, but the token was changed or belongs to another context.
    case tampered(UInt32)
    /// The bytes are not an envelope, or would be a too long one.
    case malformed(TokenEnvelopeError)
    /// The cryptographic library refused to encrypt under this key.
    case sealingFailed(UInt32)
}

extension VaultError {
    /// What is the matter, without which key.
    var name: String {
        switch self {
        case .keyUnavailable: "key_unavailable"
        case .keyDisabled: "key_disabled"
        case .wrongKey: "wrong_key"
        case .tampered: "tampered"
        case .malformed: "malformed"
        case .sealingFailed: "sealing_failed"
        }
    }
}

extension VaultError: CustomStringConvertible {
    /// One line for the log.
    public var description: String {
        switch self {
        case .keyUnavailable(let id): "key \(id) is not in the key ring"
        case .keyDisabled(let id): "key \(id) is disabled in the key ring"
        case .wrongKey(let id): "key \(id) of the key ring is not the key \(id) that encrypted this token"
        case .tampered(let id): "the token under key \(id) was changed or belongs to something else"
        case .malformed(let reason): "the stored token is malformed: \(reason)"
        case .sealingFailed(let id): "the token could not be encrypted with key \(id)"
        }
    }
}
