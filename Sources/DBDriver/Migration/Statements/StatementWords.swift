/// The tokens of a statement without blanks and comments, read from left to right.
struct StatementWords {
    private struct Word {
        let kind: SQLLexer.Kind
        let text: String
    }

    private let words: [Word]
    private var position = 0

    init?(_ statement: String, _ dialect: Dialect = .mysql) {
        guard let tokens = try? SQLLexer.tokens(of: statement, dialect) else { return nil }
        let bytes = Array(statement.utf8)
        words = tokens.filter { $0.kind != .blank && $0.kind != .comment }.map {
            Word(kind: $0.kind, text: String(decoding: bytes[$0.range], as: UTF8.self))
        }
    }

    var isAtEnd: Bool { position == words.count }

    /// The next word in upper case.
    mutating func next() -> String? {
        guard position < words.count, words[position].kind == .word else { return nil }
        defer { position += 1 }
        return words[position].text.uppercased()
    }

    mutating func skip(_ keyword: String) -> Bool {
        guard position < words.count, words[position].kind == .word,
            words[position].text.uppercased() == keyword
        else { return false }
        position += 1
        return true
    }

    /// Whether the next word is one of these keywords.
    func begins(withAnyOf keywords: Set<String>) -> Bool {
        position < words.count && words[position].kind == .word && keywords.contains(words[position].text.uppercased())
    }

    mutating func skipIfExists() {
        guard skip("IF") else { return }
        _ = skip("NOT")
        _ = skip("EXISTS")
    }

    /// A plain or quoted name; nil when another database is named as well.
    mutating func name() -> String? {
        guard position < words.count, words[position].kind == .word || words[position].kind == .quotedName,
            position + 1 == words.count || words[position + 1].text != "."
        else { return nil }
        let word = words[position]
        position += 1
        guard word.kind == .quotedName, let quote = word.text.last else { return word.text }
        return String(word.text.dropFirst().dropLast()).replacing("\(quote)\(quote)", with: "\(quote)")
    }

    /// A column's name after `ADD` or `DROP`, with or without the word COLUMN; nil when it is another kind of change.
    mutating func columnName() -> String? {
        let isSaid = skip("COLUMN")
        skipIfExists()
        let others: Set = [
            "PRIMARY", "UNIQUE", "FOREIGN", "CHECK", "FULLTEXT", "SPATIAL", "PARTITION", "PERIOD", "SYSTEM",
            "CONSTRAINT", "INDEX", "KEY",
        ]
        return isSaid || !begins(withAnyOf: others) ? name() : nil
    }

    func contains(_ keyword: String) -> Bool {
        words.contains { $0.kind == .word && $0.text.uppercased() == keyword }
    }

    /// Whether these keywords follow each other somewhere.
    func contains(_ keywords: [String]) -> Bool {
        let texts = words.map { $0.kind == .word ? $0.text.uppercased() : "" }
        return texts.indices.contains { texts[$0...].starts(with: keywords) }
    }

    /// Whether what stands behind a keyword is a value that is written out: a text, a number, NULL, TRUE or FALSE. Nil when
    /// the keyword is not there.
    func hasConstant(after keyword: String) -> Bool? {
        guard let index = words.firstIndex(where: { $0.kind == .word && $0.text.uppercased() == keyword }) else {
            return nil
        }
        let value = words[(index + 1)...].first { !["-", "+"].contains($0.text) }
        guard let value, value.kind != .string else { return value != nil }
        let isNumber = value.text.first.map { $0.isASCII && $0.isNumber || $0 == "." } ?? false
        return isNumber || ["NULL", "TRUE", "FALSE"].contains(value.text.uppercased())
    }

    /// What is left, cut at its commas: the changes of an ALTER TABLE, without `ALGORITHM = …` and `LOCK = …`.
    func changes() -> [StatementWords] {
        var depth = 0
        var parts: [[Word]] = [[]]
        for word in words[position...] {
            if word.text == "(" { depth += 1 }
            if word.text == ")" { depth -= 1 }
            if word.text == ",", depth == 0 { parts.append([]) } else { parts[parts.count - 1].append(word) }
        }
        parts.removeAll { ["ALGORITHM", "LOCK"].contains($0.first?.text.uppercased()) }
        return parts.map(StatementWords.init(words:))
    }

    private init(words: [Word]) {
        self.words = words
    }
}
