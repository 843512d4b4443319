import Testing

/// The table of docs/architecture.md: who may know whom. An import that is not here is a decision to be taken there first.
@Suite("Imports")
struct ImportTests {
    /// What every target may import: the toolchain's own modules.
    private static let toolchain: Set = ["Dispatch", "Glibc", "Synchronization"]

    private static let allowed: [(folder: String, modules: Set<String>)] = [
        ("Sources/CMariaDB", []),
        ("Sources/CSQLite", []),
        ("Sources/DBDriver", ["CMariaDB", "CSQLite", "Crypto", "Logging", "Metrics", "ServiceLifecycle", "Tracing"]),
        ("Sources/Registry", ["Crypto", "DBDriver", "FoundationEssentials", "Logging", "Metrics"]),
        ("Sources/MCP", ["FoundationEssentials"]),
        (
            "Sources/Server",
            [
                "ArgumentParser", "AsyncHTTPClient", "Crypto", "DBDriver", "Foundation", "HTTPTypes",
                "HummingbirdCore", "Instrumentation", "JWTKit", "Logging", "MCP", "Metrics",
                "Migrations", "Mustache",
                "NIOCore", "NIOEmbedded", "NIOHTTP1",
                "NIOHTTPCompression", "NIOHTTPTypes", "NIOHTTPTypesHTTP1", "NIOPosix", "NIOSSL", "Registry",
                "ServiceContextModule", "ServiceLifecycle",
                "Tracing", "UnixSignals",
            ]
        ),
        ("Migrations", []),
        ("Plugins", ["Foundation", "FoundationEssentials", "PackagePlugin"]),
    ]

    @Test("every target imports only what the architecture allows", arguments: allowed.map(\.folder))
    func allowedImports(_ folder: String) throws {
        let modules = try #require(Self.allowed.first { $0.folder == folder }?.modules)
        for file in try SourceTree.swiftFiles(folder) {
            for module in file.imports {
                #expect(modules.contains(module) || Self.toolchain.contains(module), "\(file) imports \(module)")
            }
        }
    }

    @Test("every target is in the table")
    func completeTable() throws {
        let targets = try SourceTree.entries("Sources").map { "Sources/" + $0 } + ["Migrations", "Plugins"]
        #expect(Set(targets) == Set(Self.allowed.map(\.folder)))
    }

    @Test("the C libraries are seen by their engine's folder only")
    func clientLibraries() throws {
        for file in try SourceTree.swiftFiles("Sources") {
            for (module, folder) in [("CMariaDB", "MariaDB"), ("CSQLite", "SQLite")] where file.imports.contains(module)
            {
                #expect(file.path.hasPrefix("Sources/DBDriver/\(folder)/"), "\(file) imports \(module)")
            }
        }
    }

    @Test("import lines are read in all their forms")
    func reader() {
        let lines = [
            "public import A", "@testable import B", "import struct.C", "import D.E", "  import F", "// import G",
        ]
        #expect(SourceTree.File(path: "", lines: lines).imports == ["A", "B", "struct", "D"])
    }
}
