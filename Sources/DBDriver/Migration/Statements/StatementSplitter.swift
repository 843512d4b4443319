/// Splits a migration script into its statements, so that they run one at a time and the one that failed can be named.
///
/// A statement ends at a `;` outside of quotes and comments. SQLite's `CREATE TRIGGER … BEGIN … END` stays whole. Between the
/// lines `-- statement:begin` and `-- statement:end` nothing is split, for bodies of routines.
struct StatementSplitter {
    /// A part of the script: a statement with what stands before it, or what stands after the last one.
    struct Piece: Equatable {
        /// The text from the end of the piece before; all sources together are the script.
        let source: String
        /// The statement in it; nil when there are only blanks and comments.
        let statement: Statement?
    }

    /// One statement.
    struct Statement: Equatable, Sendable {
        /// The text without the comments around it and without the `;`.
        let text: String
        /// The line of the script on which it starts, from 1.
        let line: Int
    }

    private let bytes: [UInt8]
    private let dialect: Dialect
    private var pieces: [Piece] = []
    private var pieceStart = 0
    /// The line of the open `-- statement:begin`.
    private var blockStart: Int?
    private var current = Draft()

    /// The statement that is being read.
    private struct Draft {
        var range: Range<Int>?
        var line = 1
        /// Its first words in upper case, as many as a rule looks at.
        var words: [String] = []
        /// In a trigger's body: the last token was a `;`, or the `END` after one.
        var followsSemicolon = false
        var followsEnd = false
    }

    /// The pieces of a script.
    ///
    /// - Throws: for a quote, comment or block without an end, and for statements that a migration must not have.
    static func split(_ script: String, _ dialect: Dialect) throws(ScriptProblem) -> [Piece] {
        var splitter = StatementSplitter(bytes: Array(script.utf8), dialect: dialect)
        for token in try SQLLexer.tokens(of: script, dialect) { try splitter.take(token) }
        if let line = splitter.blockStart {
            throw ScriptProblem(line: line, problem: "the block does not end: add a line '-- statement:end'")
        }
        if splitter.pieceStart < splitter.bytes.count { try splitter.endPiece(at: splitter.bytes.count) }
        return splitter.pieces
    }

    private init(bytes: [UInt8], dialect: Dialect) {
        self.bytes = bytes
        self.dialect = dialect
    }

    private mutating func take(_ token: SQLLexer.Token) throws(ScriptProblem) {
        switch token.kind {
        case .blank: return
        case .comment: try takeComment(token)
        case .semicolon where blockStart == nil && !isInsideTrigger: try endPiece(at: token.range.upperBound)
        default: takeContent(token)
        }
    }

    private mutating func takeContent(_ token: SQLLexer.Token) {
        if current.range == nil { current.line = token.line }
        current.range = (current.range?.lowerBound ?? token.range.lowerBound)..<token.range.upperBound
        let word = token.kind == .word ? text(token.range).uppercased() : nil
        if let word, current.words.count < 4 { current.words.append(word) }
        current.followsEnd = current.followsSemicolon && word == "END"
        current.followsSemicolon = token.kind == .semicolon
    }

    private mutating func takeComment(_ token: SQLLexer.Token) throws(ScriptProblem) {
        switch text(token.range).trimmingBlanks {
        case "-- statement:begin":
            guard blockStart == nil, current.range == nil else {
                throw ScriptProblem(line: token.line, problem: "a block starts inside a statement: end that one first")
            }
            blockStart = token.line
        case "-- statement:end":
            guard blockStart != nil else {
                throw ScriptProblem(line: token.line, problem: "there is no '-- statement:begin' before this line")
            }
            blockStart = nil
            try endPiece(at: token.range.upperBound)
        default: break
        }
    }

    /// The rule of `sqlite3_complete()`: a trigger ends at the `;` after an `END` that itself follows a `;`.
    private var isInsideTrigger: Bool {
        guard dialect == .sqlite, current.words.first == "CREATE", !current.followsEnd else { return false }
        let isTemporary = current.words.count > 1 && current.words[1].hasPrefix("TEMP")
        return current.words.dropFirst(isTemporary ? 2 : 1).first == "TRIGGER"
    }

    private mutating func endPiece(at end: Int) throws(ScriptProblem) {
        var statement: Statement?
        if let range = current.range {
            if let problem = Self.refusal(of: current.words) {
                throw ScriptProblem(line: current.line, problem: problem)
            }
            var text = text(range)
            while text.hasSuffix(";") { text = String(text.dropLast()).trimmingBlanks }
            statement = Statement(text: text, line: current.line)
        }
        pieces.append(Piece(source: text(pieceStart..<end), statement: statement))
        pieceStart = end
        current = Draft()
    }

    private func text(_ range: Range<Int>) -> String {
        String(decoding: bytes[range], as: UTF8.self)
    }

    /// Why a statement with these first words must not be in a migration.
    private static func refusal(of words: [String]) -> String? {
        guard let first = words.first else { return "this is no statement: remove it" }
        switch first {
        case "BEGIN", "START", "COMMIT", "END", "ROLLBACK", "SAVEPOINT", "RELEASE", "XA":
            return
                "\(first): the migrator begins and ends transactions itself; a body with BEGIN … END goes between the lines "
                + "'-- statement:begin' and '-- statement:end'"
        case "DELIMITER":
            return
                "DELIMITER belongs to the mysql client: put the body between the lines '-- statement:begin' and '-- statement:end'"
        case "USE", "ATTACH", "DETACH":
            return "\(first): a migration belongs to the one database that it is run on"
        case "SET", "PRAGMA":
            return "\(first): a setting is lost when a migration goes on after an interruption, and must not outlive it"
        case "LOCK", "UNLOCK", "FLUSH":
            return "\(first): the migrator has its own lock, and this one does not hold on a cluster"
        case "GRANT", "REVOKE":
            return "\(first): rights belong to the operator, not to the schema"
        case "VACUUM":
            return "VACUUM cannot run in a transaction"
        case "CREATE", "ALTER", "DROP":
            let object = words.dropFirst().first { !["OR", "REPLACE"].contains($0) } ?? ""
            switch object {
            case "USER", "ROLE":
                return "\(first) \(object): accounts and their passwords belong to the operator, not to the schema"
            case "DATABASE", "SCHEMA":
                return "\(first) \(object): a migration belongs to the one database that it is run on"
            default: return nil
            }
        default: return nil
        }
    }
}

extension StringProtocol {
    /// Without blanks and line ends on both sides.
    var trimmingBlanks: String {
        let isBlank: (UInt8) -> Bool = { $0 == 0x20 || (0x09...0x0d).contains($0) }
        let rest = utf8.drop(while: isBlank)
        let trailing = rest.reversed().prefix(while: isBlank).count
        return String(decoding: rest.dropLast(trailing), as: UTF8.self)
    }
}
