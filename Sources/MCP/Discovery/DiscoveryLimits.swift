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
    /// Values in one message: what is parsed takes many times the room of its text.
    public static let messageValues = 400_000
    /// Days that a list may claim to hold; longer ones are cut.
    public static let timeToLiveDays: Int64 = 366
    /// Requests of the service that are answered.
    public static let serviceRequests = 16
    /// Warnings kept.
    public static let warnings = 50
}

extension DiscoveryLimits {
    /// Refuses a message of too many values before it is parsed: what stands outside of texts and begins or separates
    /// values is counted.
    static func checkValues(in message: [UInt8]) throws(DiscoveryFailure) {
        guard message.count > messageValues else { return }
        var (values, isInText, isEscaped) = (0, false, false)
        for byte in message {
            switch byte {
            case _ where isEscaped: isEscaped = false
            case UInt8(ascii: "\\"): isEscaped = isInText
            case UInt8(ascii: "\""): isInText.toggle()
            case UInt8(ascii: ","), UInt8(ascii: "["), UInt8(ascii: "{"): values += isInText ? 0 : 1
            default: break
            }
        }
        guard values <= messageValues else {
            throw DiscoveryFailure(.unusable, "the service's answer holds more than \(messageValues) values")
        }
    }
}
