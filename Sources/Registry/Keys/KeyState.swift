public import DBDriver

/// How a key of the key rings stands, for all servers.
public enum KeyState: String, SQLConvertible, Sendable {
    /// It opens what it has sealed. While no key is active, each server seals with the active one of its own ring.
    case known
    /// It seals everything new.
    case active
    /// Nothing is sealed with it any more; it may leave the rings.
    case retired
    /// Somebody may have it: what it has sealed must be renewed where it came from.
    case compromised
}

/// A key and what it is used for.
public struct KeyStatus: Sendable, Equatable {
    /// Its number.
    public let id: UInt32
    /// How it stands; nil when the database has not met it yet.
    public let state: KeyState?
    /// Whether the key ring at hand holds it.
    public let isInRing: Bool
    /// How many users' tokens are sealed with it.
    public let userTokens: Int
    /// How many discovery credentials.
    public let discoveryCredentials: Int
    /// How many of the servers' own secrets.
    public let serverSecrets: Int
    /// The running servers whose ring lacks it.
    public let missingFrom: [String]

    /// All that is sealed with it.
    public var rows: Int { userTokens + discoveryCredentials + serverSecrets }
}

/// How a rewrap went.
public struct RewrapReport: Sendable, Equatable {
    /// A row that could not be opened, and so was left as it is.
    public struct Unreadable: Sendable, Equatable {
        /// Which row, e.g. `user_tokens 0190…/alice`.
        public let place: String
        /// Why: the key and the reason, never a byte.
        public let reason: String
    }

    /// How many rows were sealed anew; in a dry run, how many would be.
    public internal(set) var rewrapped = 0
    /// How many were written by somebody else in the meantime, and so had no need of it.
    public internal(set) var overtaken = 0
    /// Those that could not be opened.
    public internal(set) var unreadable: [Unreadable] = []
}
