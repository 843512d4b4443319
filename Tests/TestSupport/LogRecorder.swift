public import Logging
internal import Synchronization

/// Keeps every log line with its metadata.
public final class LogRecorder: Sendable {
    private let entries = Mutex<[String]>([])

    /// An empty one.
    public init() {}

    /// The lines so far: level, message and metadata.
    public var lines: [String] { entries.withLock { $0 } }

    /// A logger whose lines are kept here.
    public var logger: Logger {
        Logger(label: "test") { _ in Handler(recorder: self) }
    }

    private struct Handler: LogHandler {
        let recorder: LogRecorder
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.trace

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            recorder.entries.withLock { $0.append("\(event.level) \(event.message) \(event.metadata ?? [:])") }
        }
    }
}
