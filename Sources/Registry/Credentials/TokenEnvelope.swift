/// The stored form of an encrypted token, version 1.
///
/// ```
/// offset  bytes
///      0      1  format version, 1
///      1      1  suite, 1: HKDF-SHA256, AES-256-GCM, key commitment
///      2      4  key id, big endian, never 0
///      6     24  salt, random for each encryption
///     30     32  commitment to the key
///     62      n  ciphertext, as long as the plain text
///   62+n     16  tag
/// ```
public struct TokenEnvelope: Sendable {
    /// The largest envelope in bytes (64 KiB).
    public static let maximumByteCount = 65_536

    /// How many bytes an envelope is longer than its plain text.
    public static let overhead = headerByteCount + commitmentByteCount + tagByteCount

    static let version: UInt8 = 1
    static let suite: UInt8 = 1
    static let keyIDByteCount = 4
    static let saltByteCount = 24
    static let headerByteCount = 2 + keyIDByteCount + saltByteCount
    static let commitmentByteCount = 32
    static let tagByteCount = 16

    let header: Header
    let commitment: [UInt8]
    let ciphertext: [UInt8]
    let tag: [UInt8]

    /// The id of the key that encrypted the token.
    public var keyID: UInt32 { header.keyID }

    /// The first 30 bytes: everything that is known before the key is.
    struct Header: Sendable, Hashable {
        let keyID: UInt32
        let salt: [UInt8]

        /// Version, suite and key id: the part that the key derivation is bound to.
        var prefix: [UInt8] {
            [TokenEnvelope.version, TokenEnvelope.suite] + TokenEnvelope.bigEndian(keyID)
        }

        /// All 30 bytes: the part that the encryption authenticates.
        var bytes: [UInt8] { prefix + salt }
    }

    init(header: Header, commitment: [UInt8], ciphertext: [UInt8], tag: [UInt8]) {
        self.header = header
        self.commitment = commitment
        self.ciphertext = ciphertext
        self.tag = tag
    }

    /// Takes an envelope apart. Nothing is decrypted or verified: only its form is checked.
    ///
    /// - Parameter bytes: the whole envelope as stored.
    /// - Throws: `TokenEnvelopeError` if the form is not that of a version 1 envelope.
    public init(parsing bytes: [UInt8]) throws(TokenEnvelopeError) {
        guard bytes.count <= Self.maximumByteCount else { throw .tooLong(byteCount: bytes.count) }
        guard bytes.count >= 2 else { throw .truncated(byteCount: bytes.count) }
        guard bytes[0] == Self.version else { throw .unknownVersion(bytes[0]) }
        guard bytes[1] == Self.suite else { throw .unknownSuite(bytes[1]) }
        guard bytes.count >= Self.overhead else { throw .truncated(byteCount: bytes.count) }

        var rest = bytes.dropFirst(2)
        let keyID = rest.prefix(Self.keyIDByteCount).reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        guard keyID != 0 else { throw .zeroKeyID }
        rest = rest.dropFirst(Self.keyIDByteCount)
        header = Header(keyID: keyID, salt: Array(rest.prefix(Self.saltByteCount)))
        rest = rest.dropFirst(Self.saltByteCount)
        commitment = Array(rest.prefix(Self.commitmentByteCount))
        rest = rest.dropFirst(Self.commitmentByteCount)
        ciphertext = Array(rest.dropLast(Self.tagByteCount))
        tag = Array(rest.suffix(Self.tagByteCount))
    }

    /// The whole envelope as stored.
    public var bytes: [UInt8] { header.bytes + commitment + ciphertext + tag }

    /// The four bytes of a number, most significant first.
    static func bigEndian(_ number: UInt32) -> [UInt8] {
        [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: number >> $0) }
    }
}

/// Why bytes are not an envelope. An unreadable envelope is never taken for plain text.
public enum TokenEnvelopeError: Error, Equatable, Sendable {
    /// The first byte names a format this program does not know.
    case unknownVersion(UInt8)
    /// The second byte names algorithms this program does not know.
    case unknownSuite(UInt8)
    /// The key id is 0.
    case zeroKeyID
    /// Shorter than an envelope of nothing.
    case truncated(byteCount: Int)
    /// Longer than `TokenEnvelope.maximumByteCount`.
    case tooLong(byteCount: Int)
    /// The key id stored beside the envelope is not the one inside it.
    case keyIDMismatch(stored: UInt32, envelope: UInt32)
}

extension TokenEnvelopeError: CustomStringConvertible {
    /// One line for the log.
    public var description: String {
        switch self {
        case .unknownVersion(let version): "unknown envelope version \(version)"
        case .unknownSuite(let suite): "unknown envelope suite \(suite)"
        case .zeroKeyID: "envelope with key id 0"
        case .truncated(let count): "envelope of \(count) bytes is too short; the least is \(TokenEnvelope.overhead)"
        case .tooLong(let count):
            "envelope of \(count) bytes is too long; the most is \(TokenEnvelope.maximumByteCount)"
        case .keyIDMismatch(let stored, let envelope):
            "envelope is under key \(envelope), its row says key \(stored)"
        }
    }
}
