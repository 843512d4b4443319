import DBDriver
import TestSupport
import Testing

/// What is stored comes back the same, on each engine.
@Suite("Values round-trip")
struct ValueTests {
    static let table: [Dialect: String] = [
        .sqlite: """
        CREATE TABLE samples (id INTEGER PRIMARY KEY, i INTEGER, r REAL, t TEXT, b BLOB) STRICT
        """,
        .mysql: """
        CREATE TABLE samples (id BIGINT PRIMARY KEY, i BIGINT, r DOUBLE, t LONGTEXT, b LONGBLOB)
        ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin
        """,
    ]

    func roundTrip<Value: SQLConvertible & Equatable & Sendable>(
        _ values: [Value],
        column: StaticString,
        on engine: Engine
    ) async throws {
        try await engine.withDatabase { database in
            try await database.execute(try #require(Self.table[engine.dialect]))
            let insert: SQL =
                switch column.description {
                case "i": "INSERT INTO samples (i, id) VALUES "
                case "r": "INSERT INTO samples (r, id) VALUES "
                case "t": "INSERT INTO samples (t, id) VALUES "
                default: "INSERT INTO samples (b, id) VALUES "
                }
            try await database.write { session in
                for (index, value) in values.enumerated() {
                    try session.execute("\(insert)(\(value), \(index))")
                }
            }
            let found = try await database.read { session in
                try session.rows("SELECT i, r, t, b FROM samples ORDER BY id").map {
                    try $0.get(column.description, as: Value.self)
                }
            }
            #expect(found == values)
        }
    }

    @Test("64-bit integers, NULL included, come back exactly", arguments: Engine.available)
    func integers(engine: Engine) async throws {
        try await roundTrip([Int64.min, -1, 0, 1, nil, Int64.max], column: "i", on: engine)
    }

    @Test("booleans are 0 and 1", arguments: Engine.available)
    func booleans(engine: Engine) async throws {
        try await roundTrip([true, false], column: "i", on: engine)
    }

    @Test("doubles come back bit for bit", arguments: Engine.available)
    func doubles(engine: Engine) async throws {
        let values = [0.1, -1.5e300, .leastNonzeroMagnitude, .greatestFiniteMagnitude, 0]
        try await roundTrip(values, column: "r", on: engine)
    }

    @Test("empty text, NUL characters and every Unicode plane come back exactly", arguments: Engine.available)
    func text(engine: Engine) async throws {
        let planes = (0...16).compactMap { UnicodeScalar(UInt32($0) * 0x10000 + 0x41) }.map { String(Character($0)) }
        let values: [String?] =
            [nil, "", " ", "a\0b", "\0", "'; DROP TABLE samples; --", "Ünï\u{308} 🍕", "a "] + planes
        try await roundTrip(values, column: "t", on: engine)
    }

    @Test("empty blobs, zero bytes and 1 MiB come back exactly", arguments: Engine.available)
    func blobs(engine: Engine) async throws {
        let megabyte = (0..<1_048_576).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        try await roundTrip([nil, [], [0], [0xff, 0, 0x80], megabyte] as [[UInt8]?], column: "b", on: engine)
    }

    @Test("1 MiB of text comes back exactly", arguments: Engine.available)
    func longText(engine: Engine) async throws {
        try await roundTrip([String(repeating: "añ🍕b", count: 131_072)], column: "t", on: engine)
    }

    @Test("times keep their microseconds, before 1970 and after 2038 too", arguments: Engine.available)
    func times(engine: Engine) async throws {
        let values = [-1, 0, 1_795_000_000_123_456, 4_102_444_800_000_001].map { Timestamp(microseconds: $0) }
        try await roundTrip(values + [.now()], column: "i", on: engine)
    }

    @Test("a value among the columns comes back in its own type, another one each time", arguments: Engine.available)
    func bareValues(engine: Engine) async throws {
        try await engine.withDatabase { database in
            try await database.read { session in
                for _ in 0..<2 {
                    try same(Int64.min, session)
                    try same(0.1, session)
                    try same(Int64?.none, session)
                    try same(String(repeating: "ü", count: 70_000), session)
                    // MySQL takes bytes there for text.
                    if engine != .mysql { try same([0, 255] as [UInt8], session) }
                }
            }
        }
    }

    private func same<Value: SQLConvertible & Equatable>(_ value: Value, _ session: Session) throws {
        let row = try #require(try session.row("SELECT \(value) AS value, 'x' AS other"))
        #expect(try row.get("value", as: Value.self) == value)
        #expect(try row.get("other", as: String.self) == "x")
    }

    @Test("a number beyond 63 bits is an error, not a wrong value", arguments: Engine.servers)
    func unsignedOverflow(engine: Engine) async throws {
        try await engine.withDatabase { database in
            let error = await #expect(throws: DatabaseError.self) {
                try await database.read { try $0.row("SELECT 18446744073709551615 AS n") }
            }
            #expect(error?.kind == .decoding)
        }
    }

    @Test(
        "a missing column, a wrong kind and an unexpected NULL name the column, never the value",
        arguments: Engine.available
    )
    func decodingErrors(engine: Engine) async throws {
        try await engine.withDatabase { database in
            let found = try await database.read { try $0.row("SELECT 'secret-value' AS a, NULL AS n") }
            let row = try #require(found)
            for attempt in [
                { _ = try row.get("missing", as: String.self) }, { _ = try row.get("a", as: Int64.self) },
                { _ = try row.get("n", as: String.self) },
            ] as [() throws -> Void] {
                let error = #expect(throws: DatabaseError.self, performing: attempt)
                #expect(error?.kind == .decoding)
                #expect(error?.description.contains("secret-value") == false)
            }
        }
    }
}
