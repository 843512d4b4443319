internal import DBDriver
internal import Foundation
internal import Registry

extension Timestamp {
    /// The moment in UTC to the second, such as `2026-11-23T20:43:38Z` (ISO 8601, RFC 3339).
    var iso8601: String {
        Date(timeIntervalSince1970: Double(microseconds) / 1_000_000).formatted(.iso8601)
    }

    /// Reads such a moment; nil for another form.
    init?(iso8601 text: String) {
        guard let date = try? Date(text, strategy: .iso8601) else { return nil }
        self.init(microseconds: Int64(date.timeIntervalSince1970 * 1_000_000))
    }

    /// Reads the moment `expires_at` of a token.
    ///
    /// - Throws: ``RegistryError`` `invalid`
    init(expiry text: String) throws(RegistryError) {
        guard let moment = Timestamp(iso8601: text) else {
            throw RegistryError(.invalid, "expires_at must be a moment such as 2027-01-31T00:00:00Z")
        }
        self = moment
    }
}
