/// A statement and its bound values, written as a string literal whose interpolations are always binds.
///
///     let sql: SQL = "SELECT role_name FROM users WHERE user_id = \(userID)"
///
/// There is no way to splice a `String` into the text, so no input can become SQL. Fragments compose:
/// `"… WHERE \(filter)"` with `filter: SQL` joins text and binds.
///
/// A value of its own among the columns of a query comes back in its own type. The exception is bytes on MySQL (not on
/// MariaDB), which takes them for text there: they have to go by `CAST(… AS BINARY)`.
public struct SQL: Sendable, Hashable, ExpressibleByStringInterpolation {
    /// The text, with one `?` for each bind. It holds no user values and is safe to log.
    public private(set) var text: String
    /// The bound values, in the order of the question marks.
    public private(set) var binds: [SQLValue]

    /// A statement without binds.
    public init(stringLiteral text: String) {
        self.text = text
        binds = []
    }

    /// The end of a string interpolation.
    public init(stringInterpolation: StringInterpolation) {
        text = stringInterpolation.text
        binds = stringInterpolation.binds
    }

    /// A statement read from a migration file. Only the migrator may call it: the text runs as it is.
    init(trustedText text: String) {
        self.text = text
        binds = []
    }

    /// Collects literal parts as text and values as binds.
    public struct StringInterpolation: StringInterpolationProtocol {
        var text = ""
        var binds: [SQLValue] = []

        /// Reserves room for the parts.
        public init(literalCapacity: Int, interpolationCount: Int) {
            text.reserveCapacity(literalCapacity + interpolationCount)
            binds.reserveCapacity(interpolationCount)
        }

        /// Adds a part of the statement's text.
        public mutating func appendLiteral(_ literal: String) {
            text += literal
        }

        /// Binds a value.
        public mutating func appendInterpolation(_ value: some SQLConvertible) {
            text += "?"
            binds.append(value.sqlValue)
        }

        /// Binds a value, or NULL for nil.
        public mutating func appendInterpolation<Value: SQLConvertible>(_ value: Value?) {
            text += "?"
            binds.append(value?.sqlValue ?? .null)
        }

        /// Adds another statement's text and binds.
        public mutating func appendInterpolation(_ fragment: SQL) {
            text += fragment.text
            binds += fragment.binds
        }

        /// Adds fragments with a text between them, such as the rows of one INSERT with commas.
        public mutating func appendInterpolation(joined fragments: [SQL], by separator: StaticString = ", ") {
            text += fragments.map(\.text).joined(separator: separator.description)
            binds += fragments.flatMap(\.binds)
        }

        /// Binds a list as `(?, ?, …)`. An empty list becomes `(NULL)`, which matches nothing.
        public mutating func appendInterpolation(list values: some Sequence<some SQLConvertible>) {
            let new = values.map(\.sqlValue)
            text += new.isEmpty ? "(NULL)" : "(" + Array(repeating: "?", count: new.count).joined(separator: ", ") + ")"
            binds += new
        }
    }
}
