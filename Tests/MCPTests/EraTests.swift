import Testing

@testable import MCP

/// Every row of the table that decides between the two eras.
@Suite("Era of a request")
struct EraTests {
    static let rows: [(header: String?, body: JSONValue?, era: Era)] = [
        (nil, nil, .legacy(.v20250326)),
        ("2024-11-05", nil, .legacy(.v20241105)), ("2025-03-26", nil, .legacy(.v20250326)),
        ("2025-06-18", nil, .legacy(.v20250618)), ("2025-11-25", nil, .legacy(.v20251125)),
        ("2026-07-28", nil, .modern), ("v999", nil, .modern), ("", nil, .modern),
        ("2025-06-18, 2025-06-18", nil, .modern),
        (nil, "2026-07-28", .modern), ("2026-07-28", "2026-07-28", .modern), ("2025-11-25", "2026-07-28", .modern),
        ("v999", "v999", .modern), (nil, "v999", .modern), ("2026-07-28", 5, .modern), (nil, nil as JSONValue, .modern),
        (nil, "2025-11-25", .legacy(.v20251125)), ("2025-11-25", "2025-11-25", .legacy(.v20251125)),
        ("2026-07-28", "2025-11-25", .contradictory), ("2025-06-18", "2025-11-25", .contradictory),
        ("v999", "2025-11-25", .contradictory),
    ]

    @Test("is decided by header and body together", arguments: rows)
    func decision(row: (header: String?, body: JSONValue?, era: Era)) {
        let params: JSONObject? = row.body.map { ["_meta": [MetaKey.protocolVersion: $0]] }
        #expect(Era(header: row.header, params: params) == row.era)
    }

    @Test("is legacy when _meta says nothing of a version")
    func unrelatedMeta() {
        #expect(Era(header: "2025-11-25", params: ["_meta": ["progressToken": 4]]) == .legacy(.v20251125))
        #expect(Era(header: nil, params: ["_meta": 5]) == .legacy(.v20250326))
    }

    @Test("advertised versions are known, and the handshake versions are legacy")
    func versions() {
        #expect(ProtocolVersion.allCases.filter(\.isModern) == [.v20260728])
        #expect(!ProtocolVersion.newestLegacy.isModern)
        #expect(ProtocolVersion.advertised.map(\.rawValue) == ["2026-07-28", "2025-11-25", "2025-06-18", "2025-03-26"])
    }
}
