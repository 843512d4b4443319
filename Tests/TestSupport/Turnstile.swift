/// Lets only so many tests in at once; the others wait in a line.
///
/// The test runner starts everything at once. That is more databases than a test machine's server can make and drop in
/// time, and more services and processes than it can run without each of them missing its time limits. A test's own time
/// limit counts its time in line too, and so only catches what never ends: 10 minutes.
public actor Turnstile {
    /// For tests with a database, a service or a process of their own.
    private static let tests = Turnstile(places: 6)
    @TaskLocal private static var isInside = false

    private var places: Int
    private var line: [CheckedContinuation<Void, Never>] = []

    private init(places: Int) {
        self.places = places
    }

    /// Runs the body as one of the tests that are let in. A body inside another is in already.
    public static func pass<T>(_ body: () async throws -> T) async rethrows -> T {
        guard !isInside else { return try await body() }
        await tests.enter()
        do {
            let value = try await $isInside.withValue(true, operation: body)
            await tests.leave()
            return value
        } catch {
            await tests.leave()
            throw error
        }
    }

    private func enter() async {
        guard places == 0 else {
            places -= 1
            return
        }
        await withCheckedContinuation { line.append($0) }
    }

    private func leave() {
        guard line.isEmpty else { return line.removeFirst().resume() }
        places += 1
    }
}
