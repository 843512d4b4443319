internal import ArgumentParser
internal import DBDriver
internal import Foundation
internal import MCP

/// `mcp-registry migrate new`
struct MigrateNewCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "new",
        abstract: "Make the files of the next migration.",
        discussion: "In --dir, by default ./Migrations. The files say what goes into them."
    )

    /// Where migrations are in a checkout of this project.
    private static let folder = "Migrations"

    @OptionGroup var options: MigrateOptions

    @Argument(help: "Its name in snake_case, such as user_notes.")
    var name: String

    func run() throws {
        let folder = options.dir ?? Self.folder
        let files = try options.configured { try MigrationFiles.readIfAny(folder) }
        let version: Int
        do throws(MigrationError) {
            version = try MigrationFolder(files: files, dialect: .mysql).latest + 1
            let drafts = Self.drafts(version, name)
            // Whatever is wrong with the name shows here, before anything is written.
            _ = try MigrationFolder(files: files + drafts.map { ($0.path, $0.text + "statement;\n") }, dialect: .mysql)
        } catch {
            throw options.failure("\(error)", error.exitCode)
        }
        let drafts = Self.drafts(version, name)
        do {
            let root = URL(filePath: folder, directoryHint: .isDirectory)
            for draft in drafts {
                let file = root.appending(path: draft.path)
                try FileManager.default.createDirectory(
                    at: file.deletingLastPathComponent(),
                    withIntermediateDirectories: true
                )
                try Data(draft.text.utf8).write(to: file, options: .withoutOverwriting)
            }
        } catch {
            throw options.failure("the files could not be written to \(folder)", 1)
        }
        let paths = drafts.map { "\(folder)/\($0.path)" }
        try options.show(paths.joined(separator: "\n"), ["files": .array(paths.map(JSONValue.string))])
    }

    private static func drafts(_ version: Int, _ name: String) -> [(path: String, text: String)] {
        let folder = String(format: "%04d_", version) + name
        let up = """
            -- phase: expand
            -- Say here what this migration is for. CONTRIBUTING.md lists the headers, such as the one above.


            """
        let down = "-- Takes back what up did.\n\n"
        return ["mysql", "sqlite"].flatMap { engine in
            [("\(folder)/up.\(engine).sql", up), ("\(folder)/down.\(engine).sql", down)]
        }
    }
}
