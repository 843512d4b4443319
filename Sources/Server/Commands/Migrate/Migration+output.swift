internal import DBDriver
internal import MCP

extension [PlannedMigration] {
    /// The statements as a script.
    var text: String {
        isEmpty
            ? "-- nothing to do"
            : map { migration in
                let lines = ["-- \(migration.label) \(migration.direction) (\(migration.phase))"]
                return
                    (lines + migration.destroys.map { "-- destroys \($0)" }
                    + migration.statements.map { "-- \($0.place)\n\($0.text);" }).joined(separator: "\n")
            }.joined(separator: "\n\n")
    }

    var json: JSONValue {
        [
            "plan": .array(
                map { migration in
                    [
                        "version": .integer(Int64(migration.version)),
                        "migration": .string(migration.label),
                        "direction": .string(migration.direction.rawValue),
                        "phase": .string(migration.phase.rawValue),
                        "destroys": .array(migration.destroys.map(JSONValue.string)),
                        "statements": .array(
                            migration.statements.map { statement in
                                [
                                    "number": .integer(Int64(statement.number)),
                                    "place": .string(statement.place),
                                    "sql": .string(statement.text),
                                ]
                            }
                        ),
                    ]
                }
            )
        ]
    }
}

extension [FinishedMigration] {
    var json: JSONValue {
        [
            "done": .array(
                map { migration in
                    [
                        "version": .integer(Int64(migration.version)),
                        "migration": .string(migration.label),
                        "direction": .string(migration.direction.rawValue),
                        "statements": .integer(Int64(migration.statements)),
                        "milliseconds": .integer(migration.milliseconds),
                    ]
                }
            )
        ]
    }
}

extension MigrationStatus {
    var json: JSONValue {
        [
            "schema": .string(advice ?? "up to date"),
            "is_current": .bool(schema == .current),
            "locked_by": lockedBy.map(JSONValue.string) ?? .null,
            "lock_owner": lockOwner.map(JSONValue.string) ?? .null,
            "locked_for_seconds": lockedFor.map { .integer($0.components.seconds) } ?? .null,
            "migrations": .array(
                entries.map { entry in
                    [
                        "version": .integer(Int64(entry.version)),
                        "name": .string(entry.name),
                        "state": .string(entry.state.rawValue),
                        "statement_done": entry.statementDone.map { .integer(Int64($0)) } ?? .null,
                        "statements": entry.statements.map { .integer(Int64($0)) } ?? .null,
                        "finished_at_microseconds": entry.finishedAt.map { .integer($0.microseconds) } ?? .null,
                        "milliseconds": entry.milliseconds.map(JSONValue.integer) ?? .null,
                        "app_version": entry.appVersion.map(JSONValue.string) ?? .null,
                        "error": entry.error.map(JSONValue.string) ?? .null,
                    ]
                }
            ),
        ]
    }

    /// One line a version, and what to do.
    var text: String {
        var lines = entries.map { entry in
            let progress =
                [.running, .failed].contains(entry.state)
                ? " (statement \(entry.statementDone ?? 0) of \(entry.statements ?? 0) done)" : ""
            return "\(entry.paddedVersion)  \(entry.state.rawValue)  \(entry.name)\(progress)"
        }
        if let lockedBy, let lockOwner, let lockedFor {
            lines.append("locked by \(lockedBy) for \(lockedFor.components.seconds) s (owner \(lockOwner))")
        }
        lines.append(advice ?? "the schema is up to date")
        return lines.joined(separator: "\n")
    }

    private var advice: String? { schema.advice(command: "mcp-registry migrate") }
}
