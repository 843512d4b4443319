/// All migrations that a program carries, checked, for one engine.
///
/// The folder has one subfolder for each version: `0002_roles/up.mysql.sql`, `up.sqlite.sql`, `down.mysql.sql`,
/// `down.sqlite.sql`, or `up.sql` and `down.sql` where one text serves both. The scripts of the other engine are checked
/// too, so that a mistake in them shows up wherever the program first starts.
public struct MigrationFolder: Sendable {
    /// Whose scripts these are.
    public let dialect: Dialect
    /// In the order of their versions, which are 1, 2, 3, ….
    public let migrations: [Migration]

    /// The last version, 0 when there is none.
    public var latest: Int { migrations.count }

    /// Reads the files of a folder.
    ///
    /// - Parameters:
    ///   - files: path inside the folder, with `/` between its parts, and text of each file.
    ///   - dialect: whose scripts are wanted.
    /// - Throws: ``MigrationError``, for the first of its file cases that applies.
    public init(files: [(path: String, text: String)], dialect: Dialect) throws(MigrationError) {
        var folders: [Int: Folder] = [:]
        for (path, text) in files.sorted(by: { $0.path < $1.path }) {
            guard let place = Place(path) else { throw .unexpectedFile(path: path) }
            var folder = folders[place.version] ?? Folder(version: place.version, name: place.name)
            guard folder.name == place.name else {
                throw .duplicateVersion(place.version, folders: [folder.path, place.folder])
            }
            folder.files[place.file] = text
            folders[place.version] = folder
        }
        var migrations: [Migration] = []
        for version in 1...max(1, folders.keys.max() ?? 1) where !folders.isEmpty {
            guard let folder = folders[version] else { throw .missingVersion(version) }
            migrations.append(try folder.migration(dialect))
        }
        self.dialect = dialect
        self.migrations = migrations
    }

    /// The migration with a version.
    func migration(_ version: Int) -> Migration? {
        migrations.indices.contains(version - 1) ? migrations[version - 1] : nil
    }
}

/// The parts of a path `NNNN_snake_name/up.mysql.sql`.
private struct Place {
    let version: Int
    let name: String
    let folder: String
    let file: String

    init?(_ path: String) {
        let parts = path.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2, Folder.fileNames.contains(parts[1]) else { return nil }
        folder = parts[0]
        file = parts[1]
        let digits = folder.prefix { $0.isASCII && $0.isNumber }
        let rest = folder.dropFirst(digits.count)
        guard let version = Int(digits), version > 0, padded(version) == digits, rest.first == "_" else { return nil }
        name = String(rest.dropFirst())
        self.version = version
        let isSnake = name.split(separator: "_", omittingEmptySubsequences: false).allSatisfy { part in
            !part.isEmpty
                && part.utf8.allSatisfy { byte in
                    (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
                        || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
                }
        }
        guard isSnake, name.utf8.count <= 100 else { return nil }
    }
}

/// The files of one version.
private struct Folder {
    let version: Int
    let name: String
    var files: [String: String] = [:]

    static let fileNames: Set<String> = [
        "up.sql", "up.mysql.sql", "up.sqlite.sql", "down.sql", "down.mysql.sql", "down.sqlite.sql",
    ]

    var path: String { "\(padded(version))_\(name)" }

    func migration(_ dialect: Dialect) throws(MigrationError) -> Migration {
        var wanted: Migration?
        var headers: [MigrationHeader] = []
        for engine in Dialect.allCases {
            let up = try source(.up, engine)
            let header = try MigrationHeader(path: up.path, text: up.text)
            headers.append(header)
            let migration = Migration(
                version: version,
                name: name,
                header: header,
                up: try MigrationScript(path: up.path, text: up.text, dialect: engine),
                down: try down(engine, irreversible: header.irreversible != nil)
            )
            if engine == dialect { wanted = migration }
        }
        guard let wanted, headers.allSatisfy({ $0 == headers.first }) else { throw .headersDiffer(version: version) }
        return wanted
    }

    private func down(_ engine: Dialect, irreversible: Bool) throws(MigrationError) -> MigrationScript? {
        if irreversible {
            if let file = files.keys.filter({ $0.hasPrefix("down") }).min() {
                throw .surplusScript(path: "\(path)/\(file)", reason: "the migration says that it is irreversible")
            }
            return nil
        }
        let down = try source(.down, engine)
        return try MigrationScript(path: down.path, text: down.text, dialect: engine)
    }

    /// The engine's own script or the one for both.
    private func source(
        _ direction: MigrationDirection,
        _ engine: Dialect
    ) throws(MigrationError) -> (path: String, text: String) {
        let own = "\(direction.rawValue).\(engine.rawValue).sql"
        let common = "\(direction.rawValue).sql"
        switch (files[own], files[common]) {
        case (let text?, nil): return ("\(path)/\(own)", text)
        case (nil, let text?): return ("\(path)/\(common)", text)
        case (nil, nil): throw .missingScript(path: "\(path)/\(own)")
        case (_?, _?): throw .surplusScript(path: "\(path)/\(common)", reason: "there is \(own) too")
        }
    }
}
