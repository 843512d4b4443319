/// Lets only so many in at once; the others wait in a line.
///
/// The test runner starts everything at once, which is more databases than a test machine's server can make in time.
actor Turnstile {
    /// For tests with a database of their own.
    static let databases = Turnstile(places: 4)

    private var places: Int
    private var line: [CheckedContinuation<Void, Never>] = []

    init(places: Int) {
        self.places = places
    }

    func pass<T: Sendable>(_ body: @Sendable () async throws -> T) async rethrows -> T {
        await enter()
        defer { leave() }
        return try await body()
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
