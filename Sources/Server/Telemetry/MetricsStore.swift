internal import Metrics
internal import Synchronization

/// What this process has counted and measured, for Prometheus to read
/// (https://prometheus.io/docs/instrumenting/exposition_formats/, version 0.0.4). The backend of swift-metrics.
///
/// Labels never hold names of users or services: their number would have no bound, and metrics are kept where secrets are not.
final class MetricsStore: MetricsFactory, Sendable {
    /// The media type of ``text()``.
    static let mediaType = "text/plain; version=0.0.4; charset=utf-8"
    /// The upper bounds of a histogram's buckets, in seconds.
    static let buckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]
    /// What all names begin with.
    private static let prefix = "mcp_registry_"

    private enum Kind: String {
        case counter
        case gauge
        case histogram
    }

    private struct Series {
        let kind: Kind
        /// Of each set of labels, as text.
        var counters: [String: Counter] = [:]
        var gauges: [String: Gauge] = [:]
        var histograms: [String: Histogram] = [:]
    }

    private let series = Mutex<[String: Series]>([:])

    func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        find(Self.name(label) + "_total", .counter, dimensions, \.counters, Counter.init)
    }

    func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
        find(Self.name(label), .gauge, dimensions, \.gauges, Gauge.init)
    }

    /// Without aggregation a recorder is a gauge.
    func makeRecorder(label: String, dimensions: [(String, String)], aggregate: Bool) -> any RecorderHandler {
        guard aggregate else { return find(Self.name(label), .gauge, dimensions, \.gauges, Gauge.init) }
        return find(Self.name(label), .histogram, dimensions, \.histograms, Histogram.init)
    }

    func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        find(Self.name(label) + "_seconds", .histogram, dimensions, \.histograms, Histogram.init)
    }

    // Everything is kept for the process's life: the number of sets of labels is bounded.
    func destroyCounter(_ handler: any CounterHandler) {}
    func destroyMeter(_ handler: any MeterHandler) {}
    func destroyRecorder(_ handler: any RecorderHandler) {}
    func destroyTimer(_ handler: any TimerHandler) {}

    private func find<Handler: Sendable>(
        _ name: String,
        _ kind: Kind,
        _ dimensions: [(String, String)],
        _ handlers: WritableKeyPath<Series, [String: Handler]>,
        _ make: () -> Handler
    ) -> Handler {
        let labels = dimensions.map { "\(Self.name($0.0, prefix: ""))=\"\(Self.escaped($0.1))\"" }.joined(
            separator: ","
        )
        return series.withLock { series in
            var found = series[name] ?? Series(kind: kind)
            // A name that stands for two kinds of things would be a defect of ours; Prometheus refuses the whole page.
            precondition(found.kind == kind, "the metric \(name) is of two kinds")
            let handler = found[keyPath: handlers][labels] ?? make()
            found[keyPath: handlers][labels] = handler
            series[name] = found
            return handler
        }
    }

    /// Everything, as text.
    func text() -> String {
        let series = series.withLock { $0 }
        var lines: [String] = []
        for (name, found) in series.sorted(by: { $0.key < $1.key }) {
            lines.append("# TYPE \(name) \(found.kind.rawValue)")
            for (labels, counter) in found.counters.sorted(by: { $0.key < $1.key }) {
                lines.append(Self.line(name, labels, "\(counter.value)"))
            }
            for (labels, gauge) in found.gauges.sorted(by: { $0.key < $1.key }) {
                lines.append(Self.line(name, labels, Self.number(gauge.value)))
            }
            for (labels, histogram) in found.histograms.sorted(by: { $0.key < $1.key }) {
                let (counts, sum) = histogram.value
                let bounds = Self.buckets.map(Self.number) + ["+Inf"]
                var total = 0
                for (bound, count) in zip(bounds, counts) {
                    total += count
                    let all = labels.isEmpty ? "le=\"\(bound)\"" : "\(labels),le=\"\(bound)\""
                    lines.append(Self.line(name + "_bucket", all, "\(total)"))
                }
                lines.append(Self.line(name + "_sum", labels, Self.number(sum)))
                lines.append(Self.line(name + "_count", labels, "\(total)"))
            }
        }
        return lines.map { $0 + "\n" }.joined()
    }

    private static func line(_ name: String, _ labels: String, _ value: String) -> String {
        labels.isEmpty ? "\(name) \(value)" : "\(name){\(labels)} \(value)"
    }

    private static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
        return value == value.rounded() && value.magnitude < 1e15 ? "\(Int64(value))" : "\(value)"
    }

    private static func name(_ label: String, prefix: String = prefix) -> String {
        prefix + String(label.map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "_" })
    }

    private static func escaped(_ value: String) -> String {
        var text = ""
        for character in value.unicodeScalars {
            switch character {
            case "\\": text += "\\\\"
            case "\"": text += "\\\""
            case "\n": text += "\\n"
            default: text.unicodeScalars.append(character)
            }
        }
        return text
    }
}

/// A number that only grows.
private final class Counter: CounterHandler, Sendable {
    private let count = Atomic<Int64>(0)

    var value: Int64 { count.load(ordering: .relaxed) }

    func increment(by amount: Int64) {
        count.wrappingAdd(amount, ordering: .relaxed)
    }

    func reset() {
        count.store(0, ordering: .relaxed)
    }
}

/// A number that goes up and down.
private final class Gauge: MeterHandler, RecorderHandler, Sendable {
    private let current = Mutex(0.0)

    var value: Double { current.withLock { $0 } }

    func set(_ value: Int64) { set(Double(value)) }
    func set(_ value: Double) { current.withLock { $0 = value } }
    func increment(by amount: Double) { current.withLock { $0 += amount } }
    func decrement(by amount: Double) { current.withLock { $0 -= amount } }
    func record(_ value: Int64) { set(Double(value)) }
    func record(_ value: Double) { set(value) }
}

/// How often values were how big.
private final class Histogram: TimerHandler, RecorderHandler, Sendable {
    private struct State {
        /// One for each bucket and one for what is beyond the last.
        var counts = Array(repeating: 0, count: MetricsStore.buckets.count + 1)
        var sum = 0.0
    }

    private let state = Mutex(State())

    var value: (counts: [Int], sum: Double) { state.withLock { ($0.counts, $0.sum) } }

    func recordNanoseconds(_ duration: Int64) { record(Double(duration) / 1e9) }
    func record(_ value: Int64) { record(Double(value)) }

    func record(_ value: Double) {
        let bucket = MetricsStore.buckets.firstIndex { value <= $0 } ?? MetricsStore.buckets.count
        state.withLock { state in
            state.counts[bucket] += 1
            state.sum += value
        }
    }
}
