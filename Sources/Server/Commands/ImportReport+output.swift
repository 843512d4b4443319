internal import MCP
internal import Registry

extension ImportReport {
    /// For people: a table of counts, then one line for each thing that is not here now. Names stay in their lines.
    var text: String {
        let head = ["", "in the original", "brought over", "here already", "conflicts", "not brought over"]
        let rows = Kind.allCases.map { kind in
            let counts = counts[kind] ?? Counts()
            return [kind.plural]
                + [counts.read, counts.added, counts.present, counts.conflicts, counts.refused].map(String.init)
        }
        let widths = head.indices.map { column in ([head] + rows).map { $0[column].count }.max() ?? 0 }
        let table = ([head] + rows).map { row -> String in
            let cells = head.indices.map { column -> String in
                let blanks = String(repeating: " ", count: widths[column] - row[column].count)
                return column == 0 ? row[column] + blanks : blanks + row[column]
            }
            return cells.joined(separator: "  ")
        }
        return
            (table + lines(of: items.filter(\.isConflict), "Here, but different, and left alone:")
            + lines(of: items.filter { !$0.isConflict }, "Not brought over:")).joined(separator: "\n")
    }

    private func lines(of items: [Item], _ head: String) -> [String] {
        guard !items.isEmpty else { return [] }
        let lines = items.map { item in
            "  \(item.kind.singular) \(item.name.inOneLine) (row \(item.row)): \(item.reason.inOneLine)"
        }
        return ["", head] + lines
    }

    /// For programs: one object.
    func json(isDryRun: Bool) -> JSONValue {
        let all = Kind.allCases.map { kind -> (String, JSONValue) in
            let counts = counts[kind] ?? Counts()
            let object: JSONValue = [
                "read": .integer(Int64(counts.read)),
                "added": .integer(Int64(counts.added)),
                "present": .integer(Int64(counts.present)),
                "conflicts": .integer(Int64(counts.conflicts)),
                "refused": .integer(Int64(counts.refused)),
            ]
            return (kind.rawValue, object)
        }
        return [
            "dry_run": .bool(isDryRun),
            "is_complete": .bool(isComplete),
            "counts": .object(JSONObject(all)),
            "items": .array(
                items.map { item in
                    [
                        "kind": .string(item.kind.rawValue),
                        "row": .integer(item.row),
                        "name": .string(item.name),
                        "outcome": item.isConflict ? "conflict" : "refused",
                        "reason": .string(item.reason),
                    ]
                }
            ),
        ]
    }
}

extension ImportReport.Kind {
    var singular: String {
        switch self {
        case .service: "service"
        case .tool: "tool"
        case .role: "role"
        case .toolRole: "role of a tool:"
        case .user: "user"
        case .userRole: "role of a user:"
        case .token: "token of"
        }
    }

    var plural: String {
        switch self {
        case .service: "services"
        case .tool: "tools"
        case .role: "roles"
        case .toolRole: "roles of tools"
        case .user: "users"
        case .userRole: "roles of users"
        case .token: "tokens"
        }
    }
}
