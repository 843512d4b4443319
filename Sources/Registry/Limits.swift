/// Every limit on what the registry stores. They are checked before the database sees a value, so both engines keep the same.
public enum Limits {
    /// Names of services, roles and users: 1 to 255 characters (Unicode scalars, as the database counts them).
    public static let nameCharactersMax = 255
    /// An endpoint's URL: 1 to 2,048 bytes.
    public static let endpointBytesMax = 2_048
    /// A description: up to 16,384 characters. Longer ones of discovered tools are cut.
    public static let descriptionCharactersMax = 16_384
    /// A default system prompt: up to 8,192 characters.
    public static let promptCharactersMax = 8_192
    /// A stored token: 1 to 16,384 bytes.
    public static let tokenBytesMax = 16_384
    /// Tools of one service.
    public static let toolsPerServiceMax = 1_000
    /// Why a service could not be read: up to 1,024 characters, cut beyond.
    public static let reasonCharactersMax = 1_024
}
