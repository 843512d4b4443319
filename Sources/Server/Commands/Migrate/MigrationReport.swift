internal import DBDriver
internal import Foundation
internal import Synchronization

/// Tells the progress of a run on standard error.
///
/// On a terminal a line that changes shows the running statement and for how long it has been running. Elsewhere, in the log
/// of a pipeline, each step is a line of its own, and a statement that takes long is mentioned every 10 s.
final class MigrationReport: Sendable {
    /// Characters of a statement's beginning that are shown.
    private static let wordsMax = 60
    /// A table of so many rows may take a while.
    private static let rowsWorthTelling = 10_000

    private enum Activity {
        case waiting
        case running(String, since: ContinuousClock.Instant)
    }

    private struct State {
        var activity: Activity?
        /// When the present activity was last spoken of.
        var spoken: ContinuousClock.Instant
        /// Whether the cursor stands behind text that the next line replaces.
        var isLineOpen = false
    }

    private let isTerminal: Bool
    private let write: @Sendable (String) -> Void
    private let now: @Sendable () -> ContinuousClock.Instant
    private let state: Mutex<State>

    /// - Parameters:
    ///   - isTerminal: whether lines may be written over.
    ///   - now: the time.
    ///   - write: takes text as it is.
    init(
        isTerminal: Bool,
        now: @escaping @Sendable () -> ContinuousClock.Instant = { .now },
        write: @escaping @Sendable (String) -> Void
    ) {
        self.isTerminal = isTerminal
        self.write = write
        self.now = now
        state = Mutex(State(spoken: now()))
    }

    /// Runs the body, and tells on standard error what it reports, until it ends.
    static func telling<T>(
        _ body: (@escaping @Sendable (MigrationProgress) -> Void) async throws(MigrationError) -> T
    ) async throws(MigrationError) -> T {
        let report = MigrationReport(isTerminal: isatty(STDERR_FILENO) == 1) { text in
            FileHandle.standardError.write(Data(text.utf8))
        }
        let ticker = Task {
            while (try? await Task.sleep(for: .seconds(1))) != nil { report.tick() }
        }
        defer {
            ticker.cancel()
            report.endLine()
        }
        return try await body { report.tell($0) }
    }

    /// Tells one thing that happened.
    func tell(_ progress: MigrationProgress) {
        switch progress {
        case .waiting(let holder, let age):
            begin(
                .waiting,
                "waiting for \(holder), which took the migration lock \(age.components.seconds) s ago; "
                    + "the lock of a process that died ends by itself within a minute"
            )
        case .waitingForWriter: begin(.waiting, "waiting for another program that writes to the database file")
        case .begun(let label, let direction, let done, let statements, let left):
            line(
                "\(label) \(direction): \(statements - done) of \(statements) statements to run"
                    + (left > 0 ? ", then \(left) more migration(s)" : "")
            )
        case .statement(let label, let number, let statements, let sql, let rows):
            var text = "\(label): statement \(number) of \(statements)"
            if let rows, rows >= Self.rowsWorthTelling { text += " (about \(rows) rows)" }
            let words = sql.prefix { $0 != "\n" && $0 != "(" }.prefix(Self.wordsMax)
            begin(.running(text, since: now()), "\(text): \(words)")
        case .statementDone(let label, let number, let statements, let milliseconds, let rows):
            guard milliseconds >= 1_000 || rows ?? 0 > 0 else { return state.withLock { $0.activity = nil } }
            line(
                "\(label): statement \(number) of \(statements) done in \(milliseconds) ms"
                    + (rows.map { ", \($0) rows" } ?? "")
            )
        case .foundDone(let label, let number): line("\(label): statement \(number) turned out to be done already")
        case .finished(let migration):
            line("\(migration.label) \(migration.direction): done in \(migration.milliseconds) ms")
        case .reconnecting: line("the connection was lost, connecting again")
        }
    }

    /// Says how long the present statement has been running: each second on a terminal, else every 10 s.
    func tick() {
        state.withLock { state in
            guard case .running(let text, let since) = state.activity else { return }
            let now = now()
            guard isTerminal || now - state.spoken >= .seconds(10) else { return }
            state.spoken = now
            put("\(text), running for \((now - since).components.seconds) s", open: isTerminal, &state)
        }
    }

    /// Leaves the cursor on a fresh line.
    func endLine() {
        state.withLock { state in
            if state.isLineOpen { write("\n") }
            state.isLineOpen = false
        }
    }

    /// An activity that may last. In a log its beginning is told once, on a terminal until something else happens; a wait
    /// that goes on is told again every 5 s.
    private func begin(_ activity: Activity, _ text: String) {
        state.withLock { state in
            if !isTerminal, case (.waiting, .waiting?) = (activity, state.activity),
                now() - state.spoken < .seconds(5)
            {
                return
            }
            state.activity = activity
            state.spoken = now()
            put(text, open: isTerminal, &state)
        }
    }

    private func line(_ text: String) {
        state.withLock { state in
            state.activity = nil
            put(text, open: false, &state)
        }
    }

    private func put(_ text: String, open: Bool, _ state: inout State) {
        // \r goes to the beginning of the line, and ESC [K clears it (ECMA-48).
        write((state.isLineOpen ? "\r\u{1b}[K" : "") + text + (open ? "" : "\n"))
        state.isLineOpen = open
    }
}
