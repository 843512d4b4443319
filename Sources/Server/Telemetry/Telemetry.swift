internal import Foundation
internal import Instrumentation
internal import Logging
internal import Metrics
internal import ServiceLifecycle
internal import Synchronization

/// What a serving process counts, measures and traces. There is one in a process: the systems behind it are global.
final class Telemetry: Sendable {
    /// What was counted and measured.
    let metrics = MetricsStore()
    private let traceCollector: URL?
    private let exporter = Mutex<SpanExporter?>(nil)

    /// - Parameter traceCollector: where spans are sent; nil for nowhere.
    init(traceCollector: URL?) {
        self.traceCollector = traceCollector
        MetricsSystem.bootstrap(metrics)
        InstrumentationSystem.bootstrap(
            SpanTracer(isRecording: traceCollector != nil) { [weak self] span in
                self?.exporter.withLock { $0 }?.add(span)
            }
        )
    }

    /// What has to run for it.
    func services(_ client: OutboundHTTPClient, logger: Logger) -> [any Service] {
        guard let traceCollector else { return [] }
        let exporter = SpanExporter(endpoint: traceCollector, client: client.client, logger: logger)
        self.exporter.withLock { $0 = exporter }
        return [exporter]
    }
}
