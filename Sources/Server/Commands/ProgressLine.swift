internal import Synchronization

/// Tells how far work on many rows is: on a terminal by a bar that grows in its line, elsewhere by a line for each kind of thing and
/// every 10 s.
final class ProgressLine: Sendable {
    private static let barCharacters = 30

    private struct State {
        var kind: String?
        var done = 0
        /// When a line was last written.
        var spoken = ContinuousClock.now
        var isLineOpen = false
    }

    private let isTerminal: Bool
    private let write: @Sendable (String) -> Void
    private let begun = ContinuousClock.now
    private let state = Mutex(State())

    /// - Parameters:
    ///   - isTerminal: whether lines may be written over.
    ///   - write: takes text as it is.
    init(isTerminal: Bool, write: @escaping @Sendable (String) -> Void) {
        self.isTerminal = isTerminal
        self.write = write
    }

    /// Tells that a batch is settled.
    ///
    /// - Parameters:
    ///   - done: rows that are behind.
    ///   - total: of so many.
    ///   - kind: what they are, in the plural.
    func tell(_ done: Int, of total: Int, _ kind: String) {
        state.withLock { state in
            let isNew = kind != state.kind
            (state.kind, state.done) = (kind, done)
            let words = "\(done) of \(total) rows, \(kind)"
            if isTerminal {
                let filled = total > 0 ? Self.barCharacters * done / total : 0
                let bar =
                    String(repeating: "#", count: filled)
                    + String(repeating: ".", count: Self.barCharacters - filled)
                // \r goes to the beginning of the line, and ESC [K clears it (ECMA-48).
                write("\r\u{1b}[K[\(bar)] \(words)")
                state.isLineOpen = true
            } else if isNew || ContinuousClock.now - state.spoken >= .seconds(10) {
                write("\(words)\n")
                state.spoken = .now
            }
        }
    }

    /// Tells how it ended, on a fresh line.
    func end(_ words: String) {
        state.withLock { state in
            let time = ContinuousClock.now - begun
            let seconds = time.components.seconds
            let tenths = time.components.attoseconds / 100_000_000_000_000_000
            write((state.isLineOpen ? "\n" : "") + "\(words) \(state.done) rows in \(seconds).\(tenths) s\n")
            state.isLineOpen = false
        }
    }
}
