internal import ArgumentParser
internal import DBDriver

/// What the commands share that run migrations.
struct MigrationRunOptions: ParsableArguments {
    @Option(help: "Seconds to wait for another run. (default: 300)")
    var lockWait: Int?

    @Option(
        help: "Seconds to wait for a statement that the server still runs after its connection was lost. (default: 600)"
    )
    var ddlWait: Int?

    func validate() throws {
        try MigrateOptions.check(lockWait, "--lock-wait")
        try MigrateOptions.check(ddlWait, "--ddl-wait")
    }

    func apply(to options: inout Migrator.Options) {
        if let lockWait { options.lockWait = .seconds(lockWait) }
        if let ddlWait { options.ddlWait = .seconds(ddlWait) }
    }
}

/// What may be overlooked in the history.
struct LeniencyOptions: ParsableArguments {
    @Option(help: "Apply this version although a later one is applied already. May be repeated.")
    var allowOutOfOrder: [Int] = []

    @Flag(help: "Leave migrations alone that the database has and the files have not.")
    var ignoreNewer = false

    var leniency: MigrationLeniency {
        var leniency = MigrationLeniency()
        leniency.outOfOrder = Set(allowOutOfOrder)
        leniency.ignoresNewer = ignoreNewer
        return leniency
    }
}
