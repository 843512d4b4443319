internal import DBDriver
internal import Synchronization

/// The time of answers, as `Date` tells it (RFC 9110 §5.6.7), written once a second.
final class ResponseDate: Sendable {
    static let shared = ResponseDate()

    private static let days = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    private let latest = Mutex<(second: Int64, text: String)>((.min, ""))

    /// The present time.
    var text: String {
        let second = Timestamp.now().microseconds / 1_000_000
        return latest.withLock { latest in
            if latest.second != second { latest = (second, Self.text(ofSecond: second)) }
            return latest.text
        }
    }

    /// A second since 1970, such as `Sun, 06 Nov 1994 08:49:37 GMT`.
    static func text(ofSecond second: Int64) -> String {
        // 1970-01-01 was a Thursday.
        let weekday = days[Int((second / 86_400 + 4) % 7)]
        let parts = Timestamp(microseconds: second * 1_000_000).iso8601.split { "-T.Z".contains($0) }
        let month = Int(parts[1]).map { months[$0 - 1] } ?? ""
        return "\(weekday), \(parts[2]) \(month) \(parts[0]) \(parts[3]) GMT"
    }
}
