/// One migration to apply or take back, and where to go on in it.
struct MigrationStep: Sendable {
    let migration: Migration
    let direction: MigrationDirection
    let script: MigrationScript
    /// The version's row as the plan saw it.
    let row: LedgerRow?

    /// The row, when an earlier run stopped in the middle of this very step.
    var interrupted: LedgerRow? { row.flatMap { $0.isHalfApplied ? $0 : nil } }
}

/// What a run may overlook in the history.
public struct MigrationLeniency: Sendable, Equatable {
    /// Versions that may be applied although a later one is applied already.
    public var outOfOrder: Set<Int> = []
    /// Whether versions above the latest of the files are left alone rather than refused.
    public var ignoresNewer = false

    /// Nothing is overlooked.
    public init() {}
}

/// What has to be done: the files against the rows in the database. Pure.
enum MigrationPlan {
    /// The steps that bring the schema up to a version.
    ///
    /// - Throws: ``MigrationError`` when there is no such version, or the rows do not fit the files.
    static func up(
        _ folder: MigrationFolder,
        _ rows: [LedgerRow],
        to target: Int? = nil,
        leniency: MigrationLeniency = MigrationLeniency()
    ) throws(MigrationError) -> [MigrationStep] {
        let target = target ?? folder.latest
        let rows = leniency.ignoresNewer ? rows.filter { $0.version <= folder.latest } : rows
        try check(folder, rows)
        try checkVersion(target, folder)
        for version in leniency.outOfOrder.sorted() { try checkVersion(version, folder) }
        let states = Dictionary(uniqueKeysWithValues: rows.map { ($0.version, $0) })
        if let half = rows.first(where: \.isHalfApplied), half.direction == .down || half.version > target {
            throw .halfApplied(folder.halfApplied(half))
        }
        let applied = rows.last(where: \.isApplied)?.version ?? 0
        var steps: [MigrationStep] = []
        for migration in folder.migrations where states[migration.version]?.isApplied != true {
            guard migration.version > applied || leniency.outOfOrder.contains(migration.version) else {
                throw .skipped(version: migration.version, applied: applied)
            }
            guard migration.version <= target else { break }
            let row = states[migration.version]
            steps.append(MigrationStep(migration: migration, direction: .up, script: migration.up, row: row))
        }
        return steps
    }

    /// The steps that take the schema down to a version, the latest first.
    ///
    /// - Parameters:
    ///   - folder: the files.
    ///   - rows: what the database knows.
    ///   - target: the version.
    ///   - edited: a version whose files may have changed since they were applied.
    /// - Returns: the steps, in order.
    /// - Throws: ``MigrationError`` when there is no such version, a step is irreversible, or the rows do not fit the files.
    static func down(
        _ folder: MigrationFolder,
        _ rows: [LedgerRow],
        to target: Int,
        edited: Int? = nil
    ) throws(MigrationError) -> [MigrationStep] {
        // Whoever stopped in the middle of the old text can't go on in a new one.
        try check(folder, rows.filter { $0.version != edited || $0.isHalfApplied })
        try checkVersion(target, folder)
        if let half = rows.first(where: \.isHalfApplied), half.direction == .up || half.version <= target {
            throw .halfApplied(folder.halfApplied(half))
        }
        var steps: [MigrationStep] = []
        for row in rows.reversed() where row.version > target && row.isBegun {
            guard let migration = folder.migration(row.version) else {
                throw .unknownVersion(row.version, name: row.name)
            }
            guard let script = migration.down else {
                throw .irreversible(
                    version: row.version,
                    reason: migration.header.irreversible ?? "it has no down script"
                )
            }
            steps.append(MigrationStep(migration: migration, direction: .down, script: script, row: row))
        }
        return steps
    }

    /// The steps that take back the last `count` applied migrations, the latest first.
    ///
    /// - Throws: as ``down(_:_:to:)``.
    static func down(
        _ folder: MigrationFolder,
        _ rows: [LedgerRow],
        steps count: Int
    ) throws(MigrationError) -> [MigrationStep] {
        let applied = rows.filter(\.isBegun).map(\.version)
        return try down(folder, rows, to: count < applied.count ? applied[applied.count - count - 1] : 0)
    }

    /// Whether everything that was applied is in the folder, under the same name and unchanged.
    static func check(_ folder: MigrationFolder, _ rows: [LedgerRow]) throws(MigrationError) {
        if let difference = differences(folder, rows).first { throw difference }
    }

    /// Everything in which the history differs from the files: ``MigrationError/unknownVersion(_:name:)``,
    /// ``MigrationError/renamed(version:applied:folder:)`` and ``MigrationError/edited(version:path:)``, by version.
    static func differences(_ folder: MigrationFolder, _ rows: [LedgerRow]) -> [MigrationError] {
        rows.filter(\.isBegun).flatMap { row -> [MigrationError] in
            guard let migration = folder.migration(row.version) else {
                return [.unknownVersion(row.version, name: row.name)]
            }
            var differences: [MigrationError] = []
            if migration.name != row.name {
                differences.append(.renamed(version: row.version, applied: row.name, folder: migration.name))
            }
            if migration.up.checksum != row.upChecksum {
                differences.append(.edited(version: row.version, path: migration.up.path))
            }
            if migration.down?.checksum != row.downChecksum {
                let path = migration.down?.path ?? "\(migration.label)/down"
                differences.append(.edited(version: row.version, path: path))
            }
            return differences
        }
    }

    private static func checkVersion(_ version: Int, _ folder: MigrationFolder) throws(MigrationError) {
        guard (0...folder.latest).contains(version) else { throw .noSuchVersion(version, latest: folder.latest) }
    }
}

extension [MigrationStep] {
    /// The same steps.
    ///
    /// - Throws: ``MigrationError/notConfirmed(version:)`` for one that is not among the versions.
    func confirmed(by versions: Set<Int>?) throws(MigrationError) -> [MigrationStep] {
        if let versions, let other = first(where: { !versions.contains($0.migration.version) }) {
            throw .notConfirmed(version: other.migration.version)
        }
        return self
    }
}

extension MigrationFolder {
    /// Where the run of a row stopped, in words of the script. The row has been checked against the folder.
    func halfApplied(_ row: LedgerRow) -> HalfAppliedMigration {
        let script = migration(row.version)?.script(row.direction)
        var error: DatabaseError?
        if row.state == .failed {
            error = DatabaseError(.other, code: row.errorCode ?? 0, message: row.errorText ?? "no text")
        }
        return HalfAppliedMigration(
            version: row.version,
            name: row.name,
            direction: row.direction,
            script: script,
            statement: row.statementDone + 1,
            error: error
        )
    }
}

extension HalfAppliedMigration {
    init(
        version: Int,
        name: String,
        direction: MigrationDirection,
        script: MigrationScript?,
        statement: Int,
        error: DatabaseError?
    ) {
        let statements = script?.statements ?? []
        let stopped = statements.indices.contains(statement - 1) ? statements[statement - 1] : nil
        self.init(
            version: version,
            name: name,
            direction: direction,
            place: "\(script?.path ?? "unknown"):\(stopped?.line ?? 1)",
            statement: statement,
            statements: statements.count,
            text: stopped?.text ?? "",
            error: error
        )
    }
}
