internal import Registry
internal import Synchronization

/// How much a caller may do. Each process counts for itself: behind a load balancer the whole deployment allows as many
/// times more as it has instances.
struct RateLimits: Sendable {
    /// Requests per second of one caller; 0 for any number.
    var requests = 0
    /// Services that one caller may have read per minute; 0 for any number.
    var discoveries = 0
    /// Wrong credentials per minute from one address; 0 for any number.
    var failures = 0
}

/// Token buckets, one for each caller and kind of work: a bucket refills steadily and holds what two seconds, or a minute, allow.
final class RateLimiter: Sendable {
    /// What is limited.
    enum Work: Hashable, Sendable {
        /// Any request of a caller.
        case request(Principal)
        /// A request that has a service read.
        case discovery(Principal)
        /// A wrong credential from an address.
        case failure(String)
    }

    private struct Bucket {
        private var tokens: Double
        private var filledAt: ContinuousClock.Instant

        /// A full one.
        init(_ capacity: Double, at now: ContinuousClock.Instant) {
            (tokens, filledAt) = (capacity, now)
        }

        /// What is in it at a time.
        func tokens(at now: ContinuousClock.Instant, _ rate: Double, _ capacity: Double) -> Double {
            min(capacity, tokens + (now - filledAt).inSeconds * rate)
        }

        /// Takes a token, if there is one.
        ///
        /// - Returns: how many tokens are missing; nil when there was one.
        mutating func take(at now: ContinuousClock.Instant, _ rate: Double, _ capacity: Double) -> Double? {
            (tokens, filledAt) = (tokens(at: now, rate, capacity), now)
            guard tokens >= 1 else { return 1 - tokens }
            tokens -= 1
            return nil
        }
    }

    /// Buckets that are kept at most. Full ones are the same as none, and are dropped first.
    static let bucketsMax = 20_000

    private let limits: RateLimits
    private let now: @Sendable () -> ContinuousClock.Instant
    private let buckets = Mutex<[Work: Bucket]>([:])

    init(_ limits: RateLimits, now: @escaping @Sendable () -> ContinuousClock.Instant = { .now }) {
        self.limits = limits
        self.now = now
    }

    /// Takes a token for a piece of work.
    ///
    /// - Returns: nil when it may be done; else the whole seconds until it may be tried again, at least 1.
    func take(_ work: Work) -> Int? {
        guard let (rate, capacity) = size(of: work) else { return nil }
        let now = now()
        return buckets.withLock { buckets in
            var bucket = buckets[work] ?? Bucket(capacity, at: now)
            let missing = bucket.take(at: now, rate, capacity)
            if buckets[work] == nil, buckets.count >= Self.bucketsMax { dropFull(&buckets, now) }
            buckets[work] = bucket
            return missing.map { max(1, Int(($0 / rate).rounded(.up))) }
        }
    }

    /// How many callers are remembered.
    var bucketCount: Int { buckets.withLock { $0.count } }

    /// Tokens per second, and how many fit; nil when there is no limit.
    private func size(of work: Work) -> (rate: Double, capacity: Double)? {
        switch work {
        case .request(let principal):
            guard limits.requests > 0, principal != .anonymous else { return nil }
            return (Double(limits.requests), 2 * Double(limits.requests))
        case .discovery(let principal):
            guard limits.discoveries > 0, principal != .anonymous else { return nil }
            return (Double(limits.discoveries) / 60, Double(limits.discoveries))
        case .failure:
            guard limits.failures > 0 else { return nil }
            return (Double(limits.failures) / 60, Double(limits.failures))
        }
    }

    /// Makes room; when nobody's bucket is full, the memory is worth more than what they remember.
    private func dropFull(_ buckets: inout [Work: Bucket], _ now: ContinuousClock.Instant) {
        buckets = buckets.filter { work, bucket in
            guard let (rate, capacity) = size(of: work) else { return false }
            return bucket.tokens(at: now, rate, capacity) < capacity
        }
        if buckets.count >= Self.bucketsMax { buckets = [:] }
    }
}

extension Duration {
    fileprivate var inSeconds: Double {
        Double(components.seconds) + Double(components.attoseconds) / 1e18
    }
}
