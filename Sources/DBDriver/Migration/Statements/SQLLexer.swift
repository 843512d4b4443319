/// Cuts SQL text into tokens, byte by byte, by the rules of one engine. It knows just enough to tell where a statement
/// ends: quotes, comments, words and `;`.
///
/// https://dev.mysql.com/doc/refman/8.4/en/lexical-structure.html, https://www.sqlite.org/lang.html
struct SQLLexer {
    /// What a token is.
    enum Kind: Equatable {
        /// White space and comments, except those that hold SQL.
        case blank, comment
        /// A keyword, a plain name or a number.
        case word
        /// `'…'`, and on MySQL `"…"`.
        case string
        /// A quoted name: `` `…` ``, and on SQLite `"…"` and `[…]`.
        case quotedName
        /// A `;` that ends a statement.
        case semicolon
        /// Any other character, and the borders of a comment that holds SQL (`/*! … */`).
        case symbol
    }

    /// A piece of the text; all pieces together are the text.
    struct Token: Equatable {
        let kind: Kind
        let range: Range<Int>
        /// The line on which it starts, from 1.
        let line: Int
    }

    private let bytes: [UInt8]
    private let dialect: Dialect
    private var position = 0
    private var line = 1
    /// Inside `/*! … */`, whose content MySQL runs.
    private var isInExecutableComment = false

    private init(_ text: String, _ dialect: Dialect) {
        bytes = Array(text.utf8)
        self.dialect = dialect
    }

    /// All tokens of a text.
    ///
    /// - Throws: when a quote or a comment does not end.
    static func tokens(of text: String, _ dialect: Dialect) throws(ScriptProblem) -> [Token] {
        var lexer = SQLLexer(text, dialect)
        var tokens: [Token] = []
        while lexer.position < lexer.bytes.count {
            let start = lexer.position
            let line = lexer.line
            let kind = try lexer.next()
            for byte in lexer.bytes[start..<lexer.position] where byte == UInt8(ascii: "\n") { lexer.line += 1 }
            tokens.append(Token(kind: kind, range: start..<lexer.position, line: line))
        }
        if lexer.isInExecutableComment {
            throw ScriptProblem(line: lexer.line, problem: "a /*! comment does not end: close it with */")
        }
        return tokens
    }

    private mutating func next() throws(ScriptProblem) -> Kind {
        let byte = bytes[position]
        switch byte {
        case UInt8(ascii: " "), 0x09...0x0d:
            skip { Self.isBlank($0) }
            return .blank
        case UInt8(ascii: "'"):
            return try quoted(byte, .string)
        case UInt8(ascii: "\""):
            return try quoted(byte, dialect == .mysql ? .string : .quotedName)
        case UInt8(ascii: "`"):
            return try quoted(byte, .quotedName)
        case UInt8(ascii: "[") where dialect == .sqlite:
            return try quoted(UInt8(ascii: "]"), .quotedName)
        case UInt8(ascii: "#") where dialect == .mysql:
            return lineComment()
        case UInt8(ascii: "-") where peek(1) == UInt8(ascii: "-") && isDashComment:
            return lineComment()
        case UInt8(ascii: "/") where peek(1) == UInt8(ascii: "*"):
            return try blockComment()
        case UInt8(ascii: "*") where isInExecutableComment && peek(1) == UInt8(ascii: "/"):
            isInExecutableComment = false
            position += 2
            return .symbol
        case UInt8(ascii: ";") where !isInExecutableComment:
            position += 1
            return .semicolon
        case _ where Self.isWord(byte):
            skip { Self.isWord($0) }
            return .word
        default:
            position += 1
            return .symbol
        }
    }

    /// MySQL wants a blank or a control character after the dashes, since `5--1` is an expression there.
    private var isDashComment: Bool {
        dialect == .sqlite || peek(2).map { $0 <= 0x20 || $0 == 0x7f } ?? false
    }

    private mutating func lineComment() -> Kind {
        skip { $0 != UInt8(ascii: "\n") }
        return .comment
    }

    private mutating func blockComment() throws(ScriptProblem) -> Kind {
        if dialect == .mysql, let length = executableCommentStart {
            guard !isInExecutableComment else {
                throw ScriptProblem(line: line, problem: "a /*! comment inside another: close the first with */")
            }
            isInExecutableComment = true
            position += length
            skip { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
            return .symbol
        }
        let isHint = peek(2) == UInt8(ascii: "+")
        var end = position + 2
        while end + 1 < bytes.count {
            if bytes[end] == UInt8(ascii: "*"), bytes[end + 1] == UInt8(ascii: "/") {
                position = end + 2
                return isHint ? .symbol : .comment
            }
            end += 1
        }
        throw ScriptProblem(line: line, problem: "the comment that starts here does not end: close it with */")
    }

    /// The length of `/*!` or MariaDB's `/*M!`, when it is here.
    private var executableCommentStart: Int? {
        if peek(2) == UInt8(ascii: "!") { return 3 }
        return peek(2) == UInt8(ascii: "M") && peek(3) == UInt8(ascii: "!") ? 4 : nil
    }

    /// Up to the closing quote. A doubled quote stands for itself, except for `]`; on MySQL a backslash in a string keeps the
    /// next character from ending it.
    private mutating func quoted(_ close: UInt8, _ kind: Kind) throws(ScriptProblem) -> Kind {
        let hasBackslashes = dialect == .mysql && kind == .string
        var end = position + 1
        while end < bytes.count {
            if hasBackslashes, bytes[end] == UInt8(ascii: "\\") {
                end += 2
            } else if bytes[end] != close {
                end += 1
            } else if close != UInt8(ascii: "]"), end + 1 < bytes.count, bytes[end + 1] == close {
                end += 2
            } else {
                position = end + 1
                return kind
            }
        }
        throw ScriptProblem(line: line, problem: "the quote that starts here does not end")
    }

    private mutating func skip(while isIncluded: (UInt8) -> Bool) {
        while position < bytes.count, isIncluded(bytes[position]) { position += 1 }
    }

    private func peek(_ distance: Int) -> UInt8? {
        position + distance < bytes.count ? bytes[position + distance] : nil
    }

    private static func isBlank(_ byte: UInt8) -> Bool {
        byte == 0x20 || (0x09...0x0d).contains(byte)
    }

    /// ASCII letters, digits, `_`, `$`, and every byte of a character beyond ASCII.
    private static func isWord(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "$"), 0x80...:
            true
        default: false
        }
    }
}

/// What is wrong with a script, and on which of its lines.
struct ScriptProblem: Error, Equatable {
    let line: Int
    let problem: String
}
