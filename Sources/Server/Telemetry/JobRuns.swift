internal import Metrics

/// Counts what goes on in the background.
enum JobRuns {
    /// - Parameters:
    ///   - job: what was done.
    ///   - succeeds: whether it went well.
    static func count(_ job: String, succeeds: Bool) {
        let outcome = succeeds ? "done" : "failed"
        Counter(label: "job_runs", dimensions: [("job", job), ("outcome", outcome)]).increment()
    }
}
