internal import Foundation
internal import Logging
internal import MCP

/// Writes each message as one line of JSON: `time` (ISO 8601, UTC), `level`, `message`, and its metadata beside them.
struct JSONLogHandler: LogHandler {
    var logLevel = Logger.Level.info
    var metadata = Logger.Metadata()
    var metadataProvider: Logger.MetadataProvider?
    private let write: @Sendable (String) -> Void

    /// - Parameter write: takes one line, without its end.
    init(write: @escaping @Sendable (String) -> Void = standardError) {
        self.write = write
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        var line: JSONObject = [
            "time": .string(Date().formatted(Self.format)), "level": .string(event.level.rawValue),
            "message": .string(event.message.description),
        ]
        var all = metadata
        all.merge(metadataProvider?.get() ?? [:]) { $1 }
        all.merge(event.metadata ?? [:]) { $1 }
        for (key, value) in all.sorted(by: { $0.key < $1.key }) where line[key] == nil {
            line[key] = Self.json(value)
        }
        write(JSONValue.object(line).text)
    }

    private static let format = Date.ISO8601FormatStyle(includingFractionalSeconds: true)

    private static func json(_ value: Logger.Metadata.Value) -> JSONValue {
        switch value {
        case .string(let text): .string(text)
        case .stringConvertible(let value as any BinaryInteger): .integer(Int64(clamping: value))
        case .stringConvertible(let value as Double): .double(value)
        case .stringConvertible(let value): .string(value.description)
        case .array(let values): .array(values.map(json))
        case .dictionary(let values):
            .object(JSONObject(values.sorted { $0.key < $1.key }.map { ($0.key, json($0.value)) }))
        }
    }
}

/// How log messages are written.
enum LogFormat: String, CaseIterable {
    /// For people.
    case text
    /// A line of JSON each.
    case json

    /// Text on a terminal, else JSON.
    static var standard: LogFormat { isatty(STDERR_FILENO) == 1 ? .text : .json }

    func logger(_ level: Logger.Level) -> Logger {
        var logger = Logger(label: "mcp-registry") { label in
            switch self {
            case .text: StreamLogHandler.standardError(label: label)
            case .json: JSONLogHandler()
            }
        }
        logger.logLevel = level
        return logger
    }
}
