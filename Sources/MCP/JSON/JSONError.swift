/// Why bytes are not acceptable JSON, and where.
public struct JSONError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The kinds of fault.
    public enum Kind: String, Sendable {
        /// A byte that can't stand here.
        case unexpectedByte = "unexpected byte"
        /// The text stops inside a value.
        case unexpectedEnd = "unexpected end"
        /// Something other than white space follows the value.
        case trailingBytes = "bytes after the value"
        /// A number that breaks the grammar, such as `01` or `1.`.
        case invalidNumber = "invalid number"
        /// A number too large for a double.
        case numberOutOfRange = "number out of range"
        /// An unescaped control character inside a string.
        case controlCharacter = "control character in a string"
        /// A backslash followed by something undefined.
        case invalidEscape = "invalid escape"
        /// Half of a surrogate pair.
        case loneSurrogate = "lone surrogate"
        /// A string that is not UTF-8.
        case invalidUTF8 = "invalid UTF-8"
        /// The same key twice in one object.
        case duplicateKey = "duplicate key"
        /// More nested arrays and objects than the limit.
        case tooDeep = "nested too deeply"
    }

    /// What is wrong.
    public let kind: Kind
    /// The offset in bytes of the offending byte; for invalid UTF-8, duplicate keys and numbers, where the token begins.
    public let offset: Int

    /// The fault in a few words, free of the input itself.
    public var description: String { "\(kind.rawValue) at byte \(offset)" }
}

/// The bounds of what the JSON parser accepts. The size is bounded by whoever reads the bytes.
public struct JSONLimits: Sendable {
    /// How many arrays and objects may stand inside each other; 64 by default.
    public var depth: Int

    /// Limits with the given depth.
    public init(depth: Int = 64) {
        self.depth = depth
    }
}
