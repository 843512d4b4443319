internal import DBDriver

/// One import on its way: reads the original page by page, and settles each batch in one transaction.
struct ImportRun {
    /// Rows of a page, and of a transaction; a service and its tools stay together whatever their number.
    static let rowsPerBatch = 500

    let registry: MCPRegistry
    let original: OriginalDatabase
    let vault: TokenVault
    let isDryRun: Bool
    let progress: @Sendable (ImportProgress) -> Void

    var report = ImportReport()
    /// The names of the original's services whose tools and tokens may follow, by row.
    var services: [Int64: ServiceName] = [:]
    /// The original's tools that could not follow, by row.
    var refusedTools: Set<Int64> = []
    /// The names of the original's roles, by row; nil for one that can't be a name here.
    var roles: [Int64: RoleName?] = [:]
    /// The original's service at each endpoint, by the endpoint's digest: what it takes for two can be one.
    var endpoints: [[UInt8]: ServiceName] = [:]
    private var done = 0

    init(
        registry: MCPRegistry,
        original: OriginalDatabase,
        vault: TokenVault,
        isDryRun: Bool,
        progress: @escaping @Sendable (ImportProgress) -> Void
    ) {
        self.registry = registry
        self.original = original
        self.vault = vault
        self.isDryRun = isDryRun
        self.progress = progress
    }

    /// Goes through all rows of a table.
    ///
    /// - Parameters:
    ///   - read: reads some of the rows behind an id.
    ///   - settle: what to do with a page of them.
    /// - Throws: `unavailable` when the original can't be read; whatever `settle` throws.
    mutating func eachPage<Row: OriginalRow>(
        _ read: @escaping @Sendable (Int64, Int, Session) throws -> [Row],
        _ settle: (inout ImportRun, [Row]) async throws(RegistryError) -> Void
    ) async throws(RegistryError) {
        var last = Int64.min
        while true {
            let after = last
            let page = try await original.read { try read(after, Self.rowsPerBatch, $0) }
            guard let end = page.last else { return }
            try await settle(&self, page)
            last = end.row
        }
    }

    /// Tells how far it is.
    mutating func advance(_ kind: ImportReport.Kind, by rows: Int) {
        done += rows
        progress(ImportProgress(kind: kind, done: done, total: max(done, original.rowCount)))
    }

    /// Decides what becomes of a batch by reading only. If something is to be added it is decided again, and written, in one
    /// transaction with its audit row.
    ///
    /// - Parameters:
    ///   - words: what the batch holds.
    ///   - decide: looks at what is here.
    ///   - write: adds what was decided.
    /// - Returns: what became of each row.
    /// - Throws: `unavailable`
    func settle<Step: ImportStep>(
        _ words: String,
        _ decide: @escaping @Sendable (Session) throws -> [Step],
        _ write: @escaping @Sendable ([Step], Session, Timestamp) throws -> Void
    ) async throws(RegistryError) -> [Step] {
        let steps = try await registry.snapshot(decide)
        guard !isDryRun, steps.contains(where: \.isAddition) else { return steps }
        return try await registry.changeEachTime(.importOriginal, words, by: .importer) { session, time in
            let steps = try decide(session)
            try write(steps, session, time)
            return steps
        }
    }
}

/// What becomes of a row, and of what belongs to it.
protocol ImportStep: Sendable {
    /// Whether anything is to be written.
    var isAddition: Bool { get }
}

extension ImportOutcome: ImportStep {
    var isAddition: Bool { self == .added }
}

extension Collection where Element: OriginalRow {
    /// The rows of a batch in words, for the audit log.
    func words(_ table: String) -> String {
        "original registry: \(table), rows \(first?.row ?? 0) to \(self.map(\.row).last ?? 0)"
    }
}

extension Timestamp {
    /// A time for each row of a batch: lists are in the order of the times, and keep the original's so.
    func place(_ place: Int) -> Timestamp { self + .microseconds(place) }
}

/// Reasons that more than one kind of row has.
enum ImportReason {
    static let service = "its service could not be brought over"
    static let goneService = "its service was removed here meanwhile"
}
