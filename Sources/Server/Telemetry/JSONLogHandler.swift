internal import DBDriver
internal import Foundation
internal import Logging
internal import MCP

/// Writes each message as one line of JSON: `time` (ISO 8601, UTC), `level`, `message`, and its metadata beside them.
struct JSONLogHandler: LogHandler {
    var logLevel = Logger.Level.info
    var metadata = Logger.Metadata()
    var metadataProvider: Logger.MetadataProvider?
    private let write: @Sendable ([UInt8]) -> Void

    /// - Parameter write: takes one line, without its end.
    init(write: @escaping @Sendable ([UInt8]) -> Void = LogWriter.standardError.write) {
        self.write = write
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        var all = event.metadata ?? [:]
        if !metadata.isEmpty || metadataProvider != nil {
            all = metadata.merging(metadataProvider?.get() ?? [:]) { $1 }.merging(all) { $1 }
        }
        var line: [UInt8] = []
        line.reserveCapacity(512)
        Self.add("time", .string(Self.clock.milliseconds(of: .now())), to: &line)
        Self.add("level", .string(event.level.rawValue), to: &line)
        Self.add("message", .string(event.message.description), to: &line)
        for (key, value) in all.sorted(by: { $0.key < $1.key }) where !Self.ownKeys.contains(key) {
            Self.add(key, Self.json(value), to: &line)
        }
        line.append(UInt8(ascii: "}"))
        write(line)
    }

    /// Adds a member to the line.
    private static func add(_ key: String, _ value: JSONValue, to line: inout [UInt8]) {
        line.append(UInt8(ascii: line.isEmpty ? "{" : ","))
        JSONValue.string(key).write(to: &line)
        line.append(UInt8(ascii: ":"))
        value.write(to: &line)
    }

    private static let ownKeys = ["time", "level", "message"]
    private static let clock = TextOfSecond { String($0.iso8601.dropLast()) }

    private static func json(_ value: Logger.Metadata.Value) -> JSONValue {
        switch value {
        case .string(let text): .string(text)
        // The two that come with every request first: to ask for a protocol takes longer.
        case .stringConvertible(let value as Int): .integer(Int64(value))
        case .stringConvertible(let value as Double): .double(value)
        case .stringConvertible(let value as any BinaryInteger): .integer(Int64(clamping: value))
        case .stringConvertible(let value): .string(value.description)
        case .array(let values): .array(values.map(json))
        case .dictionary(let values):
            .object(JSONObject(values.sorted { $0.key < $1.key }.map { ($0.key, json($0.value)) }))
        }
    }
}

extension TextOfSecond {
    /// A moment in ISO 8601 to the millisecond, with what is the same for a whole second from here.
    fileprivate func milliseconds(of time: Timestamp) -> String {
        let digits = String(time.microseconds % 1_000_000 / 1_000)
        return "\(self(time)).\(String(repeating: "0", count: 3 - digits.count))\(digits)Z"
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
