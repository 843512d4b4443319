/// The columns of a result, shared by all of its rows.
final class Columns: Sendable {
    let names: [String]
    let index: [String: Int]

    init(_ names: [String]) {
        self.names = names
        index = Dictionary(names.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
    }
}

/// One row of a result: its values are copied out of the engine, so it may be kept and sent anywhere.
public struct Row: Sendable {
    let columns: Columns
    let values: [SQLValue]

    /// The value of a column in the wanted type.
    ///
    /// - Throws: ``DatabaseError`` of kind ``DatabaseError/Kind/decoding`` when there is no such column or its value does
    ///   not fit the type. The message names column, wanted and found type, never the value.
    public func get<Value: SQLConvertible>(
        _ column: String,
        as type: Value.Type = Value.self
    ) throws(DatabaseError) -> Value {
        guard let index = columns.index[column] else {
            throw .decoding("there is no column '\(column)' in (\(columns.names.joined(separator: ", ")))")
        }
        guard let value = Value(sqlValue: values[index]) else {
            throw .decoding("column '\(column)' holds \(values[index].kindName), which is no valid \(type)")
        }
        return value
    }
}

/// What a statement answered.
struct SQLResult {
    /// The rows of a query; empty for other statements.
    var rows: [Row] = []
    /// Rows that an INSERT, UPDATE or DELETE matched.
    var affectedRows = 0
}
