internal import Foundation

/// The places that settings are read from, the strongest first: command line, environment, environment file.
///
/// A setting counts in the strongest place that has any form of it, so `REGISTRY_KEY_FILE` in the environment wins over
/// `REGISTRY_KEY` in the file. An empty value counts as absent.
struct ConfigurationSource: Sendable {
    private let places: [[String: String]]

    /// - Parameters:
    ///   - commandLine: values of options, by the key they stand for (`MCP_PORT`).
    ///   - environment: the process's environment.
    ///   - file: an environment file; nil for `.env`, which may be missing.
    /// - Throws: ``ConfigurationError`` when the file can't be read.
    init(commandLine: [String: String], environment: [String: String], file: String?) throws {
        let fromFile = try EnvironmentFile.read(file ?? ".env", mayBeMissing: file == nil)
        places = [commandLine, environment, fromFile].map { $0.filter { !$0.value.isEmpty } }
    }

    /// A text; nil when the key is not set, or empty.
    func text(_ key: String) -> String? {
        places.lazy.compactMap { $0[key] }.first
    }

    /// A whole number within bounds.
    func number(_ key: String, default standard: Int, _ bounds: ClosedRange<Int>) throws -> Int {
        guard let text = text(key) else { return standard }
        guard let number = Int(text), bounds.contains(number) else {
            throw ConfigurationError(
                message: "\(key)=\(text) is no whole number from \(bounds.lowerBound) to \(bounds.upperBound)"
            )
        }
        return number
    }

    /// A list separated by commas, without blanks and empty elements.
    func list(_ key: String) -> [String] {
        (text(key) ?? "").split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }.filter { !$0.isEmpty }
    }

    /// One of the raw values of an enumeration.
    func choice<Choice: RawRepresentable & CaseIterable>(
        _ key: String,
        default standard: Choice
    ) throws -> Choice where Choice.RawValue == String {
        guard let text = text(key) else { return standard }
        guard let choice = Choice(rawValue: text) else {
            let all = Choice.allCases.map(\.rawValue).joined(separator: ", ")
            throw ConfigurationError(message: "\(key)=\(text) is none of: \(all)")
        }
        return choice
    }

    /// A secret that may be given under several keys, each itself or as `…_FILE`, and once only in the same place.
    ///
    /// - Returns: the key that was used, and the value.
    func secret(_ keys: String...) throws -> (key: String, value: String)? {
        for place in places {
            if let found = try Self.secret(keys, in: place) { return found }
        }
        return nil
    }

    /// A secret that may be given under several keys in the same place; the first of them counts.
    ///
    /// - Returns: the key that was used, and the value.
    func firstSecret(_ keys: String...) throws -> (key: String, value: String)? {
        for place in places {
            for key in keys {
                if let found = try Self.secret([key], in: place) { return found }
            }
        }
        return nil
    }

    private static func secret(
        _ keys: [String],
        in place: [String: String]
    ) throws -> (key: String, value: String)? {
        let forms = keys.flatMap { [$0, $0 + "_FILE"] }.filter { place[$0] != nil }
        guard let form = forms.first, let value = place[form] else { return nil }
        guard forms.count == 1 else {
            throw ConfigurationError(message: "\(forms[0]) and \(forms[1]) are both set: use one")
        }
        guard let key = keys.first(where: { $0 + "_FILE" == form }) else { return (form, value) }
        return (key, try contents(of: value, for: form))
    }

    /// The text in a file, without the white space around it.
    private static func contents(of path: String, for form: String) throws -> String {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw ConfigurationError(message: "\(form)=\(path) can't be read")
        }
        guard let text = String(bytes: data, encoding: .utf8) else {
            throw ConfigurationError(message: "\(form)=\(path) does not hold UTF-8 text")
        }
        let trimmed = text.trimmingCharacters(in: .whitespacesAndNewlines)
        guard !trimmed.isEmpty else { throw ConfigurationError(message: "\(form)=\(path) is empty") }
        return trimmed
    }
}

/// Secrets are among the settings, and whoever prints what it was given must not print them.
extension ConfigurationSource: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    var description: String { "<settings>" }
    var debugDescription: String { description }
    var customMirror: Mirror { Mirror(self, children: []) }
}

/// Why the configuration can't be used: one line that names the key and no secret value.
struct ConfigurationError: Error, Equatable {
    var message: String
}
