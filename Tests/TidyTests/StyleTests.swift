import Testing

/// Rules of CONTRIBUTING.md that neither the compiler nor the formatter keeps.
@Suite("Style")
struct StyleTests {
    private static let linesMax = 400

    /// The only places that handle raw memory: the engines' sessions, the threads they run on, the secrets' bytes,
    /// and the C library's addresses.
    private static let unsafePlaces = [
        "Sources/DBDriver/MariaDB/", "Sources/DBDriver/SQLite/", "Sources/DBDriver/Connection.swift",
        "Sources/DBDriver/ConnectionThread.swift", "Sources/DBDriver/Timestamp.swift",
        "Sources/DBDriver/Migration/MigrationProgress.swift", "Sources/Registry/Credentials/KeyRing.swift",
        "Sources/Registry/Credentials/Secret.swift", "Sources/Registry/RandomBytes.swift",
        "Sources/Registry/Credentials/TokenVault.swift",
        "Sources/Server/Outbound/AddressResolver.swift", "Sources/Server/ProcessHygiene.swift",
        "Sources/Server/Outbound/IPAddress.swift", "Sources/Server/HTTP/Connection/EventLoopExecutor.swift",
    ]

    private static func sources() throws -> [SourceTree.File] {
        try SourceTree.swiftFiles("Sources") + SourceTree.swiftFiles("Migrations") + SourceTree.swiftFiles("Plugins")
    }

    @Test("no file is longer than 400 lines")
    func length() throws {
        for file in try Self.sources() {
            #expect(file.lines.count <= Self.linesMax + 1, "\(file) holds two ideas")
        }
    }

    @Test("nothing traps by try! or as!")
    func traps() throws {
        for file in try Self.sources()
            + SourceTree.swiftFiles("Tests").filter({ !$0.path.hasPrefix("Tests/TidyTests/") })
        {
            for line in file.code where line.text.contains("try!") || line.text.contains("as!") {
                Issue.record("\(file):\(line.number): \(line.text)")
            }
        }
    }

    @Test("unsafe stands only where raw memory is handled")
    func unsafe() throws {
        for file in try Self.sources() where !Self.unsafePlaces.contains(where: file.path.hasPrefix) {
            for line in file.code where line.text.split(whereSeparator: { !$0.isLetter }).contains("unsafe") {
                Issue.record("\(file):\(line.number): \(line.text)")
            }
        }
    }

    @Test("every @unchecked Sendable has its proof in the comment above it")
    func uncheckedSendable() throws {
        for file in try Self.sources() {
            for line in file.code where line.text.contains("@unchecked Sendable") {
                let above = file.lines[..<(line.number - 1)].reversed().prefix { $0.contains("//") }.joined()
                #expect(above.contains("unchecked Sendable"), "\(file):\(line.number)")
            }
        }
    }

    @Test("no reminder is left without a reason")
    func reminders() throws {
        for file in try Self.sources() {
            for (index, line) in file.lines.enumerated() {
                for word in ["TODO", "FIXME", "HACK"] where line.contains(word) {
                    #expect(line.contains(word + ": "), "\(file):\(index + 1)")
                }
            }
        }
    }

    @Test("SQL is written in DBDriver and in the registry's tables only")
    func statements() throws {
        let words = ["SELECT ", "INSERT ", "UPDATE ", "DELETE FROM", "CREATE TABLE"]
        let files = try SourceTree.swiftFiles("Sources").filter { file in
            let isTable = file.path.hasPrefix("Sources/Registry/") && file.path.hasSuffix("Table.swift")
            return !isTable && !file.path.hasPrefix("Sources/DBDriver/")
                && file.path != "Sources/Registry/CatalogRevision.swift"
        }
        #expect(files.count > 50)
        for file in files {
            for line in file.code where words.contains(where: line.text.contains) {
                Issue.record("\(file):\(line.number): \(line.text)")
            }
        }
    }

    @Test("every query names its columns: a server before an ALTER TABLE and one after it run the same text")
    func columns() throws {
        for file in try SourceTree.swiftFiles("Sources") {
            for line in file.code where line.text.contains("SELECT *") || line.text.contains(".* FROM") {
                Issue.record("\(file):\(line.number): \(line.text)")
            }
        }
    }

    @Test("both engines' scripts of every migration are there")
    func migrations() throws {
        let versions = try SourceTree.entries("Migrations").filter { !$0.hasSuffix(".swift") }
        #expect(!versions.isEmpty)
        for version in versions {
            let files = try SourceTree.entries("Migrations/" + version)
            for direction in ["up", "down"] {
                let own = files.filter { $0.hasPrefix(direction + ".") }
                #expect(
                    own == [direction + ".mysql.sql", direction + ".sqlite.sql"] || own == [direction + ".sql"],
                    "\(version): \(files)"
                )
            }
        }
    }
}
