internal import AsyncHTTPClient
internal import Foundation
internal import Logging
internal import MCP
internal import NIOCore
internal import NIOHTTP1
internal import ServiceLifecycle
internal import Synchronization

/// Sends spans to a collector as OTLP over HTTP in JSON (https://opentelemetry.io/docs/specs/otlp/#otlphttp), some at a time. No
/// request waits for it; what the collector does not take is lost.
final class SpanExporter: Service {
    /// Spans that wait to be sent at most; more are lost.
    private static let waitingMax = 4_096
    /// Spans that are sent at once.
    private static let batchMax = 512
    /// How often spans are sent.
    private static let interval = Duration.seconds(2)

    private let url: String
    private let client: HTTPClient
    private let logger: Logger
    private let waiting = Mutex<[FinishedSpan]>([])

    /// - Parameters:
    ///   - endpoint: the collector, as `OTEL_EXPORTER_OTLP_ENDPOINT` names it.
    ///   - client: what sends.
    ///   - logger: is told when nothing could be sent.
    init(endpoint: URL, client: HTTPClient, logger: Logger) {
        url = endpoint.appending(path: "v1/traces").absoluteString
        (self.client, self.logger) = (client, logger)
    }

    /// Takes a span, to be sent later.
    func add(_ span: FinishedSpan) {
        waiting.withLock { if $0.count < Self.waitingMax { $0.append(span) } }
    }

    /// Sends until the server shuts down, and once more then.
    func run() async {
        await cancelWhenGracefulShutdown {
            while (try? await Task.sleep(for: Self.interval)) != nil { await self.send() }
        }
        await send()
    }

    private func send() async {
        while true {
            let batch = waiting.withLock { waiting in
                let batch = waiting.prefix(Self.batchMax)
                waiting.removeFirst(batch.count)
                return Array(batch)
            }
            guard !batch.isEmpty else { return }
            var request = HTTPClientRequest(url: url)
            request.method = .POST
            request.headers.add(name: "content-type", value: "application/json")
            request.body = .bytes(ByteBuffer(bytes: Self.document(batch).serialized()))
            var obstacle: String?
            do {
                let response = try await client.execute(request, timeout: .seconds(5))
                if response.status.code >= 400 { obstacle = "status \(response.status.code)" }
            } catch {
                obstacle = "\(type(of: error))"
            }
            guard let obstacle else { continue }
            logger.debug("spans could not be sent", metadata: ["count": "\(batch.count)", "reason": "\(obstacle)"])
            return
        }
    }

    /// https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding
    static func document(_ spans: [FinishedSpan]) -> JSONValue {
        let resource: JSONValue = ["attributes": .array([attribute("service.name", "mcp-registry")])]
        let list = spans.map { span -> JSONValue in
            [
                "traceId": .string(span.place.traceID), "spanId": .string(span.place.spanID),
                "parentSpanId": .string(span.parentID ?? ""), "name": .string(span.name),
                "kind": .integer(span.isServer ? 2 : 3), "startTimeUnixNano": .string("\(span.start)"),
                "endTimeUnixNano": .string("\(span.end)"),
                "attributes": .array(span.attributes.sorted { $0.key < $1.key }.map { attribute($0.key, $0.value) }),
                "status": ["code": .integer(span.isError ? 2 : 0)],
            ]
        }
        let scope: JSONValue = [
            "scope": ["name": "mcp-registry", "version": .string(Version.current)], "spans": .array(list),
        ]
        return ["resourceSpans": .array([["resource": resource, "scopeSpans": .array([scope])]])]
    }

    private static func attribute(_ key: String, _ value: String) -> JSONValue {
        ["key": .string(key), "value": ["stringValue": .string(value)]]
    }
}
