public import DBDriver

/// Work that one of all servers does for the others: whoever has the lease, for as long as it renews it.
public struct Lease: Sendable {
    /// What is done under a lease.
    public enum Work: String, SQLConvertible, Sendable, CaseIterable {
        /// Forgetting what was kept long enough: see ``MCPRegistry/forgetOld()``.
        case cleaning
    }

    /// How long it holds after each renewal: 30 s. So long after its holder has died another takes over at the latest.
    public static let duration = Duration.seconds(30)
    /// How often it is renewed: every 10 s.
    public static let renewal = Duration.seconds(10)

    /// What is done.
    public let work: Work
    let owner: String

    /// A lease that nobody has yet, for one holder of its own.
    public init(of work: Work) {
        self.work = work
        owner = UUID.version7(at: .now())
    }
}
