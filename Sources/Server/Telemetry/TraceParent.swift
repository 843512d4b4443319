internal import Registry

/// The place of a request in a trace, as the header `traceparent` tells it (https://www.w3.org/TR/trace-context/).
struct TraceParent: Sendable, Equatable, CustomStringConvertible {
    /// The trace: 32 hexadecimal digits, not all 0.
    let traceID: String
    /// The step in it: 16 hexadecimal digits, not all 0.
    let spanID: String
    /// Whether the caller records the trace.
    let isSampled: Bool

    init(traceID: String, spanID: String, isSampled: Bool) {
        (self.traceID, self.spanID, self.isSampled) = (traceID, spanID, isSampled)
    }

    /// Reads the header; nil when it breaks the rules, and then a new trace begins.
    init?(_ text: String) {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        // A later version may have more parts; version ff is none.
        guard parts.count >= 4, let version = Self.hexadecimal(parts[0], 2), version != "ff",
            version != "00" || parts.count == 4,
            let traceID = Self.hexadecimal(parts[1], 32), let spanID = Self.hexadecimal(parts[2], 16),
            let flags = Self.hexadecimal(parts[3], 2).flatMap({ UInt8($0, radix: 16) }),
            traceID.contains(where: { $0 != "0" }), spanID.contains(where: { $0 != "0" })
        else { return nil }
        self.init(traceID: traceID, spanID: spanID, isSampled: flags & 1 == 1)
    }

    /// The first step of a new trace.
    static func new(isSampled: Bool) -> TraceParent {
        TraceParent(traceID: random(16), spanID: random(8), isSampled: isSampled)
    }

    /// A step within this one.
    func child() -> TraceParent {
        TraceParent(traceID: traceID, spanID: Self.random(8), isSampled: isSampled)
    }

    /// The header's value.
    var description: String { "00-\(traceID)-\(spanID)-\(isSampled ? "01" : "00")" }

    private static func hexadecimal(_ text: Substring, _ count: Int) -> String? {
        text.utf8.count == count && text.allSatisfy { $0.isASCII && ($0.isNumber || ("a"..."f").contains($0)) }
            ? String(text) : nil
    }

    private static func random(_ count: Int) -> String {
        let bytes = (0..<count).map { _ in UInt8.random(in: 0...255) }
        return bytes.contains { $0 != 0 } ? bytes.hexadecimal : random(count)
    }
}
