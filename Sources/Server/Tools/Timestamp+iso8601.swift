internal import DBDriver
internal import Foundation

extension Timestamp {
    /// The moment in UTC to the second, such as `2026-11-23T20:43:38Z` (ISO 8601, RFC 3339).
    var iso8601: String {
        Date(timeIntervalSince1970: Double(microseconds) / 1_000_000).formatted(.iso8601)
    }
}
