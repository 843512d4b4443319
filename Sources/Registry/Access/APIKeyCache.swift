internal import Crypto
internal import Synchronization

/// The API keys that were looked up lately, so that the next requests with them need no look-up.
///
/// What is remembered counts for ``reach`` from the moment its look-up began: so long may a revocation take to reach this
/// instance, and no longer.
final class APIKeyCache: Sendable {
    /// How long a look-up counts: 1 s.
    static let reach = Duration.seconds(1)
    /// When it is made again while it still counts, so that a key that is in use all the time never waits for it: 0.5 s.
    static let ageing = Duration.milliseconds(500)
    /// Keys that are remembered at most: 10,000. Beyond that all are forgotten.
    static let keysMax = 10_000

    private struct Entry {
        let key: APIKey
        /// When its look-up began.
        let since: ContinuousClock.Instant
        var isRefreshing = false
    }

    let now: @Sendable () -> ContinuousClock.Instant
    /// By SHA-256 of the whole key, as a caller sends it: who finds an entry has sent its key.
    private let entries = Mutex<[SHA256Digest: Entry]>([:])

    /// - Parameter now: the time; tests have their own.
    init(now: @escaping @Sendable () -> ContinuousClock.Instant = { .now }) {
        self.now = now
    }

    /// What a key is remembered by.
    static func digest(of text: String) -> SHA256Digest { SHA256.hash(data: Array(text.utf8)) }

    /// A key that was found before, if that still counts, and whether it is to be looked up again meanwhile: one of those who
    /// ask is told so.
    func find(_ digest: SHA256Digest) -> (key: APIKey, isToRefresh: Bool)? {
        let now = now()
        return entries.withLock { entries in
            guard let entry = entries[digest], now - entry.since < Self.reach else { return nil }
            let isToRefresh = now - entry.since > Self.ageing && !entry.isRefreshing
            if isToRefresh { entries[digest]?.isRefreshing = true }
            return (entry.key, isToRefresh)
        }
    }

    /// Remembers what a look-up has found that began at a moment; nil for nothing.
    func keep(_ key: APIKey?, _ digest: SHA256Digest, since: ContinuousClock.Instant) {
        entries.withLock { entries in
            if key != nil, entries[digest] == nil, entries.count >= Self.keysMax { entries = [:] }
            entries[digest] = key.map { Entry(key: $0, since: since) }
        }
    }

    /// Forgets a key, since this instance has revoked it.
    func forget(_ name: APIKeyName) {
        entries.withLock { entries in entries = entries.filter { $0.value.key.name != name.rawValue } }
    }
}
