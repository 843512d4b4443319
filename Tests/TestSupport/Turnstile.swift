/// Lets only so many in at once; the others wait in a line.
///
/// The test runner starts everything at once, which is more databases than a test machine's server can make and drop in
/// time.
actor Turnstile {
    /// For tests with a database of their own.
    static let databases = Turnstile(places: 6)

    private var places: Int
    private var line: [CheckedContinuation<Void, Never>] = []

    init(places: Int) {
        self.places = places
    }

    func enter() async {
        guard places == 0 else {
            places -= 1
            return
        }
        await withCheckedContinuation { line.append($0) }
    }

    func leave() {
        guard line.isEmpty else { return line.removeFirst().resume() }
        places += 1
    }
}
