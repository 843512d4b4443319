import Foundation

/// The project's own files, as the style tests read them.
enum SourceTree {
    /// One Swift file.
    struct File: Sendable, CustomStringConvertible {
        /// The path from the project's root, such as `Sources/MCP/JSON/JSONValue.swift`.
        let path: String
        let lines: [String]

        var description: String { path }
    }

    /// The project's root: two folders above this file's.
    static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    /// The Swift files below a folder of the project, by path.
    static func swiftFiles(_ folder: String) throws -> [File] {
        let base = root.appending(path: folder)
        return try FileManager.default.subpathsOfDirectory(atPath: base.path)
            .filter { $0.hasSuffix(".swift") }
            .sorted()
            .map { path in
                let text = try String(contentsOf: base.appending(path: path), encoding: .utf8)
                return File(
                    path: folder + "/" + path,
                    lines: text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
                )
            }
    }

    /// The names of the entries of a folder that don't begin with a dot, by name.
    static func entries(_ folder: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: root.appending(path: folder).path)
            .filter { !$0.hasPrefix(".") }
            .sorted()
    }
}

extension SourceTree.File {
    /// The modules that are imported here.
    var imports: [String] {
        lines.compactMap { line in
            let words = line.split(separator: " ").drop { Self.words.contains(String($0)) }
            guard line.first?.isWhitespace == false, words.first == "import", let module = words.dropFirst().first
            else {
                return nil
            }
            return String(module.prefix { $0 != "." })
        }
    }

    private static let words: Set = [
        "public", "package", "internal", "fileprivate", "private", "@testable", "@preconcurrency",
    ]

    /// The lines that are no comments, with their numbers.
    var code: [(number: Int, text: String)] {
        lines.enumerated().compactMap { index, line in
            line.drop(while: \.isWhitespace).hasPrefix("//") ? nil : (index + 1, line)
        }
    }
}
