import Synchronization
import TestSupport
import Testing

@testable import DBDriver

/// Servers that stop answering while connections to them are in use.
@Suite("Lease watch", .timeLimit(.minutes(2)))
struct LeaseWatchTests {
    /// What was asked and found.
    final class Findings: Sendable {
        private let state = Mutex((asked: 0, lost: [Int]()))

        var asked: Int { state.withLock { $0.asked } }
        var lost: [Int] { state.withLock { $0.lost } }

        func ask() { state.withLock { $0.asked += 1 } }
        func lose(_ host: Int) { state.withLock { $0.lost.append(host) } }
    }

    static func probe(_ findings: Findings, _ error: DatabaseError?) -> HostProbe {
        HostProbe(
            host: 1,
            ask: { () throws(DatabaseError) in
                findings.ask()
                if let error { throw error }
                return try SQLiteSession(SQLiteConfiguration(path: ":memory:"), access: .readWrite, isReadOnly: false)
            },
            failed: { _, _ in }
        )
    }

    static func until(_ condition: () -> Bool) async throws {
        while !condition() { try await Task.sleep(for: .milliseconds(20)) }
    }

    @Test("a server that does not answer is reported, once its connection was in use for long enough")
    func lost() async throws {
        let findings = Findings()
        let watch = LeaseWatch()
        watch.whenLost { findings.lose($0) }
        let start = ContinuousClock.now
        watch.lent(7, Self.probe(findings, DatabaseError(.unavailable, code: 2013, message: "")))
        try await Self.until { !findings.lost.isEmpty }
        #expect(findings.lost == [1])
        #expect(ContinuousClock.now - start >= LeaseWatch.patience)
    }

    @Test("a server that answers, be it with a refusal, is not reported", arguments: [nil, 1040, 1045])
    func answers(code: Int?) async throws {
        let findings = Findings()
        let watch = LeaseWatch()
        watch.whenLost { findings.lose($0) }
        watch.lent(7, Self.probe(findings, code.map { DatabaseError(.unavailable, code: $0, message: "") }))
        try await Self.until { findings.asked >= 2 }
        #expect(findings.lost.isEmpty)
    }

    @Test("a connection that came back is watched no longer")
    func returned() async throws {
        let findings = Findings()
        let watch = LeaseWatch()
        watch.whenLost { findings.lose($0) }
        watch.lent(7, Self.probe(findings, nil))
        watch.returned(7)
        watch.lent(8, Self.probe(findings, nil))
        try await Self.until { findings.asked >= 1 }
        watch.returned(8)
        let asked = findings.asked
        try await Task.sleep(for: LeaseWatch.patience + .seconds(1))
        #expect(findings.asked <= asked + 1, "at most one question was under way")
    }

    @Test("what has no time left is interrupted")
    func deadline() async throws {
        let (findings, ended) = (Findings(), Tally())
        let watch = LeaseWatch()
        watch.whenLost { findings.lose($0) }
        watch.lent(7, Self.probe(findings, nil))
        watch.limit(7, .now + .milliseconds(100)) { ended.add() }
        try await Self.until { ended.count == 1 }
        try await Task.sleep(for: .seconds(1))
        #expect(ended.count == 1)
    }
}
