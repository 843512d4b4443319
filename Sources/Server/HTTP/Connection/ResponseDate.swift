internal import DBDriver

/// The time of answers, as `Date` tells it (RFC 9110 §5.6.7).
enum ResponseDate {
    private static let days = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]
    private static let latest = TextOfSecond { text(of: $0) }

    /// The present time.
    static var text: String { latest(.now()) }

    /// A moment, such as `Sun, 06 Nov 1994 08:49:37 GMT`.
    static func text(of time: Timestamp) -> String {
        // 1970-01-01 was a Thursday.
        let weekday = days[Int((time.microseconds / 86_400_000_000 + 4) % 7)]
        let parts = time.iso8601.split { "-T.Z".contains($0) }
        let month = Int(parts[1]).map { months[$0 - 1] } ?? ""
        return "\(weekday), \(parts[2]) \(month) \(parts[0]) \(parts[3]) GMT"
    }
}
