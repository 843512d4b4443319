internal import Synchronization

/// Counters or timers that are found once for each set of labels: to find one by the text of its labels costs more than to count.
final class KnownMetrics<Labels: Hashable & Sendable, Metric: Sendable>: Sendable {
    private let metrics = Mutex<[Labels: Metric]>([:])
    private let make: @Sendable (Labels) -> Metric

    /// - Parameter make: finds the one with these labels, whose number must be bounded.
    init(make: @escaping @Sendable (Labels) -> Metric) {
        self.make = make
    }

    /// The one with these labels.
    subscript(labels: Labels) -> Metric {
        metrics.withLock { metrics in
            if let known = metrics[labels] { return known }
            let metric = make(labels)
            metrics[labels] = metric
            return metric
        }
    }
}
