import Crypto

/// The bytes of a token, a password or another value that must not be seen.
///
/// A secret prints as `<redacted>` wherever Swift could show it: interpolation, `print`, `debugPrint`, `dump`,
/// `Mirror`, also inside other values. It can't be encoded, hashed or ordered. Its memory is overwritten when the last
/// reference goes. That is a best effort: whoever made the secret had the bytes before, and whoever reveals it holds
/// a copy that is not overwritten.
public final class Secret: Sendable {
    /// Holds the bytes; `SymmetricKey` overwrites its memory when freed and compares in constant time.
    private let storage: SymmetricKey

    /// Keeps a copy of `bytes`, which may be empty.
    public init(_ bytes: [UInt8]) {
        storage = SymmetricKey(data: bytes)
    }

    /// Keeps bytes that are already in protected memory.
    init(_ storage: SymmetricKey) {
        self.storage = storage
    }

    /// Keeps the UTF-8 bytes of `text`.
    public convenience init(_ text: String) {
        self.init(Array(text.utf8))
    }

    /// The number of bytes.
    public var count: Int { storage.bitCount / 8 }

    /// Lends the bytes to `body`. The pointer is valid only until `body` returns.
    ///
    /// - Parameter body: reads the bytes; should not copy them without need.
    /// - Returns: what `body` returns.
    /// - Throws: what `body` throws.
    public func withUnsafeBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
        try unsafe storage.withUnsafeBytes(body)
    }

    /// HMAC-SHA256 (RFC 2104) over another secret, with this one as the key: 32 bytes.
    func authenticationCode(for message: Secret) -> [UInt8] {
        unsafe message.withUnsafeBytes { unsafe Array(HMAC<SHA256>.authenticationCode(for: $0, using: storage)) }
    }

    /// A copy of the bytes, for the caller who is allowed to have them. The copy is not protected any more.
    public func revealBytes() -> [UInt8] {
        unsafe withUnsafeBytes { unsafe Array($0) }
    }

    /// A copy as text, for the caller who is allowed to have it; `nil` if the bytes are not well-formed UTF-8.
    /// The copy is not protected any more.
    public func revealText() -> String? {
        unsafe withUnsafeBytes { unsafe String(validating: $0, as: UTF8.self) }
    }
}

extension Secret: Equatable {
    /// Compares in a time that depends on the lengths only, not on where the bytes differ.
    public static func == (left: Secret, right: Secret) -> Bool {
        left.storage == right.storage
    }
}

extension Secret: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// Always `<redacted>`.
    public var description: String { "<redacted>" }

    /// Always `<redacted>`.
    public var debugDescription: String { description }

    /// A mirror without children.
    public var customMirror: Mirror { Mirror(self, children: []) }
}
