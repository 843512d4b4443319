import Testing

@testable import DBDriver

@Suite("Migration folder")
struct MigrationFolderTests {
    private static let header = "-- phase: expand\n"

    private func error(_ files: [(path: String, text: String)]) -> String? {
        do throws(MigrationError) {
            _ = try MigrationFolder(files: files, dialect: .mysql)
            return nil
        } catch {
            return error.description
        }
    }

    @Test("An engine's own script comes before nothing, and one text may serve both engines")
    func reads() throws {
        let files = [
            (path: "0002_more/up.sql", text: Self.header + "CREATE TABLE b (id INT);"),
            (path: "0002_more/down.sql", text: "DROP TABLE b;"),
            (path: "0001_things/up.mysql.sql", text: Self.header + "CREATE TABLE a (id INT) ENGINE = InnoDB;"),
            (path: "0001_things/up.sqlite.sql", text: Self.header + "CREATE TABLE a (id INTEGER) STRICT;"),
            (path: "0001_things/down.sql", text: "DROP TABLE a;"),
        ]
        let mysql = try MigrationFolder(files: files, dialect: .mysql)
        let sqlite = try MigrationFolder(files: files, dialect: .sqlite)
        #expect(mysql.migrations.map(\.label) == ["0001_things", "0002_more"])
        #expect(mysql.latest == 2)
        #expect(mysql.migrations[0].up.statements.map(\.text) == ["CREATE TABLE a (id INT) ENGINE = InnoDB"])
        #expect(sqlite.migrations[0].up.statements.map(\.text) == ["CREATE TABLE a (id INTEGER) STRICT"])
        #expect(sqlite.migrations[1].up.path == "0002_more/up.sql")
        #expect(mysql.migrations[0].up.checksum != sqlite.migrations[0].up.checksum)
        #expect(mysql.migrations[1].up.checksum == sqlite.migrations[1].up.checksum)
    }

    @Test("An empty folder has no migrations")
    func empty() throws {
        #expect(try MigrationFolder(files: [], dialect: .mysql).latest == 0)
    }

    @Test(
        "A path of another form is refused",
        arguments: [
            "up.sql", "0001_a/up.sql/x", "1_a/up.sql", "001_a/up.sql", "00001_a/up.sql", "0000_a/up.sql", "0001/up.sql",
            "0001_/up.sql", "0001_A/up.sql", "0001_a__b/up.sql", "0001_a-b/up.sql", "0001_é/up.sql", "0001_a/UP.sql",
            "0001_a/up.postgres.sql", "0001_a/notes.txt", "0001_a/up.mysql.sql ", "٠٠٠١_a/up.sql", "/0001_a/up.sql",
        ]
    )
    func paths(_ path: String) {
        #expect(error([(path: path, text: "SELECT 1")])?.contains("not a migration file") == true)
    }

    @Test("Versions must be numbered from 0001 without gaps and without doubles")
    func numbering() {
        let one = (path: "0001_a/up.sql", text: Self.header + "SELECT 1;")
        let oneDown = (path: "0001_a/down.sql", text: "SELECT 1;")
        let three = (path: "0003_c/up.sql", text: Self.header + "SELECT 1;")
        #expect(error([one, oneDown, three])?.contains("no migration 0002") == true)
        #expect(error([three])?.contains("no migration 0001") == true)
        #expect(error([one, oneDown, (path: "0001_b/up.sql", text: "")])?.contains("(0001_a, 0001_b)") == true)
    }

    @Test("Each version needs up and down for both engines")
    func bothEngines() {
        let up = (path: "0001_a/up.sql", text: Self.header + "SELECT 1;")
        let mysqlUp = (path: "0001_a/up.mysql.sql", text: Self.header + "SELECT 1;")
        let mysqlDown = (path: "0001_a/down.mysql.sql", text: "SELECT 1;")
        #expect(error([up])?.contains("0001_a/down.mysql.sql is missing") == true)
        #expect(error([up, mysqlDown])?.contains("0001_a/down.sqlite.sql is missing") == true)
        #expect(error([mysqlUp, mysqlDown])?.contains("0001_a/up.sqlite.sql is missing") == true)
        #expect(error([up, mysqlUp, mysqlDown])?.contains("0001_a/up.sql must not be there") == true)
    }

