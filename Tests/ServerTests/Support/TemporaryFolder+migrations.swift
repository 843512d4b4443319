import Foundation

extension TemporaryFolder {
    /// Writes the files of migrations into a folder of their own.
    ///
    /// - Returns: its path, as `--dir` takes it.
    func migrations(_ files: [(path: String, text: String)], in name: String = "migrations") throws -> String {
        let root = url.appending(path: name)
        try FileManager.default.createDirectory(at: root, withIntermediateDirectories: true)
        for (path, text) in files {
            let file = root.appending(path: path)
            try FileManager.default.createDirectory(
                at: file.deletingLastPathComponent(),
                withIntermediateDirectories: true
            )
            try Data(text.utf8).write(to: file)
        }
        return root.path
    }
}

extension Deployment {
    /// Runs `mcp-registry migrate …`.
    func migrate(_ arguments: String..., settings more: [String: String] = [:]) async throws -> Program.Ended {
        try await Program.run(["migrate"] + arguments, in: folder, settings.merging(more) { $1 })
    }
}

/// Three migrations for both engines, of a table each.
let smallMigrations = ["a", "b", "c"].enumerated().flatMap { index, table in
    [
        (
            path: "000\(index + 1)_\(table)/up.sql",
            text: "-- phase: expand\nCREATE TABLE \(table) (id INT NOT NULL PRIMARY KEY);\n"
        ),
        (path: "000\(index + 1)_\(table)/down.sql", text: "DROP TABLE \(table);\n"),
    ]
}
