import Crypto

/// The keys that encrypt stored tokens: one active key for new envelopes and older ones that still open theirs.
///
/// A ring is checked when it is made and never changes; another ring replaces it. It prints the ids of its keys,
/// never their bytes, and its key memory is overwritten when the last copy of the ring goes.
public struct KeyRing: Sendable {
    /// The length of a key in bytes: random bytes, never a pass-phrase.
    public static let keyByteCount = 32

    /// Ids from here up belong to keys made for development only.
    public static let firstDevelopmentID: UInt32 = 4_000_000_000

    /// The id of the key that encrypts new tokens.
    public let active: UInt32

    /// The ids that must not be used any more, neither to encrypt nor to decrypt. Their keys need not be in the ring.
    public let disabled: Set<UInt32>

    private let keys: [UInt32: SymmetricKey]

    /// Checks and keeps the keys.
    ///
    /// - Parameters:
    ///   - active: the id of the key for new tokens; one of `keys` and not disabled.
    ///   - keys: the key for each id: ids from 1 up, 32 bytes each, no two alike.
    ///   - disabled: ids that are refused, whether or not their keys are given.
    /// - Throws: `KeyRingError` for the first rule broken, looking at the ids in ascending order.
    public init(
        active: UInt32,
        keys: [UInt32: [UInt8]],
        disabled: Set<UInt32> = []
    ) throws(KeyRingError) {
        guard !keys.isEmpty else { throw .empty }
        guard active != 0, keys[0] == nil, !disabled.contains(0) else { throw .zeroID }

        var checked: [UInt32: SymmetricKey] = [:]
        for (id, bytes) in keys.sorted(by: { $0.key < $1.key }) {
            guard bytes.count == Self.keyByteCount else { throw .wrongLength(id: id, byteCount: bytes.count) }
            let key = SymmetricKey(data: bytes)
            if let twin = checked.filter({ $0.value == key }).keys.min() {
                throw .duplicateMaterial(id: id, sameAs: twin)
            }
            checked[id] = key
        }

        guard checked[active] != nil else { throw .activeAbsent(id: active) }
        guard !disabled.contains(active) else { throw .activeDisabled(id: active) }
        self.active = active
        self.disabled = disabled
        self.keys = checked
    }

    /// A ring of one key, which gets the id 1.
    ///
    /// - Parameter key: 32 random bytes.
    /// - Returns: the ring, with key 1 active.
    /// - Throws: `KeyRingError.wrongLength` if `key` is not 32 bytes long.
    public static func single(_ key: [UInt8]) throws(KeyRingError) -> KeyRing {
        try KeyRing(active: 1, keys: [1: key])
    }

    /// Makes a new key: 32 bytes from the random number generator of the operating system.
    public static func generateKey() -> [UInt8] {
        unsafe SymmetricKey(size: .bits256).withUnsafeBytes { unsafe Array($0) }
    }

    /// The ids of all keys in the ring, disabled ones included, in ascending order.
    public var ids: [UInt32] { keys.keys.sorted() }

    /// Whether a key made for development only is in the ring. A production server refuses such a ring.
    public var hasDevelopmentKeys: Bool { keys.keys.contains { $0 >= Self.firstDevelopmentID } }

    /// A fingerprint of a key that does not give the key away:
    /// HKDF-SHA256 of the key, empty salt, info `mcp-registry/key-check/v1`, 16 bytes.
    ///
    /// Two instances whose values differ for one id hold different keys under that id.
    ///
    /// - Parameter id: the id of the key.
    /// - Returns: 16 bytes, or `nil` if the ring has no key with that id.
    public func checkValue(_ id: UInt32) -> [UInt8]? {
        keys[id].map { key in
            let info = Array("mcp-registry/key-check/v1".utf8)
            let value = HKDF<SHA256>.deriveKey(inputKeyMaterial: key, info: info, outputByteCount: 16)
            return unsafe value.withUnsafeBytes { unsafe Array($0) }
        }
    }

    /// The key with this id, whether disabled or not; `nil` if the ring has none.
    func key(_ id: UInt32) -> SymmetricKey? { keys[id] }
}

extension KeyRing: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The ids, for a log line: `<key ring: active 3, keys 2 3, disabled 1>`.
    public var description: String {
        let list = { (ids: [UInt32]) in ids.isEmpty ? "none" : ids.map(String.init).joined(separator: " ") }
        return "<key ring: active \(active), keys \(list(ids)), disabled \(list(disabled.sorted()))>"
    }

    /// The same as `description`.
    public var debugDescription: String { description }

    /// A mirror without children.
    public var customMirror: Mirror { Mirror(self, children: []) }
}

/// Why a key ring is refused. Never holds a byte of a key.
public enum KeyRingError: Error, Equatable, Sendable {
    /// There is no key at all.
    case empty
    /// A key, the active key or a disabled key has the id 0.
    case zeroID
    /// The key with this id is not 32 bytes long.
    case wrongLength(id: UInt32, byteCount: Int)
    /// Two ids hold the same key.
    case duplicateMaterial(id: UInt32, sameAs: UInt32)
    /// The active key is not in the ring.
    case activeAbsent(id: UInt32)
    /// The active key is disabled.
    case activeDisabled(id: UInt32)
}

extension KeyRingError: CustomStringConvertible {
    /// One line for the person who wrote the key ring.
    public var description: String {
        switch self {
        case .empty: "the key ring has no keys"
        case .zeroID: "key id 0 is not allowed; ids start at 1"
        case .wrongLength(let id, let byteCount): "key \(id) has \(byteCount) bytes; a key is 32 random bytes"
        case .duplicateMaterial(let id, let twin): "keys \(twin) and \(id) are the same key; every id needs its own"
        case .activeAbsent(let id): "the active key \(id) is not among the keys"
        case .activeDisabled(let id): "the active key \(id) is disabled"
        }
    }
}
