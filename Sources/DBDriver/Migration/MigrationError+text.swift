extension MigrationError: CustomStringConvertible {
    /// The exit code of a command that ends with this error: 1 for an error, 2 for a wrong request, 3 when the history in the
    /// database does not fit the files, 4 when a migration is half applied, 7 for a lock or wait time-out, 8 when the
    /// database cannot be reached.
    public var exitCode: Int32 {
        switch self {
        case .noSuchVersion, .notConfirmed, .nothingToResolve, .nothingToRepair, .cannotBaseline, .notLockedBy: 2
        case .unknownVersion, .renamed, .edited, .skipped: 3
        case .halfApplied, .stillRunning: 4
        case .locked, .fileInUse, .leaseLost: 7
        case .database(let error):
            [.unavailable, .accessDenied, .connectionLost].contains(error.kind) ? 8 : 1
        case .unexpectedFile, .missingVersion, .duplicateVersion, .missingScript, .surplusScript, .badScript,
            .headersDiffer, .olderInstances, .irreversible, .rolledBack, .cancelled:
            1
        }
    }

    /// What happened and what to do. It may hold the database's own message, and so values of the migrated rows.
    public var description: String {
        switch self {
        case .unexpectedFile(let path):
            "\(path): not a migration file; the form is NNNN_snake_name/up.mysql.sql (or .sqlite.sql, or up.sql for both), and down likewise"
        case .missingVersion(let version):
            "there is no migration \(padded(version)), but a later one: number them from 0001 without gaps"
        case .duplicateVersion(let version, let folders):
            "version \(padded(version)) is taken twice (\(folders.joined(separator: ", "))): renumber the one that no database has yet"
        case .missingScript(let path):
            "\(path) is missing: each version needs up and down scripts for both engines (or an '-- irreversible: reason' header and no down)"
        case .surplusScript(let path, let reason):
            "\(path) must not be there: \(reason)"
        case .badScript(let path, let line, let problem):
            "\(path):\(line): \(problem)"
        case .headersDiffer(let version):
            "the up scripts of \(padded(version)) have different headers for the two engines: make them equal"
        case .unknownVersion(let version, let name):
            "the database has migration \(padded(version))_\(name), which this program does not know: run the newer program, or leave it alone with --ignore-newer"
        case .renamed(let version, let applied, let folder):
            "migration \(padded(version)) was applied as '\(applied)' but is called '\(folder)' here: restore its name"
        case .edited(let version, let path):
            "\(path) was changed after migration \(padded(version)) had been applied: restore the file and write a new migration for the change, or accept it with `migrate repair --accept \(version)`"
        case .skipped(let version, let applied):
            "migration \(padded(version)) is not applied although \(padded(applied)) is: an older number was added later; renumber it, or apply it all the same with --allow-out-of-order \(version)"
        case .halfApplied(let half):
            "\(half.text(for: "stopped at"))\(half.advice)"
        case .olderInstances(let version, let minApp, let instances):
            "migration \(padded(version)) removes what programs below schema level \(minApp) use, and these run: "
                + "\(instances.joined(separator: ", ")). Replace or stop them (a stopped one counts for 2 minutes more), then run `migrate up` again"
        case .noSuchVersion(let version, let latest):
            "there is no version \(version): the versions are 0 (nothing) to \(latest)"
        case .notConfirmed(let version):
            "migration \(padded(version)) would be taken back too, which was applied meanwhile: look again at what would be lost"
        case .irreversible(let version, let reason):
            "migration \(padded(version)) cannot be taken back: \(reason)"
        case .nothingToResolve(let version, let statement):
            "statement \(statement) of migration \(padded(version)) is not in doubt: see `migrate status`"
        case .nothingToRepair(let version):
            "there is nothing to repair: migration \(padded(version)) is not applied, or its files are as they were then"
        case .cannotBaseline(let version, let reason):
            "the database can't be taken for version \(padded(version)): \(reason)"
        case .notLockedBy(let owner, let holder):
            "'\(owner)' does not hold the migration lock: "
                + (holder.map { "it belongs to \($0)" } ?? "nobody does")
        case .rolledBack(let half):
            "\(half.text(for: "failed at"))All of this migration was rolled back; mend it and run `migrate up` again."
        case .locked(let holder, let heldFor, let waited):
            "waited \(waited.components.seconds) s for another run (\(holder), since \(heldFor.components.seconds) s): its lease ends by itself when it died"
        case .fileInUse(let waited):
            "another program has been writing to the database file for \(waited.components.seconds) s: wait longer with --lock-wait, or stop it"
        case .leaseLost(let version):
            "another run took over during migration \(padded(version)): this one could not renew its lease in time and stopped before the next statement"
        case .stillRunning(let half, let waited):
            "\(half.text(for: "lost its connection at"))After \(waited.components.seconds) s the server still runs it: wait for it to end, then run `migrate up` again."
        case .database(let error):
            error.debugDescription
        case .cancelled:
            "stopped before the next statement: run the command again to go on"
        }
    }
}

extension HalfAppliedMigration {
    /// E.g. "migration 0002_roles (up) failed at statement 2 of 3 (0002_roles/up.mysql.sql:14): CREATE …".
    fileprivate func text(for happened: String) -> String {
        let server = error.map { "The database said: \($0.message) (code \($0.code)). " } ?? ""
        return """
            migration \(padded(version))_\(name) (\(direction.rawValue)) \(happened) statement \(statement) of \(statements) \
            (\(place)):
            \(text)

            """ + server
    }

    /// A statement that the database refused runs again next time; one in doubt needs a person to look.
    fileprivate var advice: String {
        let resolve = "migrate resolve \(version) --statement \(statement)"
        if error != nil {
            return """
                Statements before it stay applied. Mend the cause and run `migrate \(direction.rawValue)` again: it goes on here. \
                If you do the statement's work in another way, say so with `\(resolve) --done`.
                """
        }
        return """
            It is not known whether this statement took effect. Look, then run `\(resolve) --done` or `\(resolve) --not-done`, \
            and `migrate \(direction.rawValue)` again.
            """
    }
}

/// A version as it is written in folder names.
func padded(_ version: Int) -> String {
    let digits = String(version)
    return String(repeating: "0", count: max(0, 4 - digits.count)) + digits
}
