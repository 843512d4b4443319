import Foundation
import TestSupport
import Testing

@testable import Server

@Suite("Folders of migrations", .timeLimit(.minutes(5)))
struct MigrateFolderTests {
    private static let commands = [["up"], ["lint"], ["status"], ["verify"], ["plan"], ["diff"]]

    /// Each command that reads files must refuse the folder.
    private func expectRefusal(_ dir: String, in folder: TemporaryFolder, _ part: String, code: Int32 = 2) async throws
    {
        for command in Self.commands {
            let ended = try await Program.run(["migrate"] + command + ["--dir", dir], in: folder)
            #expect(ended.exitCode == code, "\(command): \(ended.errors)")
            #expect(ended.errors.contains(part), "\(command): \(ended.errors)")
        }
        #expect(!(try folder.entries().contains("dev.db")))
    }

    @Test("a folder without migrations is an error, never 'all well'")
    func empty() async throws {
        try await TemporaryFolder.with { folder in
            try FileManager.default.createDirectory(
                at: folder.url.appending(path: "empty/notes"),
                withIntermediateDirectories: true
            )
            try await expectRefusal("empty", in: folder, "there are no migrations in this folder")
            try await expectRefusal("", in: folder, "--dir is empty: name a folder")
        }
    }

    @Test("a numbered folder without a script is an error")
    func numberedButEmpty() async throws {
        try await TemporaryFolder.with { folder in
            let dir = try folder.migrations(smallMigrations)
            let file = folder.url.appending(path: "migrations/0004_d/up.txt")
            try FileManager.default.createDirectory(
                at: file.deletingLastPathComponent(),
                withIntermediateDirectories: true
            )
            try Data().write(to: file)
            try await expectRefusal(dir, in: folder, "0004_d: there is no .sql file in this folder")
        }
    }

    @Test("a script in capitals is refused rather than overlooked")
    func capitals() async throws {
        try await TemporaryFolder.with { folder in
            let dir = try folder.migrations(smallMigrations + [(path: "0003_c/down.SQLITE.SQL", text: "DROP TABLE c;")])
            try await expectRefusal(dir, in: folder, "0003_c/down.SQLITE.SQL: not a migration file", code: 1)
        }
    }

    @Test("a link to a folder is as good as the folder")
    func link() async throws {
        try await TemporaryFolder.with { folder in
            let dir = try folder.migrations(smallMigrations)
            for (link, target) in [("linked", dir), ("migrations/0004_d", dir + "/0001_a")] {
                try FileManager.default.createSymbolicLink(
                    atPath: folder.url.appending(path: link).path,
                    withDestinationPath: target
                )
            }
            let up = try await Program.run(["migrate", "plan", "--dir", "linked"], in: folder)
            #expect(up.output.contains("-- 0004_d up (expand)\n"), "\(up.errors)")
        }
    }
}
