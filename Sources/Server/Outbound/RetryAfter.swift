internal import Foundation

/// What `Retry-After` says (RFC 9110 section 10.2.3): a number of seconds, or a time as an IMF-fixdate (section 5.6.7).
enum RetryAfter {
    /// How long to wait; nothing when the time has passed, `nil` when the value is neither.
    static func wait(_ value: String, now: Date = .now) -> Duration? {
        if let seconds = Int64(value) { return .seconds(seconds) }
        let format = DateFormatter()
        format.locale = Locale(identifier: "en_US_POSIX")
        format.timeZone = .gmt
        format.dateFormat = "EEE, dd MMM yyyy HH:mm:ss 'GMT'"
        return format.date(from: value).map { .seconds(max(0, $0.timeIntervalSince(now).rounded(.up))) }
    }
}
