/// One value as both engines store it. Booleans are 0/1, times are integer microseconds (``Timestamp``).
public enum SQLValue: Sendable, Hashable {
    /// SQL NULL.
    case null
    /// A signed 64-bit integer; both engines hold its whole range.
    case integer(Int64)
    /// A double. Neither engine stores NaN; both refuse it or turn it into NULL, so callers must not bind it.
    case real(Double)
    /// Unicode text, NUL characters included.
    case text(String)
    /// Bytes without a character set.
    case blob([UInt8])

    /// The kind of the value for error messages; never the value itself, which may be a secret.
    public var kindName: String {
        switch self {
        case .null: "NULL"
        case .integer: "integer"
        case .real: "real"
        case .text: "text"
        case .blob: "blob"
        }
    }
}

/// A Swift type that can be bound to a statement and read from a row.
///
/// To add a type, give the value it is stored as, and the way back that returns nil for anything that type never stores.
public protocol SQLConvertible {
    /// The value to store.
    var sqlValue: SQLValue { get }
    /// Reads a stored value; nil when it has the wrong kind or is out of range.
    init?(sqlValue: SQLValue)
}

extension SQLValue: SQLConvertible {
    /// The value itself.
    public var sqlValue: SQLValue { self }

    /// Takes any value as it is.
    public init?(sqlValue: SQLValue) {
        self = sqlValue
    }
}

extension Int64: SQLConvertible {
    /// Stored as an integer.
    public var sqlValue: SQLValue { .integer(self) }

    /// Reads an integer.
    public init?(sqlValue: SQLValue) {
        guard case .integer(let value) = sqlValue else { return nil }
        self = value
    }
}

extension Int: SQLConvertible {
    /// Stored as an integer.
    public var sqlValue: SQLValue { .integer(Int64(self)) }

    /// Reads an integer.
    public init?(sqlValue: SQLValue) {
        guard case .integer(let value) = sqlValue else { return nil }
        self.init(exactly: value)
    }
}

extension UInt32: SQLConvertible {
    /// Stored as an integer.
    public var sqlValue: SQLValue { .integer(Int64(self)) }

    /// Reads an integer between 0 and 2³²−1.
    public init?(sqlValue: SQLValue) {
        guard case .integer(let value) = sqlValue else { return nil }
        self.init(exactly: value)
    }
}

extension Bool: SQLConvertible {
    /// Stored as 0 or 1.
    public var sqlValue: SQLValue { .integer(self ? 1 : 0) }

    /// Reads 0 or 1; other integers are refused.
    public init?(sqlValue: SQLValue) {
        switch sqlValue {
        case .integer(0): self = false
        case .integer(1): self = true
        default: return nil
        }
    }
}

extension Double: SQLConvertible {
    /// Stored as a real.
    public var sqlValue: SQLValue { .real(self) }

    /// Reads a real.
    public init?(sqlValue: SQLValue) {
        guard case .real(let value) = sqlValue else { return nil }
        self = value
    }
}

extension String: SQLConvertible {
    /// Stored as text.
    public var sqlValue: SQLValue { .text(self) }

    /// Reads text.
    public init?(sqlValue: SQLValue) {
        guard case .text(let value) = sqlValue else { return nil }
        self = value
    }
}

extension [UInt8]: SQLConvertible {
    /// Stored as a blob.
    public var sqlValue: SQLValue { .blob(self) }

    /// Reads a blob.
    public init?(sqlValue: SQLValue) {
        guard case .blob(let value) = sqlValue else { return nil }
        self = value
    }
}

extension Optional: SQLConvertible where Wrapped: SQLConvertible {
    /// NULL for nil.
    public var sqlValue: SQLValue { self?.sqlValue ?? .null }

    /// Reads NULL as nil.
    public init?(sqlValue: SQLValue) {
        if case .null = sqlValue {
            self = .none
            return
        }
        guard let value = Wrapped(sqlValue: sqlValue) else { return nil }
        self = .some(value)
    }
}

extension SQLConvertible where Self: RawRepresentable, RawValue: SQLConvertible {
    /// Stored as the raw value.
    public var sqlValue: SQLValue { rawValue.sqlValue }

    /// Reads the raw value; nil when the type refuses it.
    public init?(sqlValue: SQLValue) {
        guard let raw = RawValue(sqlValue: sqlValue) else { return nil }
        self.init(rawValue: raw)
    }
}
