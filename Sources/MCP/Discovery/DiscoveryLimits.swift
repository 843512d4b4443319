/// The bounds of what is taken from a service.
public enum DiscoveryLimits {
    /// Pages of one list.
    public static let pages = 50
    /// Tools, and resources looked through for the description.
    public static let listed = 1000
    /// Characters of a tool's name.
    public static let nameLength = 128
    /// Characters of a tool's title.
    public static let titleLength = 255
    /// Characters of a description; longer ones are cut.
    public static let descriptionLength = 16_384
    /// Bytes of one schema as canonical JSON.
    public static let schemaBytes = 128 * 1024
    /// Nested arrays and objects in a schema.
    public static let schemaDepth = 32
    /// Bytes of all schemas and descriptions together.
    public static let totalBytes = 16 * 1024 * 1024
    /// Bytes of a cursor, a session id or a resource's address that is sent back.
    public static let echoedBytes = 2048
    /// Requests of the service that are answered.
    public static let serviceRequests = 16
    /// Warnings kept.
    public static let warnings = 50
}

extension String {
    /// The first `length` characters (code points).
    func cut(to length: Int) -> String {
        guard utf8.count > length else { return self }
        return String(unicodeScalars.prefix(length))
    }
}
