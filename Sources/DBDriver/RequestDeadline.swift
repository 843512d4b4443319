/// Until when somebody waits for what the present task does.
public enum RequestDeadline {
    /// The moment; nil when nobody says. Waiting for a connection and trying again end there at the latest.
    @TaskLocal public static var current: ContinuousClock.Instant?

    /// The sooner of a moment and the deadline.
    static func orSooner(_ moment: ContinuousClock.Instant) -> ContinuousClock.Instant {
        current.map { min($0, moment) } ?? moment
    }
}
