@testable public import DBDriver

extension DatabaseError {
    /// The error of a transaction that lost a conflict, for tests of what happens next.
    public static let simulatedConflict = DatabaseError(.conflict, code: 1213, message: "simulated")
}
