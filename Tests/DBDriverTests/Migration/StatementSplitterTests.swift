import Testing

@testable import DBDriver

@Suite("Statement splitter")
struct StatementSplitterTests {
    private func split(_ text: String, _ dialect: Dialect = .mysql) throws -> [String] {
        try StatementSplitter.split(text, dialect).compactMap(\.statement?.text)
    }

    private func problem(_ text: String, _ dialect: Dialect = .mysql) -> ScriptProblem? {
        do throws(ScriptProblem) {
            _ = try StatementSplitter.split(text, dialect)
            return nil
        } catch {
            return error
        }
    }

    @Test("Statements end at semicolons; the last one may lack it", arguments: Dialect.allCases)
    func plain(_ dialect: Dialect) throws {
        #expect(try split("SELECT 1;SELECT 2 ;\n\n SELECT\n3\n", dialect) == ["SELECT 1", "SELECT 2", "SELECT\n3"])
        #expect(try split(" ; ;\n", dialect).isEmpty)
    }

    @Test("Comments around a statement are dropped, those inside stay, and the line is the statement's own")
    func comments() throws {
        let pieces = try StatementSplitter.split("-- a; b\n/* c; */\nSELECT /* ; */ 1 -- d\n;\n-- e\n", .sqlite)
        #expect(pieces.compactMap(\.statement) == [.init(text: "SELECT /* ; */ 1", line: 3)])
        #expect(pieces.count == 2)
    }

