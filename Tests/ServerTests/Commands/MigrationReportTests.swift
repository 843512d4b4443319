import DBDriver
import Synchronization
import Testing

@testable import Server

@Suite("Report of a migration")
struct MigrationReportTests {
    /// A report on a terminal or in a log, what it has written, and a clock that a test moves on.
    private final class Screen: Sendable {
        let report: MigrationReport
        private let text: Mutex<String>.Shared
        private let clock: Mutex<ContinuousClock.Instant>.Shared

        init(isTerminal: Bool) {
            let (text, clock) = (Mutex<String>.Shared(""), Mutex<ContinuousClock.Instant>.Shared(.now))
            (self.text, self.clock) = (text, clock)
            report = MigrationReport(
                isTerminal: isTerminal,
                now: { clock.value.withLock { $0 } },
                write: { new in text.value.withLock { $0 += new } }
            )
        }

        func pass(_ seconds: Int) { clock.value.withLock { $0 += .seconds(seconds) } }

        /// What was written since the last call.
        func new() -> String {
            text.value.withLock { text in
                defer { text = "" }
                return text
            }
        }
    }

    private static let begun = MigrationProgress.begun(
        label: "0002_b",
        direction: .up,
        statementDone: 1,
        statements: 3,
        left: 4
    )
    private static let statement = MigrationProgress.statement(
        label: "0002_b",
        number: 2,
        statements: 3,
        text: "CREATE TABLE b (\n  id INT\n)"
    )
    private static let waiting = MigrationProgress.waiting(holder: "web-1:7", heldFor: .seconds(9))
    private static let waitingText =
        "waiting for web-1:7, which took the migration lock 9 s ago; the lock of a process that "
        + "died ends by itself within a minute"

    private static func done(milliseconds: Int64, rows: Int? = nil) -> MigrationProgress {
        .statementDone(label: "0002_b", number: 2, statements: 3, milliseconds: milliseconds, rows: rows)
    }

    @Test("in a log each step is a line of its own, without control characters")
    func log() {
        let screen = Screen(isTerminal: false)
        for progress in [
            Self.begun, Self.statement, Self.done(milliseconds: 2), .foundDone(label: "0002_b", number: 3),
            .reconnecting,
        ] { screen.report.tell(progress) }
        screen.report.endLine()
        #expect(
            screen.new() == """
                0002_b up: 2 of 3 statements to run, then 4 more migration(s)
                0002_b: statement 2 of 3: CREATE TABLE b 
                0002_b: statement 3 turned out to be done already
                the connection was lost, connecting again

                """
        )
    }

    @Test("a statement is told when it is done if it took a second, or changed rows")
    func statementDone() {
        let screen = Screen(isTerminal: false)
        screen.report.tell(Self.done(milliseconds: 999))
        screen.report.tell(Self.done(milliseconds: 999, rows: 0))
        #expect(screen.new() == "")
        screen.report.tell(Self.done(milliseconds: 1_000))
        #expect(screen.new() == "0002_b: statement 2 of 3 done in 1000 ms\n")
        screen.report.tell(Self.done(milliseconds: 3, rows: 12))
        #expect(screen.new() == "0002_b: statement 2 of 3 done in 3 ms, 12 rows\n")
    }

    @Test("only the beginning of a long statement is shown")
    func longStatement() {
        let screen = Screen(isTerminal: false)
        let text = "UPDATE t SET " + String(repeating: "x", count: 100)
        screen.report.tell(.statement(label: "0002_b", number: 1, statements: 1, text: text))
        #expect(screen.new() == "0002_b: statement 1 of 1: \(text.prefix(60))\n")
    }

    @Test("of a big table it is told about how many rows it has")
    func rows() {
        let screen = Screen(isTerminal: false)
        screen.report.tell(.statement(label: "0002_b", number: 1, statements: 1, text: "ALTER TABLE t", rows: 9_999))
        #expect(screen.new() == "0002_b: statement 1 of 1: ALTER TABLE t\n")
        screen.report.tell(.statement(label: "0002_b", number: 1, statements: 1, text: "ALTER TABLE t", rows: 10_000))
        #expect(screen.new() == "0002_b: statement 1 of 1 (about 10000 rows): ALTER TABLE t\n")
    }

    @Test("in a log a long statement is mentioned every 10 s, until something else happens")
    func tickingInLog() {
        let screen = Screen(isTerminal: false)
        screen.report.tick()
        screen.report.tell(Self.statement)
        _ = screen.new()
        for _ in 1...9 {
            screen.pass(1)
            screen.report.tick()
        }
        #expect(screen.new() == "")
        screen.pass(1)
        screen.report.tick()
        #expect(screen.new() == "0002_b: statement 2 of 3, running for 10 s\n")
        screen.pass(10)
        screen.report.tick()
        #expect(screen.new() == "0002_b: statement 2 of 3, running for 20 s\n")
        screen.report.tell(Self.done(milliseconds: 20_000))
        _ = screen.new()
        screen.pass(60)
        screen.report.tick()
        #expect(screen.new() == "")
    }

    @Test("a quick statement that is done is not said to be running")
    func tickingAfterDone() {
        let screen = Screen(isTerminal: true)
        screen.report.tell(Self.statement)
        screen.report.tell(Self.done(milliseconds: 3))
        _ = screen.new()
        screen.pass(20)
        screen.report.tick()
        #expect(screen.new() == "")
    }

    @Test("on a terminal the running statement's line is written over each second, and lines that stay begin afresh")
    func terminal() {
        let screen = Screen(isTerminal: true)
        let over = "\r\u{1b}[K"
        screen.report.tell(Self.begun)
        #expect(screen.new() == "0002_b up: 2 of 3 statements to run, then 4 more migration(s)\n")
        screen.report.tell(Self.statement)
        #expect(screen.new() == "0002_b: statement 2 of 3: CREATE TABLE b ")
        for second in 1...2 {
            screen.pass(1)
            screen.report.tick()
            #expect(screen.new() == over + "0002_b: statement 2 of 3, running for \(second) s")
        }
        screen.report.tell(Self.done(milliseconds: 2_000))
        #expect(screen.new() == over + "0002_b: statement 2 of 3 done in 2000 ms\n")
        screen.report.tell(Self.statement)
        #expect(screen.new() == "0002_b: statement 2 of 3: CREATE TABLE b ")
        screen.report.endLine()
        screen.report.endLine()
        #expect(screen.new() == "\n", "the shell's prompt stands on a line of its own")
    }

    @Test("a wait is told again every 5 s in a log, and each time on a terminal")
    func wait() {
        let log = Screen(isTerminal: false)
        log.report.tell(Self.waiting)
        #expect(log.new() == Self.waitingText + "\n")
        log.pass(4)
        log.report.tell(Self.waiting)
        log.report.tick()
        #expect(log.new() == "")
        log.pass(1)
        log.report.tell(Self.waiting)
        #expect(log.new() == Self.waitingText + "\n")

        let terminal = Screen(isTerminal: true)
        terminal.report.tell(Self.waiting)
        terminal.report.tell(Self.waiting)
        #expect(terminal.new() == Self.waitingText + "\r\u{1b}[K" + Self.waitingText)
        terminal.report.tell(Self.begun)
        #expect(terminal.new().hasPrefix("\r\u{1b}[K0002_b up: "))
    }
}
