internal import Glibc

/// A moment in UTC: whole microseconds since 1970-01-01T00:00:00Z, stored as an integer on both engines so that no
/// session time zone, column type or year 2038 limit can change it.
public struct Timestamp: Sendable, Hashable, Comparable, Codable, SQLConvertible {
    /// Microseconds since the epoch; negative before 1970.
    public var microseconds: Int64

    /// The moment that many microseconds after the epoch.
    public init(microseconds: Int64) {
        self.microseconds = microseconds
    }

    /// Reads an integer of microseconds.
    public init?(sqlValue: SQLValue) {
        guard case .integer(let value) = sqlValue else { return nil }
        self.init(microseconds: value)
    }

    /// Stored as an integer of microseconds.
    public var sqlValue: SQLValue { .integer(microseconds) }

    /// The time of the system's clock.
    public static func now() -> Timestamp {
        var time = timespec()
        _ = unsafe clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(microseconds: Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1_000)
    }

    /// Earlier comes first.
    public static func < (left: Timestamp, right: Timestamp) -> Bool {
        left.microseconds < right.microseconds
    }

    /// The moment `duration` later; below a microsecond is cut off.
    public static func + (time: Timestamp, duration: Duration) -> Timestamp {
        let (seconds, attoseconds) = duration.components
        return Timestamp(microseconds: time.microseconds + seconds * 1_000_000 + attoseconds / 1_000_000_000_000)
    }
}

extension Duration {
    /// Whole microseconds, rounded down.
    public var microseconds: Int64 {
        components.seconds * 1_000_000 + components.attoseconds / 1_000_000_000_000
    }
}
