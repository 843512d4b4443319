internal import DBDriver

/// What an operator decides about the catalogue.
public struct CatalogPolicy: Sendable, Equatable {
    /// Who may use a tool that no role is attached to.
    public enum ToolsWithoutRoles: String, Sendable, CaseIterable {
        /// Nobody.
        case denied
        /// Every role.
        case allowed
    }

    /// What becomes of a tool whose definition changes after it was registered.
    public enum ToolChanges: String, Sendable, CaseIterable {
        /// Agents get the new definition at once, and roles keep the tool; the change is shown until it is approved.
        case accept
        /// No role may use the tool, and nobody is told the new definition, until it is approved. So with new tools.
        case quarantine
    }

    /// Who may use a tool that no role is attached to.
    public var toolsWithoutRoles = ToolsWithoutRoles.denied
    /// What becomes of changed tools.
    public var toolChanges = ToolChanges.accept
    /// How long a tool that its service no longer offers keeps its id and roles, in case it comes back.
    public var removedToolGrace = Duration.seconds(7 * 86_400)
    /// When services are read again.
    public var schedule = RefreshSchedule()

    /// The standard policy.
    public init() {}
}

/// When a service is read again in the background.
public struct RefreshSchedule: Sendable, Equatable {
    /// The bounds within which a service's own word (`ttlMs`) counts. MCP 2026-07-28, caching: pollers must not hammer.
    static let timeToLiveBounds = Duration.seconds(300)...Duration.seconds(86_400)
    /// The wait after a first failure; it doubles with each further one, up to the interval.
    static let firstRetry = Duration.seconds(60)
    /// How long an instance has for a reading: more than a discovery may take.
    static let lease = Duration.seconds(120)

    /// From one reading to the next, for a service that says nothing about it. At least a second.
    public var interval = Duration.seconds(3_600)

    /// The standard schedule: once an hour.
    public init() {}

    /// When a service is due again after it was read.
    ///
    /// - Parameters:
    ///   - time: now.
    ///   - timeToLive: how long the service says that its tools hold.
    ///   - jitter: a factor that keeps services from being read all at once.
    /// - Returns: the time of the next reading.
    func next(
        after time: Timestamp,
        timeToLive: Duration?,
        jitter: Double = .random(in: 0.9...1.1)
    ) -> Timestamp {
        guard let timeToLive else { return time + interval * jitter }
        let least = min(interval, Self.timeToLiveBounds.lowerBound)
        return time + max(least, min(timeToLive, Self.timeToLiveBounds.upperBound)) * jitter
    }

    /// When a service is due again after it could not be read, `failures` times in a row.
    func next(
        after time: Timestamp,
        failures: Int,
        jitter: Double = .random(in: 0.9...1.1)
    ) -> Timestamp {
        let doublings = min(max(failures - 1, 0), 16)
        return time + min(Self.firstRetry * (1 << doublings), interval) * jitter
    }
}
