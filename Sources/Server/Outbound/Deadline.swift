/// Runs `body` and cancels it at the deadline.
///
/// - Parameters:
///   - deadline: When to stop; one in the past still lets `body` begin.
///   - body: The work; must end soon after it is cancelled.
/// - Returns: What `body` returned, or `nil` when the deadline came first or the task was cancelled.
func withDeadline<Value: Sendable>(
    _ deadline: ContinuousClock.Instant,
    _ body: @escaping @Sendable () async -> Value
) async -> Value? {
    await withTaskGroup(of: Value?.self) { group in
        group.addTask { await body() }
        group.addTask {
            try? await Task.sleep(until: deadline)
            return nil
        }
        defer { group.cancelAll() }
        return await group.next() ?? nil
    }
}
