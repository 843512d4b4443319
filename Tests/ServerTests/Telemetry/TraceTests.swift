import MCP
import ServiceContextModule
import Synchronization
import Testing
import Tracing

@testable import Server

/// https://www.w3.org/TR/trace-context/
@Suite("Traces")
struct TraceTests {
    static let trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    static let header = "00-\(trace)-00f067aa0ba902b7-01"

    @Test("traceparent is read and written")
    func header() {
        let parent = TraceParent(Self.header)
        #expect(parent?.description == Self.header)
        #expect(parent?.isSampled == true)
        #expect(TraceParent("00-\(Self.trace)-00f067aa0ba902b7-00")?.isSampled == false)
        #expect(TraceParent("cc-\(Self.trace)-00f067aa0ba902b7-01-what-will-be")?.traceID == Self.trace)
        let child = parent?.child()
        #expect(child?.traceID == Self.trace)
        #expect(child?.spanID != parent?.spanID)
    }

    @Test(
        "a header that breaks the rules begins a new trace",
        arguments: [
            "", "00", "ff-\(trace)-00f067aa0ba902b7-01", "00-\(trace)-00f067aa0ba902b7-01-more",
            "00-\(trace.uppercased())-00f067aa0ba902b7-01", "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-\(trace)-0000000000000000-01", "00-\(trace)-00f067aa0ba902b-01", "00-\(trace)-00f067aa0ba902b7-0x",
        ]
    )
    func malformed(_ text: String) {
        #expect(TraceParent(text) == nil)
    }

    private struct Dictionary: Extractor {
        func extract(key: String, from carrier: [String: String]) -> String? { carrier[key] }
    }

    @Test("a span belongs to its caller's trace, and one within it to that span")
    func spans() throws {
        let ended = Mutex<[FinishedSpan]>([])
        let tracer = SpanTracer(isRecording: true) { span in ended.withLock { $0.append(span) } }
        var context = ServiceContext.topLevel
        tracer.extract(["traceparent": Self.header], into: &context, using: Dictionary())
        tracer.withSpan("outer", context: context, ofKind: .server) { outer in
            outer.attributes["http.route"] = "/a"
            tracer.withSpan("inner") { _ in }
        }
        let spans = ended.withLock { $0 }
        #expect(spans.map(\.name) == ["inner", "outer"])
        #expect(spans.allSatisfy { $0.place.traceID == Self.trace && $0.end >= $0.start })
        #expect(spans.last?.parentID == "00f067aa0ba902b7")
        #expect(spans.first?.parentID == spans.last?.place.spanID)
        let sent = SpanExporter.document(spans)["resourceSpans"]?.array?.first?["scopeSpans"]?.array?.first?["spans"]
        #expect(sent?.array?.last?["traceId"]?.string == Self.trace)
        #expect(sent?.array?.last?["kind"] == .integer(2))
    }

    @Test("a trace that its caller does not record is not recorded here")
    func unsampled() {
        let ended = Mutex(0)
        let tracer = SpanTracer(isRecording: true) { _ in ended.withLock { $0 += 1 } }
        var context = ServiceContext.topLevel
        tracer.extract(["traceparent": "00-\(Self.trace)-00f067aa0ba902b7-00"], into: &context, using: Dictionary())
        tracer.withSpan("s", context: context) { #expect(!$0.isRecording) }
        #expect(ended.withLock { $0 } == 0)
    }
}
