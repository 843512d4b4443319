public import DBDriver

/// A running server, as the others and the migrator know it.
public struct AppInstance: Sendable {
    /// How long a server counts as running after its last sign of life: 2 min.
    public static let aliveFor = Duration.seconds(120)
    /// How often a server gives a sign of life: 30 s.
    public static let interval = Duration.seconds(30)

    let id: String
    let name: String
    let version: String
    let schemaLevel: Int
    /// The keys that its key ring holds.
    public var ringIDs: [UInt32]

    /// A server that has just started.
    ///
    /// - Parameters:
    ///   - name: host and process, for people; at most 255 characters are kept.
    ///   - version: of the program; at most 64 characters are kept.
    ///   - schemaLevel: the latest migration that the program knows.
    ///   - ringIDs: the keys that its key ring holds.
    public init(name: String, version: String, schemaLevel: Int, ringIDs: [UInt32]) {
        id = UUID.version7(at: .now())
        self.name = String(name.prefix(255))
        self.version = String(version.prefix(64))
        self.schemaLevel = schemaLevel
        self.ringIDs = ringIDs
    }

    /// The servers that run and know only schema levels below the given one, e.g. `web-1:4711 (version 1.0.0, schema level 8)`;
    /// none on a database without the table.
    public static func alive(below level: Int, in session: Session) throws(DatabaseError) -> [String] {
        try AppInstanceTable.alive(below: level, session)
    }
}
