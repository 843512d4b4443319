internal import DBDriver
internal import Foundation

/// A folder of migrations on disk.
enum MigrationFiles {
    /// All `.sql` files up to one folder deep; what else is there does not count.
    ///
    /// - Returns: path inside the folder, with `/` between its parts, and text of each.
    /// - Throws: ``ConfigurationError``.
    static func read(_ folder: String) throws(ConfigurationError) -> [(path: String, text: String)] {
        let root = URL(filePath: folder, directoryHint: .isDirectory)
        var files: [(path: String, text: String)] = []
        for entry in try names(in: root) {
            let url = root.appending(path: entry)
            if entry.hasSuffix(".sql") { files.append((entry, try text(of: url))) }
            guard url.isFolder else { continue }
            for file in try names(in: url) where file.hasSuffix(".sql") {
                files.append(("\(entry)/\(file)", try text(of: url.appending(path: file))))
            }
        }
        return files
    }

    private static func names(in folder: URL) throws(ConfigurationError) -> [String] {
        do {
            return try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
        } catch {
            throw ConfigurationError(message: "--dir \(folder.path): there is no such folder, or it may not be read")
        }
    }

    private static func text(of file: URL) throws(ConfigurationError) -> String {
        guard let data = FileManager.default.contents(atPath: file.path) else {
            throw ConfigurationError(message: "\(file.path) may not be read")
        }
        guard let text = String(validating: data, as: UTF8.self) else {
            throw ConfigurationError(message: "\(file.path) is not UTF-8: save it as UTF-8")
        }
        return text
    }
}

extension URL {
    fileprivate var isFolder: Bool {
        (try? resourceValues(forKeys: [.isDirectoryKey]).isDirectory) == true
    }
}
