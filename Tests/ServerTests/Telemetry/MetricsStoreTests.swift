import Metrics
import Testing

@testable import Server

@Suite("Metrics in Prometheus' text format")
struct MetricsStoreTests {
    @Test("counters, gauges and histograms are written as the format wants them")
    func format() {
        let store = MetricsStore()
        Counter(label: "requests", dimensions: [("route", "/a"), ("status", "200")], factory: store).increment(by: 2)
        Counter(label: "requests", dimensions: [("route", "/a"), ("status", "200")], factory: store).increment()
        Meter(label: "pool.size", factory: store).set(7)
        let timer = Timer(label: "duration", dimensions: [("route", "/a")], factory: store)
        timer.recordNanoseconds(3_000_000)
        timer.recordNanoseconds(700_000_000)
        timer.recordNanoseconds(60_000_000_000)
        let lines = store.text().split(separator: "\n")
        #expect(lines.contains("# TYPE mcp_registry_requests_total counter"))
        #expect(lines.contains(#"mcp_registry_requests_total{route="/a",status="200"} 3"#))
        #expect(lines.contains("mcp_registry_pool_size 7"))
        #expect(lines.contains("# TYPE mcp_registry_duration_seconds histogram"))
        #expect(lines.contains(#"mcp_registry_duration_seconds_bucket{route="/a",le="0.0025"} 0"#))
        #expect(lines.contains(#"mcp_registry_duration_seconds_bucket{route="/a",le="0.005"} 1"#))
        #expect(lines.contains(#"mcp_registry_duration_seconds_bucket{route="/a",le="1"} 2"#))
        #expect(lines.contains(#"mcp_registry_duration_seconds_bucket{route="/a",le="+Inf"} 3"#))
        #expect(lines.contains(#"mcp_registry_duration_seconds_count{route="/a"} 3"#))
        #expect(lines.contains { $0.hasPrefix(#"mcp_registry_duration_seconds_sum{route="/a"} 60.703"#) })
        #expect(store.text().hasSuffix("\n"))
    }

    @Test("values of labels are escaped")
    func escaping() {
        let store = MetricsStore()
        Counter(label: "c", dimensions: [("l", "a\\b\"c\nd")], factory: store).increment()
        #expect(store.text().contains(#"{l="a\\b\"c\nd"}"#))
    }

    @Test("many threads count together")
    func concurrency() async {
        let store = MetricsStore()
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<100 {
                group.addTask {
                    for number in 0..<100 {
                        Counter(label: "c", dimensions: [("n", "\(number % 3)")], factory: store).increment()
                    }
                }
            }
        }
        let counts = store.text().split(separator: "\n").compactMap { Int($0.split(separator: " ").last ?? "") }
        #expect(counts.reduce(0, +) == 10_000)
    }
}