    @Test(
        "Nothing splits inside quotes",
        arguments: [
            (Dialect.mysql, #"SELECT 'a;''b;'"#), (.mysql, #"SELECT 'a\';b'"#), (.mysql, #"SELECT "a\";b""#),
            (.mysql, #"SELECT `a;``b`"#), (.mysql, #"SELECT `a\`"#), (.mysql, #"SELECT '-- ;', "/*;", '#;'"#),
            (.sqlite, #"SELECT 'a;''b;'"#), (.sqlite, #"SELECT 'a\'"#), (.sqlite, #"SELECT "a;""b""#),
            (.sqlite, #"SELECT [a;'b]"#), (.sqlite, #"SELECT `a;``b`"#), (.sqlite, "SELECT '😀;é'"),
        ]
    )
    func quotes(_ dialect: Dialect, _ statement: String) throws {
        #expect(try split(statement + ";SELECT 2;", dialect) == [statement, "SELECT 2"])
    }

    @Test("Each engine has its own comments")
    func ownComments() throws {
        #expect(try split("SELECT 1 # ;\n;SELECT 2;", .mysql) == ["SELECT 1", "SELECT 2"])
        #expect(try split("SELECT 5--1;SELECT 2;", .mysql) == ["SELECT 5--1", "SELECT 2"])
        #expect(try split("SELECT 5--1;\n;SELECT 2;", .sqlite) == ["SELECT 5", "SELECT 2"])
    }

    @Test("A comment that MySQL runs is part of the statement")
    func executableComments() throws {
        #expect(try split("/*!50100 SELECT ';' ; 2 */;SELECT 3;") == ["/*!50100 SELECT ';' ; 2 */", "SELECT 3"])
        #expect(try split("/*M!100100 SELECT '*/;' */;SELECT 3;") == ["/*M!100100 SELECT '*/;' */", "SELECT 3"])
        #expect(try split("SELECT /*+ x; */ 1; SELECT 2") == ["SELECT /*+ x; */ 1", "SELECT 2"])
        #expect(problem("/*!50100 COMMIT */;")?.problem.hasPrefix("COMMIT") == true)
    }

    @Test("SQLite's triggers stay whole, also with CASE … END inside")
    func triggers() throws {
        let trigger = """
            CREATE TEMP TRIGGER t AFTER INSERT ON a BEGIN
              UPDATE b SET n = CASE WHEN 1 THEN 2 END;
              DELETE FROM c;
            END
            """
        #expect(try split(trigger + ";SELECT 1;", .sqlite) == [trigger, "SELECT 1"])
        #expect(try split("CREATE TABLE trigger_x (id INT);SELECT 1;", .sqlite).count == 2)
    }

    @Test("Nothing splits between block markers", arguments: Dialect.allCases)
    func blocks(_ dialect: Dialect) throws {
        let body = "CREATE PROCEDURE p()\nBEGIN\n  SELECT 1;\n  SELECT 2;\nEND"
        let text = "SELECT 0;\n-- statement:begin\n\(body);\n-- statement:end\nSELECT 3;\n"
        #expect(try split(text, dialect) == ["SELECT 0", body, "SELECT 3"])
    }

    @Test(
        "Markers, quotes and comments without their other half are refused with the line they start on",
        arguments: [
            ("SELECT 1;\n-- statement:begin\nSELECT 2;", 2), ("SELECT 1;\n-- statement:end\n", 2),
            ("SELECT\n-- statement:begin\n", 2), ("-- statement:begin\n-- statement:begin\n", 2),
            ("SELECT 1;\n\nSELECT 'a\n", 3), ("SELECT `a\n", 1), ("SELECT \"a", 1), ("\n/* a\n", 2), ("/*", 1),
            ("/*/", 1),
            ("SELECT 'a\\", 1), ("/*! a", 1), ("/*! /*! */", 1),
        ]
    )
    func unterminated(_ text: String, _ line: Int) {
        #expect(problem(text)?.line == line)
    }

    @Test(
        "Statements that a migration must not have are refused",
        arguments: [
            "BEGIN", "start transaction", "COMMIT", "END", "ROLLBACK", "SAVEPOINT a", "RELEASE a", "XA START 'x'",
            "USE other",
            "ATTACH 'x' AS y", "DETACH y", "SET GLOBAL x = 1", "SET NAMES latin1", "PRAGMA foreign_keys = OFF",
            "LOCK TABLES a WRITE", "UNLOCK TABLES", "FLUSH TABLES", "GRANT ALL ON a TO b", "REVOKE ALL ON a FROM b",
            "VACUUM",
            "CREATE USER a IDENTIFIED BY 'x'", "create or replace user a", "ALTER USER a IDENTIFIED BY 'x'",
            "DROP ROLE a",
            "DROP DATABASE a", "CREATE SCHEMA a", "DELIMITER $$", "/* x */ Commit", "()",
        ]
    )
    func refused(_ statement: String) {
        for dialect in Dialect.allCases {
            #expect(problem("SELECT 1;\n\(statement);", dialect)?.line == 2)
        }
    }

    @Test("A MySQL routine without markers is refused, and told about them")
    func routine() {
        let found = problem("CREATE TRIGGER t BEFORE INSERT ON a FOR EACH ROW BEGIN\nUPDATE b SET n = 1;\nEND;")
        #expect(found?.line == 3)
        #expect(found?.problem.contains("statement:begin") == true)
    }
}

@Suite("Statement splitter, random texts")
struct StatementSplitterFuzzTests {
    @Test("Scripts built from known statements come apart as they were put together", arguments: Dialect.allCases)
    func constructed(_ dialect: Dialect) throws {
        var random = SeededGenerator(seed: 2_026)
        for _ in 0..<3_000 {
            let statements = (0..<Int.random(in: 1...4, using: &random)).map { _ in statement(dialect, &random) }
            var script = ""
            for statement in statements {
                script += filler(dialect, &random) + statement + filler(dialect, &random) + ";"
            }
            script = MigrationScript.canonical(script + filler(dialect, &random))
            let pieces = try StatementSplitter.split(script, dialect)
            #expect(pieces.map(\.source).joined() == script)
            #expect(pieces.compactMap(\.statement?.text) == statements, "\(script)")
        }
    }

    @Test(
        "Any text is refused or comes apart without loss, and a statement alone stays itself",
        arguments: Dialect.allCases
    )
    func arbitrary(_ dialect: Dialect) throws {
        let parts = [
            "'", "\"", "`", ";", ";", "-", "--", "-- ", "#", "/", "*", "/*", "*/", "/*!", "\\", "\n", " ", "[", "]",
            "a", "é", "😀",
            "END", "SELECT ", "CREATE TRIGGER ", "\n-- statement:begin\n", "\n-- statement:end\n", "(", ")", "\u{0}",
            "\r\n",
        ]
        var random = SeededGenerator(seed: 11_23)
        var accepted = 0
        for _ in 0..<5_000 {
            let length = Int.random(in: 0...12, using: &random)
            let text = (0..<length).reduce("SELECT ") { text, _ in text + (parts.randomElement(using: &random) ?? "") }
            let script = MigrationScript.canonical(text)
            let pieces: [StatementSplitter.Piece]
            do throws(ScriptProblem) {
                pieces = try StatementSplitter.split(script, dialect)
            } catch {
                continue
            }
            accepted += 1
            #expect(Array(pieces.map(\.source).joined().utf8) == Array(script.utf8))
            guard !script.contains("statement:begin") else { continue }
            for statement in pieces.compactMap(\.statement?.text) {
                let again = try StatementSplitter.split(statement, dialect)
                #expect(again.map(\.statement?.text) == [statement], "\(script)")
            }
        }
        #expect(accepted > 500)
    }

    private func statement(_ dialect: Dialect, _ random: inout SeededGenerator) -> String {
        var atoms = [
            "a1", "(x, y)", "'it''s; ok'", "'-- ;'", "'/*;'", "`q;``r`", "1.5", "=", "/* in; ner */", "'é;😀'", "''",
        ]
        switch dialect {
        case .mysql: atoms += [#"'\';'"#, #""d;\"e""#, #"'\\'"#, "/*+ hint; */", "/*!50000 x ; y */", "5--1", "`b\\`"]
        case .sqlite: atoms += [#""d;""e""#, #"'\'"#, "[f;'g]", "#"]
        }
        let count = Int.random(in: 0...6, using: &random)
        let middle = (0..<count).map { _ in atoms.randomElement(using: &random) ?? "" }
        return (["SELECT"] + middle + ["z"]).joined(separator: Bool.random(using: &random) ? " " : "\n")
    }

    private func filler(_ dialect: Dialect, _ random: inout SeededGenerator) -> String {
        let fillers = ["", " ", "\n", "\n-- c; '\n", "/* d; \" */", dialect == .mysql ? "\n# e; `\n" : "\n--f; '\n"]
        return " " + (fillers.randomElement(using: &random) ?? "")
    }
}

/// The same numbers at every run (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var value = state
        value = (value ^ (value >> 30)) &* 0xbf58_476d_1ce4_e5b9
        value = (value ^ (value >> 27)) &* 0x94d0_49bb_1331_11eb
        return value ^ (value >> 31)
    }
}
