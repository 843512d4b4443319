internal import DBDriver
internal import Foundation

/// A folder of migrations on disk.
enum MigrationFiles {
    /// All `.sql` files up to one folder deep; what else is there does not count.
    ///
    /// - Returns: path inside the folder, with `/` between its parts, and text of each.
    /// - Throws: ``ConfigurationError`` when there are none, or when what looks like one can't be read;
    ///   ``MigrationError/badScript(path:line:problem:)`` for a text that is not UTF-8.
    static func read(_ folder: String) throws -> [(path: String, text: String)] {
        let files = try readIfAny(folder)
        guard !files.isEmpty else {
            throw ConfigurationError(message: "--dir \(folder): there are no migrations in this folder")
        }
        return files
    }

    /// The same for a folder that may have none yet.
    static func readIfAny(_ folder: String) throws -> [(path: String, text: String)] {
        guard !folder.isEmpty else { throw ConfigurationError(message: "--dir is empty: name a folder") }
        var files: [(path: String, text: String)] = []
        for entry in try names(in: folder) {
            let path = "\(folder)/\(entry)"
            guard isFolder(path) else {
                if isScript(entry) { files.append((entry, try text(of: path))) }
                continue
            }
            let scripts = try names(in: path).filter(isScript)
            guard !scripts.isEmpty || !looksLikeMigration(entry) else {
                throw ConfigurationError(message: "\(path): there is no .sql file in this folder")
            }
            for file in scripts { files.append(("\(entry)/\(file)", try text(of: "\(path)/\(file)"))) }
        }
        return files
    }

    /// Also with capitals: such a file is wrong, but not to be overlooked.
    private static func isScript(_ name: String) -> Bool {
        name.lowercased().hasSuffix(".sql")
    }

    /// E.g. `0012_notes`.
    private static func looksLikeMigration(_ folder: String) -> Bool {
        let digits = folder.prefix { $0.isASCII && $0.isNumber }
        return digits.count >= 4 && folder.dropFirst(digits.count).first == "_"
    }

    /// Follows links.
    private static func isFolder(_ path: String) -> Bool {
        let target = URL(filePath: path).resolvingSymlinksInPath()
        return (try? target.resourceValues(forKeys: [.isDirectoryKey]).isDirectory) == true
    }

    private static func names(in folder: String) throws(ConfigurationError) -> [String] {
        do {
            return try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
        } catch {
            throw ConfigurationError(message: "--dir \(folder): there is no such folder, or it may not be read")
        }
    }

    private static func text(of file: String) throws -> String {
        guard let data = FileManager.default.contents(atPath: file) else {
            throw ConfigurationError(message: "\(file) may not be read")
        }
        guard let text = String(validating: data, as: UTF8.self) else {
            throw MigrationError.badScript(path: file, line: 1, problem: "this is not UTF-8: save it as UTF-8")
        }
        return text
    }
}
