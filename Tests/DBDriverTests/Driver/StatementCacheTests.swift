import TestSupport
import Testing

@testable import DBDriver

/// Prepared statements are kept, but not all of them.
@Suite("Statement cache")
struct StatementCacheTests {
    @Test("the statement unused longest makes room for a new one")
    func eviction() {
        var cache = StatementCache<Int>()
        for number in 0..<cache.capacity { cache.put(number, for: "\(number)") }
        // Used again: 0 is now the youngest, 1 the oldest.
        let zero = cache.take("0")
        #expect(zero == 0)
        cache.put(0, for: "0")
        cache.put(-1, for: "new")
        #expect(cache.take("1") == nil)
        #expect(cache.take("0") == 0)
        #expect(cache.take("2") == 2)
        #expect(cache.take("new") == -1)
    }

    @Test("a statement that runs is not in the cache")
    func take() {
        var cache = StatementCache<Int>()
        cache.put(1, for: "a")
        #expect(cache.take("a") == 1)
        #expect(cache.take("a") == nil)
        cache.put(1, for: "a")
        cache.removeAll()
        #expect(cache.take("a") == nil)
    }

    @Test("a connection holds no more prepared statements on the server than its cache", arguments: Engine.servers)
    func serverSide(engine: Engine) async throws {
        try await engine.withDatabase({ $0.poolSize = 1 }) { database in
            let (before, after, again) = try await database.read { session in
                func prepared() throws -> Int {
                    // Of this connection: prepared and not closed.
                    let rows = try session.rows(
                        "SHOW SESSION STATUS WHERE Variable_name IN ('Com_stmt_prepare', 'Com_stmt_close')"
                    )
                    let counts = try rows.map { row in
                        let count = Int(try row.get("Value", as: String.self)) ?? 0
                        return try row.get("Variable_name") == "Com_stmt_close" ? -count : count
                    }
                    return counts.reduce(0, +)
                }
                let before = try prepared()
                for number in 1...300 { _ = try session.rows("SELECT 1 AS one WHERE 0 IN \(list: Array(0..<number))") }
                let after = try prepared()
                for _ in 1...300 { _ = try session.rows("SELECT 2 AS two") }
                return (before, after, try prepared())
            }
            #expect(before <= 3)
            #expect(after <= 130 && after >= 120)
            #expect(again <= 130)
        }
    }
}
