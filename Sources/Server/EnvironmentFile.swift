internal import Foundation

/// A file of `KEY=value` lines, such as shells and container tools read.
///
/// Blank lines and lines that begin with `#` are skipped; `export ` before the key and matching quotes around the value are taken
/// off; nothing is expanded. Anything else is an error: a setting must not get lost by a typing error.
enum EnvironmentFile {
    /// Reads a file.
    ///
    /// - Throws: ``ConfigurationError`` naming file and line, never the line's text.
    static func read(_ path: String, mayBeMissing: Bool) throws -> [String: String] {
        if mayBeMissing, !FileManager.default.fileExists(atPath: path) { return [:] }
        guard let data = FileManager.default.contents(atPath: path), let text = String(bytes: data, encoding: .utf8)
        else { throw ConfigurationError(message: "the settings file \(path) can't be read as UTF-8 text") }
        var settings: [String: String] = [:]
        for (index, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated() {
            let trimmed = line.trimmingCharacters(in: .whitespaces)
            guard !trimmed.isEmpty, !trimmed.hasPrefix("#") else { continue }
            guard let (key, value) = setting(trimmed) else {
                throw ConfigurationError(message: "\(path):\(index + 1): this is not KEY=value")
            }
            guard settings.updateValue(value, forKey: key) == nil else {
                throw ConfigurationError(message: "\(path):\(index + 1): \(key) is set a second time")
            }
        }
        return settings
    }

    private static func setting(_ line: String) -> (String, String)? {
        let line = line.hasPrefix("export ") ? String(line.dropFirst("export ".count)) : line
        guard let equals = line.firstIndex(of: "=") else { return nil }
        let key = line[..<equals].trimmingCharacters(in: .whitespaces)
        let value = line[line.index(after: equals)...].trimmingCharacters(in: .whitespaces)
        let isName =
            !key.isEmpty
            && key.unicodeScalars.allSatisfy {
                $0.isASCII && ($0.properties.isAlphabetic || "0123456789_".unicodeScalars.contains($0))
            }
        guard isName else { return nil }
        guard let quote = value.first, quote == "\"" || quote == "'" else { return (key, value) }
        guard value.count >= 2, value.last == quote else { return nil }
        return (key, String(value.dropFirst().dropLast()))
    }
}
