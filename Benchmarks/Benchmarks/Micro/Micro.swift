import Benchmark
import DBDriver
import Foundation
import Logging
import MCP
import Registry

/// What the steps of a request take by themselves. The round trip to MariaDB is measured when `TEST_MARIADB_URL` names a server.
let benchmarks: @Sendable () -> Void = {
    Benchmark.defaultConfiguration = .init(
        metrics: [.wallClock, .cpuTotal, .throughput],
        warmupIterations: 10,
        scalingFactor: .kilo,
        maxDuration: .seconds(2)
    )

    let call = Array(
        #"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"get_tools","arguments":{"service_name":"service-17"}}}"#
            .utf8
    )
    Benchmark("decode: a tools/call") { benchmark in
        for _ in benchmark.scaledIterations { blackHole(try JSONValue.parse(call)) }
    }

    let services = JSONValue.object(
        JSONObject(
            (0..<50).map { number in
                ("service-\(number)", ["transport": "streamable_http", "url": "https://service-\(number).example/mcp"])
            }
        )
    )
    Benchmark("encode: 50 services") { benchmark in
        for _ in benchmark.scaledIterations { blackHole(services.serialized()) }
    }

    let written = JSONValue.object(["jsonrpc": "2.0", "id": 7, "result": .encoded(EncodedJSON(services))])
    Benchmark("encode: 50 services that are written already") { benchmark in
        for _ in benchmark.scaledIterations { blackHole(written.serialized()) }
    }

    let context = TokenContext(purpose: "user-token", serviceID: "s", userID: "u", field: "access_token")
    let token = Secret("a token of about the length that most tokens have, 64 characters")
    Benchmark("vault: seal") { benchmark in
        let vault = TokenVault(ring: try KeyRing.single(KeyRing.generateKey()))
        benchmark.startMeasurement()
        for _ in benchmark.scaledIterations { blackHole(try vault.seal(token, context: context)) }
    }
    Benchmark("vault: open") { benchmark in
        let vault = TokenVault(ring: try KeyRing.single(KeyRing.generateKey()))
        let sealed = try vault.seal(token, context: context)
        benchmark.startMeasurement()
        for _ in benchmark.scaledIterations { blackHole(try vault.open(sealed, context: context)) }
    }

    let file = FileManager.default.temporaryDirectory.appending(
        path: "registry-micro-\(ProcessInfo.processInfo.processIdentifier).db"
    )
    roundTrip("SQLite", "sqlite:///\(file.path())")
    if let url = ProcessInfo.processInfo.environment["TEST_MARIADB_URL"] { roundTrip("MariaDB", url) }
}

/// One query over a connection that is open, through the pool.
private func roundTrip(_ engine: String, _ url: String) {
    Benchmark("SQL round trip: \(engine)") { benchmark in
        var configuration = try DatabaseConfiguration(url: url)
        if case .sqlite(var sqlite) = configuration.engine {
            sqlite.createIfMissing = true
            configuration.engine = .sqlite(sqlite)
        }
        let database = Database(configuration, logger: Logger(label: "micro"))
        try await database.ping()
        benchmark.startMeasurement()
        for number in benchmark.scaledIterations {
            blackHole(
                try await database.read {
                    try $0.row("SELECT CAST(\(number) AS SIGNED) AS number")?.get("number", as: Int.self)
                }
            )
        }
        benchmark.stopMeasurement()
        await database.shutDown()
    }
}