    @Test("A script for exactly the server comes first, then that of its dialect, then the one for all")
    func particularServers() throws {
        let own = ["mysql", "sqlite", "mariadb", "mysql8"].flatMap { engine in
            [
                (path: "0001_a/up.\(engine).sql", text: Self.header + "SELECT '\(engine)';"),
                (path: "0001_a/down.\(engine).sql", text: "SELECT 'down \(engine)';"),
            ]
        }
        let shared = [
            (path: "0002_b/up.sql", text: Self.header + "SELECT 'all';"),
            (path: "0002_b/down.sql", text: "SELECT 'down';"),
            (path: "0002_b/up.mariadb.sql", text: Self.header + "SELECT 'mariadb';"),
        ]
        func texts(_ server: ServerProduct) throws -> [String] {
            let folder = try MigrationFolder(files: own + shared, dialect: server.dialect).on(server)
            return folder.migrations.flatMap { [$0.up, $0.down] }.compactMap { script in
                script.map { "\($0.engine): \($0.statements[0].text)" }
            }
        }
        #expect(
            try texts(.mariadb) == [
                "mariadb: SELECT 'mariadb'", "mariadb: SELECT 'down mariadb'", "mariadb: SELECT 'mariadb'",
                "mysql: SELECT 'down'",
            ]
        )
        #expect(
            try texts(.mysql) == [
                "mysql8: SELECT 'mysql8'", "mysql8: SELECT 'down mysql8'", "mysql: SELECT 'all'",
                "mysql: SELECT 'down'",
            ]
        )
        #expect(
            try texts(.other) == [
                "mysql: SELECT 'mysql'", "mysql: SELECT 'down mysql'", "mysql: SELECT 'all'", "mysql: SELECT 'down'",
            ]
        )
        #expect(
            try texts(.sqlite) == [
                "sqlite: SELECT 'sqlite'", "sqlite: SELECT 'down sqlite'", "sqlite: SELECT 'all'",
                "sqlite: SELECT 'down'",
            ]
        )
        #expect(error(Array(own.dropFirst(2)))?.contains("0001_a/up.mysql.sql is missing") == true)
        let wrong = (path: "0002_b/up.mysql8.sql", text: "-- phase: data\nSELECT 1;")
        #expect(error(own + shared + [wrong])?.contains("different headers") == true)
    }

    @Test("An irreversible migration says why and has no down script")
    func irreversible() throws {
        let up = (path: "0001_a/up.sql", text: Self.header + "-- irreversible: the rows are gone\nDROP TABLE t;")
        let folder = try MigrationFolder(files: [up], dialect: .sqlite)
        #expect(folder.migrations[0].header.irreversible == "the rows are gone")
        #expect(folder.migrations[0].down == nil)
        #expect(error([up, (path: "0001_a/down.sql", text: "SELECT 1;")])?.contains("irreversible") == true)
    }

    @Test("Headers stand before the first statement, among other comments")
    func headers() throws {
        let text = """
            -- Roles. Note: this is prose.

            -- phase: contract
            -- min-app: 12
            -- long: true
            -- idempotent: true
            DROP TABLE t;
            -- unknown: too late to matter
            """
        let header = try MigrationHeader(path: "x", text: text)
        #expect(header.phase == .contract)
        #expect(header.minApp == 12)
        #expect(header.isLong)
        #expect(header.isIdempotent)
        #expect(header.irreversible == nil)
    }

    @Test(
        "A wrong header is refused with its line",
        arguments: [
            ("SELECT 1;", 1, "say '-- phase"),
            ("-- phase: later\n", 1, "not 'later'"),
            ("-- phase: expand\n-- color: red\n", 2, "unknown header 'color'"),
            ("-- phase: expand\n\n-- phase: expand\n", 3, "twice"),
            ("-- phase: expand\n-- long: yes\n", 2, "not 'yes'"),
            ("-- phase: expand\n-- idempotent:\n", 2, "not ''"),
            ("-- phase: expand\n-- irreversible:\n", 2, "say why"),
            ("-- phase: expand\n-- min-app: 3\n", 1, "belongs to '-- phase: contract'"),
            ("-- phase: contract\n", 1, "belongs to '-- phase: contract'"),
            ("-- phase: contract\n-- min-app: 0\n", 2, "not '0'"),
            ("-- phase: expand\n-- irreversible : gone\n", 2, "write this header as '-- irreversible: …'"),
            ("-- phase: expand\n-- Idempotent: true\n", 2, "write this header as '-- idempotent: …'"),
            ("-- phase: contract\n-- min_app: 3\n", 2, "write this header as '-- min-app: …'"),
            ("--  phase: expand\n", 1, "write this header as '-- phase: …'"),
            ("--phase: expand\n", 1, "write this header as '-- phase: …'"),
        ]
    )
    func badHeaders(_ text: String, _ line: Int, _ part: String) {
        let files = [(path: "0001_a/up.sql", text: text + "SELECT 1;"), (path: "0001_a/down.sql", text: "SELECT 1;")]
        let message = error(files)
        #expect(message?.hasPrefix("0001_a/up.sql:\(line): ") == true, "\(message ?? "no error")")
        #expect(message?.contains(part) == true, "\(message ?? "no error")")
    }

    @Test("The headers of both engines must say the same")
    func headersAgree() {
        let files = [
            (path: "0001_a/up.mysql.sql", text: Self.header + "SELECT 1;"),
            (path: "0001_a/up.sqlite.sql", text: "-- phase: data\nSELECT 1;"),
            (path: "0001_a/down.sql", text: "SELECT 1;"),
        ]
        #expect(error(files)?.contains("different headers") == true)
    }

    @Test(
        "A script without a statement, with a NUL or with a wrong statement is refused with its line, for either engine"
    )
    func badScripts() {
        for (text, expected) in [
            ("-- nothing here\n", "0001_a/down.sqlite.sql:1: there is no statement"),
            ("SELECT 1;\n\nSELECT '\u{0}';\n", "0001_a/down.sqlite.sql:3: a NUL character"),
            ("SELECT 1;\nCOMMIT;\n", "0001_a/down.sqlite.sql:2: COMMIT"),
        ] {
            let files = [
                (path: "0001_a/up.sql", text: Self.header + "SELECT 1;"),
                (path: "0001_a/down.mysql.sql", text: "SELECT 1;"),
                (path: "0001_a/down.sqlite.sql", text: text),
            ]
            #expect(error(files)?.hasPrefix(expected) == true)
        }
    }

    @Test("The checksum is SHA-256 over the canonical text, under the name v1")
    func checksum() throws {
        let script = try MigrationScript(path: "x", text: "SELECT 1;", dialect: .mysql)
        // printf 'SELECT 1;\n' | sha256sum
        #expect(script.checksum == "v1:b4e0497804e46e0a0b0b8c31975b062152d551bac49c3c2e80932567b4085dcd")
    }

    @Test(
        "Byte order mark, line ends, trailing blanks and trailing lines do not change the checksum",
        arguments: [
            "\u{feff}SELECT 1,\n  2;\n", "SELECT 1,\r\n  2;\r\n", "SELECT 1,\r  2;\r", "SELECT 1,  \n  2;\t\n",
            "SELECT 1,\n  2;", "SELECT 1,\n  2;\n\n \n\t\n",
        ]
    )
    func canonical(_ text: String) {
        #expect(MigrationScript.canonical(text) == "SELECT 1,\n  2;\n")
    }

    @Test(
        "Everything else changes it: inner blanks, comments, letters",
        arguments: ["select 1;", "SELECT  1;", "SELECT 1; --x", "\nSELECT 1;"]
    )
    func sensitive(_ text: String) {
        #expect(MigrationScript.canonical(text) != MigrationScript.canonical("SELECT 1;"))
    }
}
