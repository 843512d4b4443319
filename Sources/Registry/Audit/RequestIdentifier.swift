/// What the rows and log lines of one request have in common, so that they can be found together.
public enum RequestIdentifier {
    /// The id of the request that the present task answers; nil outside of requests.
    @TaskLocal public static var current: String?

    /// A new id: a random UUID.
    public static func new() -> String { UUID.version4() }
}
