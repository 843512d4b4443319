internal import HTTPTypes
internal import Instrumentation
internal import ServiceContextModule
internal import Synchronization
internal import Tracing

/// Makes the spans of swift-distributed-tracing, joins them to the traces of callers by `traceparent`, and hands those that ended
/// to an exporter.
struct SpanTracer: Tracer {
    private static let header = "traceparent"

    /// Whether a request belongs to a trace.
    static func isInTrace(_ headers: HTTPFields) -> Bool {
        HTTPField.Name(header).map { headers[$0] != nil } ?? false
    }

    private let isRecording: Bool
    private let ended: @Sendable (FinishedSpan) -> Void

    /// - Parameters:
    ///   - isRecording: whether spans of traces that begin here are kept; those of callers say so themselves.
    ///   - ended: takes each span that ended and is to be kept.
    init(isRecording: Bool, ended: @escaping @Sendable (FinishedSpan) -> Void) {
        self.isRecording = isRecording
        self.ended = ended
    }

    func startSpan<Instant: TracerInstant>(
        _ operationName: String,
        context: @autoclosure () -> ServiceContext,
        ofKind kind: SpanKind,
        at instant: @autoclosure () -> Instant,
        function: String,
        file fileID: String,
        line: UInt
    ) -> TraceSpan {
        var context = context()
        let parent = context[TraceParentKey.self]
        // A span that is not kept is no step of the trace: what is called from here sees the caller's.
        guard isRecording, parent?.isSampled ?? true else { return TraceSpan(nil, context) }
        let place = parent?.child() ?? .new(isSampled: true)
        context[TraceParentKey.self] = place
        return TraceSpan(
            FinishedSpan(
                name: operationName,
                place: place,
                parentID: parent?.spanID,
                isServer: kind == .server,
                start: instant().nanosecondsSinceEpoch
            ),
            context,
            ended: ended
        )
    }

    func forceFlush() {}

    func extract<Carrier, Extract: Extractor>(
        _ carrier: Carrier,
        into context: inout ServiceContext,
        using extractor: Extract
    )
    where Extract.Carrier == Carrier {
        context[TraceParentKey.self] = extractor.extract(key: Self.header, from: carrier).flatMap { TraceParent($0) }
    }

    func inject<Carrier, Inject: Injector>(
        _ context: ServiceContext,
        into carrier: inout Carrier,
        using injector: Inject
    )
    where Inject.Carrier == Carrier {
        if let place = context[TraceParentKey.self] {
            injector.inject(place.description, forKey: Self.header, into: &carrier)
        }
    }
}

/// Where the present task is in a trace.
enum TraceParentKey: ServiceContextKey {
    typealias Value = TraceParent
}

/// A span that ended.
struct FinishedSpan: Sendable {
    var name: String
    let place: TraceParent
    let parentID: String?
    let isServer: Bool
    /// Nanoseconds since the epoch.
    let start: UInt64
    var end: UInt64 = 0
    var attributes: [String: String] = [:]
    var isError = false
}

/// A span that is under way.
final class TraceSpan: Span {
    private struct Recorded {
        var span: FinishedSpan
        var attributes: SpanAttributes = [:]
    }

    let context: ServiceContext
    let isRecording: Bool
    private let state: Mutex<Recorded?>
    private let ended: @Sendable (FinishedSpan) -> Void

    /// - Parameters:
    ///   - span: what is recorded; nil for nothing.
    ///   - context: where in the trace the span is.
    ///   - ended: takes what was recorded.
    init(_ span: FinishedSpan?, _ context: ServiceContext, ended: @escaping @Sendable (FinishedSpan) -> Void = { _ in })
    {
        self.context = context
        self.ended = ended
        isRecording = span != nil
        state = Mutex(span.map { Recorded(span: $0) })
    }

    var operationName: String {
        get { state.withLock { $0?.span.name ?? "" } }
        set { state.withLock { $0?.span.name = newValue } }
    }

    var attributes: SpanAttributes {
        get { state.withLock { $0?.attributes ?? [:] } }
        set { state.withLock { $0?.attributes = newValue } }
    }

    func setStatus(_ status: SpanStatus) {
        state.withLock { $0?.span.isError = status.code == .error }
    }

    // What an error says may be a caller's own words: that there was one is all that is told.
    func recordError<Instant: TracerInstant>(
        _ error: any Error,
        attributes: SpanAttributes,
        at instant: @autoclosure () -> Instant
    ) {
        state.withLock { $0?.span.isError = true }
    }

    func addEvent(_ event: SpanEvent) {}
    func addLink(_ link: SpanLink) {}

    func end<Instant: TracerInstant>(at instant: @autoclosure () -> Instant) {
        guard isRecording else { return }
        let end = instant().nanosecondsSinceEpoch
        let span = state.withLock { recorded -> FinishedSpan? in
            guard var span = recorded?.span else { return nil }
            span.end = end
            recorded?.attributes.forEach { name, value in
                switch value {
                case .string(let text): span.attributes[name] = text
                case .int32(let number): span.attributes[name] = "\(number)"
                case .int64(let number): span.attributes[name] = "\(number)"
                case .bool(let value): span.attributes[name] = "\(value)"
                default: break
                }
            }
            return span
        }
        if let span { ended(span) }
    }
}
