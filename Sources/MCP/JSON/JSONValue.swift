/// Any JSON value (RFC 8259), with the order of object members kept.
///
/// Numbers: a literal without fraction and exponent that fits in 64 bits is `.integer` and exact. Every other literal,
/// an integer beyond 64 bits included, is the nearest `.double`; ``integer`` is then `nil` unless that double is a
/// whole number inside 64 bits, so digits are never lost where an integer is asked for.
public enum JSONValue: Sendable, Equatable {
    /// The literal `null`.
    case null
    /// `true` or `false`.
    case bool(Bool)
    /// A number written without fraction and exponent that fits in 64 bits.
    case integer(Int64)
    /// Any other number; always finite when it comes from the parser.
    case double(Double)
    /// Text.
    case string(String)
    /// A list.
    case array([JSONValue])
    /// An object, its members in order.
    case object(JSONObject)
    /// A value that is written already, and is not looked into any more.
    case encoded(EncodedJSON)
}

/// A JSON value as bytes, to be written many times.
public struct EncodedJSON: Sendable, Equatable {
    /// Compact JSON.
    public let bytes: [UInt8]

    /// Writes a value.
    public init(_ value: JSONValue) {
        bytes = value.serialized()
    }
}

extension JSONValue {
    /// Whether this is the literal `null`.
    public var isNull: Bool { self == .null }

    /// The boolean, or `nil` when this is another kind of value.
    public var bool: Bool? {
        if case .bool(let value) = self { value } else { nil }
    }

    /// The whole number, or `nil`. `1.0` and `1e3` are whole numbers too (JSON Schema 2020-12 core, section 4.2.3).
    public var integer: Int64? {
        switch self {
        case .integer(let value): value
        case .double(let value): value.wholeNumber
        default: nil
        }
    }

    /// The number as a double (the nearest one for large integers), or `nil` when this is no number.
    public var double: Double? {
        switch self {
        case .integer(let value): Double(value)
        case .double(let value): value
        default: nil
        }
    }

    /// The text, or `nil` when this is another kind of value.
    public var string: String? {
        if case .string(let value) = self { value } else { nil }
    }

    /// The elements, or `nil` when this is another kind of value.
    public var array: [JSONValue]? {
        if case .array(let value) = self { value } else { nil }
    }

    /// The object, or `nil` when this is another kind of value.
    public var object: JSONObject? {
        if case .object(let value) = self { value } else { nil }
    }

    /// The member named `key`, or `nil` when it is absent or this is no object.
    public subscript(key: String) -> JSONValue? {
        object?[key]
    }

    /// The element at `position`, or `nil` when there is none or this is no array.
    public subscript(position: Int) -> JSONValue? {
        guard let array, array.indices.contains(position) else { return nil }
        return array[position]
    }
}

extension Double {
    /// The same number as an integer, or `nil`. (`Int64(exactly:)` would need the C mathematics library.)
    fileprivate var wholeNumber: Int64? {
        guard (-0x1p63..<0x1p63).contains(self) else { return nil }
        let truncated = Int64(self)
        return Double(truncated) == self ? truncated : nil
    }
}

extension JSONValue: ExpressibleByNilLiteral, ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral,
    ExpressibleByFloatLiteral, ExpressibleByStringInterpolation, ExpressibleByArrayLiteral,
    ExpressibleByDictionaryLiteral
{
    /// `null`.
    public init(nilLiteral: ()) { self = .null }
    /// A boolean.
    public init(booleanLiteral value: Bool) { self = .bool(value) }
    /// A whole number.
    public init(integerLiteral value: Int64) { self = .integer(value) }
    /// A number with a fraction.
    public init(floatLiteral value: Double) { self = .double(value) }
    /// Text.
    public init(stringLiteral value: String) { self = .string(value) }
    /// A list.
    public init(arrayLiteral elements: JSONValue...) { self = .array(elements) }
    /// An object with members in the written order; of two equal keys the later wins.
    public init(dictionaryLiteral elements: (String, JSONValue)...) { self = .object(JSONObject(elements)) }
}
