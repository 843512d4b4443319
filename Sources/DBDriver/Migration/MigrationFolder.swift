/// All migrations that a program carries, checked, for one engine.
///
/// The folder has one subfolder for each version: `0002_roles/up.mysql.sql`, `up.sqlite.sql`, `down.mysql.sql`,
/// `down.sqlite.sql`, or `up.sql` and `down.sql` where one text serves both. Where MariaDB and MySQL can't have the same,
/// `up.mariadb.sql` or `up.mysql8.sql` goes before the others on that server. The scripts of the other servers are checked
/// too, so that a mistake in them shows up wherever the program first starts.
public struct MigrationFolder: Sendable {
    /// Whose scripts these are.
    public let dialect: Dialect
    /// In the order of their versions, which are 1, 2, 3, …; until ``on(_:)`` has told which server it is, the scripts that
    /// any server of the dialect has.
    public private(set) var migrations: [Migration]
    /// The same for each server of the dialect.
    private let migrationsByServer: [ServerProduct: [Migration]]

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
        var migrations: [ServerProduct: [Migration]] = [:]
        for version in 1...max(1, folders.keys.max() ?? 1) where !folders.isEmpty {
            guard let folder = folders[version] else { throw .missingVersion(version) }
            for (server, migration) in try folder.migrations() { migrations[server, default: []].append(migration) }
        }
        self.dialect = dialect
        migrationsByServer = migrations.filter { $0.key.dialect == dialect }
        self.migrations = migrations[dialect == .sqlite ? .sqlite : .other] ?? []
    }

    /// The same folder with the scripts for one server.
    func on(_ server: ServerProduct) -> MigrationFolder {
        var folder = self
        folder.migrations = migrationsByServer[server] ?? migrations
        return folder
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

    static let fileNames = Set(
        ["up", "down"].flatMap { direction in
            ServerProduct.allCases.flatMap(\.scriptNames).map { "\(direction).\($0).sql" } + ["\(direction).sql"]
        }
    )

    var path: String { "\(padded(version))_\(name)" }

    /// The migration as each server has it.
    func migrations() throws(MigrationError) -> [ServerProduct: Migration] {
        var migrations: [ServerProduct: Migration] = [:]
        // Most servers share their scripts: each is read once.
        var read: [File: MigrationScript] = [:]
        for server in ServerProduct.allCases {
            let up = try file(.up, server)
            let header = try MigrationHeader(path: up.path, text: up.text)
            guard migrations.values.allSatisfy({ $0.header == header }) else { throw .headersDiffer(version: version) }
            migrations[server] = Migration(
                version: version,
                name: name,
                header: header,
                up: try up.script(&read),
                down: try down(server, irreversible: header.irreversible != nil)?.script(&read)
            )
        }
        return migrations
    }

    private func down(_ server: ServerProduct, irreversible: Bool) throws(MigrationError) -> File? {
        if irreversible {
            if let file = files.keys.filter({ $0.hasPrefix("down") }).min() {
                throw .surplusScript(path: "\(path)/\(file)", reason: "the migration says that it is irreversible")
            }
            return nil
        }
        return try file(.down, server)
    }

    private struct File: Hashable {
        let path: String
        let text: String
        /// For whom it was written: one of ``ServerProduct/scriptNames``.
        let engine: String
        let dialect: Dialect

        func script(_ read: inout [File: MigrationScript]) throws(MigrationError) -> MigrationScript {
            if let script = read[self] { return script }
            let script = try MigrationScript(path: path, text: text, dialect: dialect, engine: engine)
            read[self] = script
            return script
        }
    }

    /// The server's own script, that of its dialect, or the one for all.
    private func file(_ direction: MigrationDirection, _ server: ServerProduct) throws(MigrationError) -> File {
        let dialect = server.dialect
        let common = "\(direction.rawValue).sql"
        let ofDialect = "\(direction.rawValue).\(dialect.rawValue).sql"
        if files[common] != nil, files[ofDialect] != nil {
            throw .surplusScript(path: "\(path)/\(common)", reason: "there is \(ofDialect) too")
        }
        for (engine, file) in server.scriptNames.map({ ($0, "\(direction.rawValue).\($0).sql") })
            + [(dialect.rawValue, common)]
        {
            if let text = files[file] {
                return File(path: "\(path)/\(file)", text: text, engine: engine, dialect: dialect)
            }
        }
        throw .missingScript(path: "\(path)/\(ofDialect)")
    }
}
