/// What the comments at the top of an `up` script say, one `-- key: value` a line. Other comments may stand between them.
public struct MigrationHeader: Sendable, Equatable {
    /// When in a rolling deploy the migration runs.
    public enum Phase: String, Sendable, SQLConvertible {
        /// Adds what the new program needs; the old program does not notice.
        case expand
        /// Moves rows, in batches that can be run again.
        case data
        /// Removes what the old program needed.
        case contract
    }

    /// `-- phase: expand|data|contract`; mandatory.
    public private(set) var phase = Phase.expand
    /// `-- min-app: 12`: the oldest schema level a running program may know; for `contract` only, and mandatory there.
    public private(set) var minApp: Int?
    /// `-- irreversible: reason`: there is no down script, for this reason.
    public private(set) var irreversible: String?
    /// `-- long: true`: takes long on big tables.
    public private(set) var isLong = false
    /// `-- idempotent: true`: every statement may run twice, so one whose outcome is unknown is run again.
    public private(set) var isIdempotent = false

    /// Reads the comments before the first statement.
    ///
    /// - Throws: ``MigrationError/badScript(path:line:problem:)`` for unknown, repeated, missing or malformed headers.
    init(path: String, text: String) throws(MigrationError) {
        var seen: Set<String> = []
        var lineNumber = 0
        for line in MigrationScript.canonical(text).split(separator: "\n", omittingEmptySubsequences: false) {
            lineNumber += 1
            let line = line.trimmingBlanks
            guard line.hasPrefix("--") || line.isEmpty else { break }
            if let key = Self.misspelt(in: line) {
                throw .badScript(path: path, line: lineNumber, problem: "write this header as '-- \(key): …'")
            }
            guard let (key, value) = Self.entry(in: line) else { continue }
            guard seen.insert(key).inserted else {
                throw .badScript(path: path, line: lineNumber, problem: "'-- \(key):' stands here twice")
            }
            if let problem = set(key, value) { throw .badScript(path: path, line: lineNumber, problem: problem) }
        }
        guard seen.contains("phase") else {
            throw .badScript(
                path: path,
                line: 1,
                problem: "say '-- phase: expand', '-- phase: data' or '-- phase: contract'"
            )
        }
        guard (phase == .contract) == (minApp != nil) else {
            throw .badScript(
                path: path,
                line: 1,
                problem: "'-- min-app: N' belongs to '-- phase: contract', and only there"
            )
        }
    }

    /// `-- key: value` with a key in lower case; nil for any other comment and for block markers.
    static func entry(in line: String) -> (key: String, value: String)? {
        guard line.hasPrefix("-- "), let colon = line.firstIndex(of: ":") else { return nil }
        let key = line.dropFirst(3)[..<colon]
        guard !key.isEmpty, key != "statement" else { return nil }
        let isKey = key.utf8.allSatisfy { byte in
            (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) || byte == UInt8(ascii: "-")
        }
        guard isKey else { return nil }
        return (String(key), line[line.index(after: colon)...].trimmingBlanks)
    }

    /// The header that a line would be but for capitals, blanks or an underscore: such a line must not pass for a comment.
    static func misspelt(in line: String) -> String? {
        guard line.hasPrefix("--"), let colon = line.firstIndex(of: ":") else { return nil }
        let word = line.dropFirst(2)[..<colon]
        let key = word.trimmingBlanks.lowercased().replacing("_", with: "-")
        return keys.contains(key) && word != " \(key)" ? key : nil
    }

    private static let keys: Set = ["phase", "min-app", "irreversible", "long", "idempotent"]

    /// - Returns: what is wrong with the entry.
    private mutating func set(_ key: String, _ value: String) -> String? {
        switch key {
        case "phase":
            guard let phase = Phase(rawValue: value) else { return "phase is expand, data or contract, not '\(value)'" }
            self.phase = phase
        case "min-app":
            guard let minApp = Int(value), minApp > 0 else { return "min-app is a schema version, not '\(value)'" }
            self.minApp = minApp
        case "irreversible":
            guard !value.isEmpty else { return "say why it is irreversible" }
            irreversible = value
        case "long":
            guard value == "true" else { return "long is true or not there, not '\(value)'" }
            isLong = true
        case "idempotent":
            guard value == "true" else { return "idempotent is true or not there, not '\(value)'" }
            isIdempotent = true
        default:
            return "unknown header '\(key)': there are phase, min-app, irreversible, long and idempotent"
        }
        return nil
    }
}
