internal import Crypto

/// One numbered change of the schema, with the scripts of one engine.
public struct Migration: Sendable {
    /// Its number, from 1 without gaps.
    public let version: Int
    /// Its name in snake_case.
    public let name: String
    /// What its headers say.
    public let header: MigrationHeader
    /// The statements that apply it.
    public let up: MigrationScript
    /// The statements that take it back; nil exactly when the header says why it is irreversible.
    public let down: MigrationScript?

    /// E.g. `0002_roles`.
    public var label: String { "\(padded(version))_\(name)" }

    /// The script of a direction.
    func script(_ direction: MigrationDirection) -> MigrationScript? {
        direction == .up ? up : down
    }
}

/// Whether a migration is applied or taken back.
public enum MigrationDirection: String, Sendable, Equatable, SQLConvertible {
    /// Applied.
    case up
    /// Taken back.
    case down
}

/// A script: what its file says, in canonical form.
public struct MigrationScript: Sendable {
    /// The path of its file in the folder of migrations.
    public let path: String
    /// `v1:` and the hexadecimal SHA-256 of the canonical text.
    public let checksum: String
    /// Whose words it speaks.
    let dialect: Dialect
    /// Whom it was written for, as its file name says: `mysql`, `sqlite`, `mariadb` or `mysql8`; for a script that all share,
    /// the dialect.
    let engine: String
    /// Its statements, at least one.
    let statements: [StatementSplitter.Statement]

    /// Reads a script.
    ///
    /// - Throws: ``MigrationError/badScript(path:line:problem:)``.
    init(path: String, text: String, dialect: Dialect, engine: String? = nil) throws(MigrationError) {
        let canonical = Self.canonical(text)
        self.path = path
        self.dialect = dialect
        self.engine = engine ?? dialect.rawValue
        checksum = Self.checksum(ofCanonical: canonical)
        do throws(ScriptProblem) {
            if let line = canonical.utf8.split(separator: 0x0a, omittingEmptySubsequences: false)
                .firstIndex(where: { $0.contains(0) })
            {
                throw ScriptProblem(line: line + 1, problem: "a NUL character: remove it")
            }
            statements = try StatementSplitter.split(canonical, dialect).compactMap(\.statement)
            if statements.isEmpty { throw ScriptProblem(line: 1, problem: "there is no statement in this file") }
        } catch {
            throw .badScript(path: path, line: error.line, problem: error.problem)
        }
    }

    /// The text that is hashed and run: no byte order mark, LF line ends, no blanks at the end of a line, no empty lines at
    /// the end, one final LF. So a checkout on Windows or an editor that trims lines does not change a checksum.
    static func canonical(_ text: String) -> String {
        var lines: [[UInt8]] = [[]]
        var follows = UInt8(0)
        for byte in text.utf8.starts(with: [0xef, 0xbb, 0xbf]) ? text.utf8.dropFirst(3) : text.utf8[...] {
            defer { follows = byte }
            if byte == UInt8(ascii: "\n"), follows == UInt8(ascii: "\r") { continue }
            if byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r") {
                lines.append([])
            } else {
                lines[lines.count - 1].append(byte)
            }
        }
        for index in lines.indices {
            while lines[index].last == UInt8(ascii: " ") || lines[index].last == UInt8(ascii: "\t") {
                lines[index].removeLast()
            }
        }
        while lines.last == [] { lines.removeLast() }
        return lines.map { String(decoding: $0, as: UTF8.self) + "\n" }.joined()
    }

    /// The first version of the checksum. A later one would have another prefix and still know this one.
    static func checksum(ofCanonical text: String) -> String {
        let digits = Array("0123456789abcdef")
        var hex = "v1:"
        for byte in SHA256.hash(data: Array(text.utf8)) {
            hex.append(digits[Int(byte >> 4)])
            hex.append(digits[Int(byte & 15)])
        }
        return hex
    }
}
