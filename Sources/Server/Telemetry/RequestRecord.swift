internal import HTTPTypes
internal import HummingbirdCore
internal import Instrumentation
internal import Logging
internal import Metrics
internal import Registry
internal import ServiceContextModule
internal import Tracing

/// What is known of a request while it is answered, for its line in the log, its metrics and its span.
struct RequestRecord {
    /// The path of the route that answers: never one that a caller made up.
    var route = "none"
    /// Who asks; nil while that is not known.
    var principal: String?
    /// Where the request comes from.
    let address: String
    /// Why it was refused, in words for people; nil when it was not.
    var refusal: String?
    /// What only the log is told about that.
    var detail: String?
}

/// Writes one line in the log for each request, counts it, and makes its span.
struct RequestTelemetry: Sendable {
    private struct Labels: Hashable {
        let route: String
        let method: String
        let status: Int
    }

    private struct RequestMetrics: Sendable {
        let duration: Timer
        let count: Counter
    }

    private let logger: Logger
    private let isTraced: Bool
    private let metrics = KnownMetrics<Labels, RequestMetrics> { labels in
        let dimensions = [("route", labels.route), ("method", labels.method)]
        return RequestMetrics(
            duration: Timer(label: "http_request_duration", dimensions: dimensions),
            count: Counter(label: "http_requests", dimensions: dimensions + [("status", "\(labels.status)")])
        )
    }

    /// - Parameters:
    ///   - logger: what the lines go to.
    ///   - isTraced: whether spans are recorded; else only those traces are continued that callers name.
    init(logger: Logger, isTraced: Bool = false) {
        self.logger = logger
        self.isTraced = isTraced
    }

    /// Answers a request and notes how that went.
    ///
    /// - Parameters:
    ///   - request: what is asked.
    ///   - address: where it comes from.
    ///   - answer: answers, and fills in what is known.
    /// - Returns: the answer.
    func observing(
        _ request: Request,
        from address: String,
        _ answer: (inout RequestRecord) async -> Response
    ) async -> Response {
        let begin = ContinuousClock.now
        var record = RequestRecord(address: address)
        guard isTraced || SpanTracer.isInTrace(request.headers) else {
            let response = await answer(&record)
            note(record, request, response, ContinuousClock.now - begin, nil)
            return response
        }
        var context = ServiceContext.topLevel
        InstrumentationSystem.instrument.extract(request.headers, into: &context, using: HeaderExtractor())
        let response = await withSpan("\(request.method)", context: context, ofKind: .server) { span in
            let response = await answer(&record)
            if span.isRecording {
                span.operationName = "\(request.method) \(record.route)"
                span.attributes["http.request.method"] = "\(request.method)"
                span.attributes["http.route"] = record.route
                span.attributes["http.response.status_code"] = response.status.code
            }
            if response.status.code >= 500 { span.setStatus(.init(code: .error)) }
            note(record, request, response, ContinuousClock.now - begin, span.context[TraceParentKey.self])
            return response
        }
        return response
    }

    private func note(
        _ record: RequestRecord,
        _ request: Request,
        _ response: Response,
        _ duration: Duration,
        _ place: TraceParent?
    ) {
        let method = Self.methods.contains(request.method) ? request.method.rawValue : "other"
        let status = response.status.code
        let known = metrics[Labels(route: record.route, method: method, status: status)]
        known.duration.recordNanoseconds(duration.nanoseconds)
        known.count.increment()
        // Probes come every second, and are no news.
        let level: Logger.Level = Self.probes.contains(record.route) ? .debug : status >= 500 ? .error : .info
        guard logger.logLevel <= level else { return }
        var metadata: Logger.Metadata = [
            "request_id": .string(RequestIdentifier.current ?? "-"), "method": .string(method),
            "route": .string(record.route),
            "status": .stringConvertible(status),
            "ms": .stringConvertible(Double(duration.nanoseconds / 10_000) / 100),
        ]
        if let refusal = record.refusal { metadata["reason"] = .string(refusal) }
        if let detail = record.detail { metadata["detail"] = .string(detail) }
        // Who guesses credentials or asks too often has to be found.
        if [401, 403, 429].contains(status) { metadata["address"] = .string(record.address) }
        if let principal = record.principal { metadata["principal"] = .string(principal) }
        if let place { metadata["trace_id"] = "\(place.traceID)" }
        logger.log(level: level, "request", metadata: metadata)
    }

    private static let methods: Set<HTTPRequest.Method> = [.get, .head, .post, .put, .delete, .options, .patch]
    private static let probes: Set = ["/health", "/ready", "/metrics"]
}

extension Duration {
    /// Whole nanoseconds.
    fileprivate var nanoseconds: Int64 {
        components.seconds * 1_000_000_000 + components.attoseconds / 1_000_000_000
    }
}

private struct HeaderExtractor: Extractor {
    func extract(key: String, from headers: HTTPFields) -> String? {
        HTTPField.Name(key).flatMap { headers[$0] }
    }
}
