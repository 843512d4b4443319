internal import Foundation
internal import MCP
internal import Registry

/// Where the key ring comes from.
///
/// `REGISTRY_KEYRING` (or the file `REGISTRY_KEYRING_FILE`) holds JSON: the ids are whole numbers from 1, the keys 32 random bytes
/// in base64, and `active` is the one that new tokens are sealed with.
///
///     {"active": 2, "keys": {"1": "…", "2": "…"}, "disabled": [1]}
///
/// `REGISTRY_KEYRING_COMMAND` is a shell command that prints the same, for whatever keeps secrets. `REGISTRY_KEY` holds a single
/// key in base64, which gets the id 1. Nothing is made up when all are missing.
enum KeyRingSource {
    static let developmentFile = ".dev-keyring.json"

    /// The configured key ring, if any.
    ///
    /// - Throws: ``ConfigurationError``, which never repeats key material.
    static func configured(_ source: ConfigurationSource) throws -> KeyRing? {
        let found = try source.secret("REGISTRY_KEYRING", "REGISTRY_KEY")
        if let command = source.text(commandKey) {
            guard found == nil else {
                throw ConfigurationError(
                    message: "\(commandKey) and \(found?.key ?? "another key") are both set: use one"
                )
            }
            return try parse(try SecretCommand.output(of: command, key: commandKey), key: commandKey)
        }
        if let file = file(in: source) { try refuseOpen(file) }
        guard let (key, value) = found else { return nil }
        guard key == "REGISTRY_KEY" else { return try parse(value, key: key) }
        guard let bytes = Data(base64Encoded: value), bytes.count == KeyRing.keyByteCount else {
            throw ConfigurationError(
                message:
                    "\(key) is not \(KeyRing.keyByteCount) bytes in base64; make one with: mcp-registry keys generate"
            )
        }
        return try checked(key) { () throws(KeyRingError) in try KeyRing.single(Array(bytes)) }
    }

    private static let commandKey = "REGISTRY_KEYRING_COMMAND"

    /// The configured ring, to be read again.
    struct Configured: Sendable {
        private let source: ConfigurationSource

        init(_ source: ConfigurationSource) { self.source = source }

        /// The file that holds it, if one does.
        var file: String? { KeyRingSource.file(in: source) }

        /// Reads it.
        ///
        /// - Throws: ``ConfigurationError``
        func read() throws -> KeyRing? { try KeyRingSource.configured(source) }
    }

    private static func file(in source: ConfigurationSource) -> String? {
        source.text("REGISTRY_KEYRING_FILE") ?? source.text("REGISTRY_KEY_FILE")
    }

    /// A key that everybody on the machine may read is none.
    private static func refuseOpen(_ file: String) throws {
        let path = URL(filePath: file).resolvingSymlinksInPath().path
        let attributes = try? FileManager.default.attributesOfItem(atPath: path)
        let mode = (attributes?[.posixPermissions] as? NSNumber)?.intValue ?? 0
        guard mode & 0o007 == 0 else {
            throw ConfigurationError(message: "everybody may read or change the key file \(file): run chmod o= \(file)")
        }
    }

    /// Reads the JSON form.
    static func parse(_ json: String, key: String) throws -> KeyRing {
        let root: JSONObject
        do {
            guard let object = try JSONValue.parse(json).object else {
                throw ConfigurationError(message: "\(key) is not a JSON object")
            }
            root = object
        } catch let error as JSONError {
            throw ConfigurationError(message: "\(key) is not valid JSON at byte \(error.offset)")
        }
        guard root.keys.allSatisfy(["active", "keys", "disabled"].contains) else {
            throw ConfigurationError(message: "\(key) may have the members active, keys and disabled only")
        }
        guard let active = id(root["active"]) else {
            throw ConfigurationError(message: "\(key) has no whole number from 1 to \(UInt32.max) as 'active'")
        }
        var keys: [UInt32: [UInt8]] = [:]
        for member in root["keys"]?.object?.members ?? [] {
            // Written one way only, so that "2" and "02" can't both be there.
            guard let id = UInt32(member.key), "\(id)" == member.key else {
                throw ConfigurationError(message: "\(key) has the key id '\(member.key)', which is no whole number")
            }
            guard let bytes = member.value.string.flatMap({ Data(base64Encoded: $0) }) else {
                throw ConfigurationError(message: "\(key): key \(id) is not base64")
            }
            keys[id] = Array(bytes)
        }
        guard let list = (root["disabled"] ?? []).array else {
            throw ConfigurationError(message: "\(key): 'disabled' is no list")
        }
        let disabled = try list.map { value in
            guard let id = id(value) else { throw ConfigurationError(message: "\(key): 'disabled' holds no key id") }
            return id
        }
        return try checked(key) { () throws(KeyRingError) in
            try KeyRing(active: active, keys: keys, disabled: Set(disabled))
        }
    }

    /// The ring of a development server: made once, in a file that only its owner may read.
    static func development(in folder: String) throws -> KeyRing {
        let path = folder + "/" + developmentFile
        if !FileManager.default.fileExists(atPath: path) {
            let key = Data(KeyRing.generateKey()).base64EncodedString()
            let id = KeyRing.firstDevelopmentID
            let json = #"{"active": \#(id), "keys": {"\#(id)": "\#(key)"}}"# + "\n"
            guard
                FileManager.default.createFile(
                    atPath: path,
                    contents: Data(json.utf8),
                    attributes: [.posixPermissions: 0o600]
                )
            else { throw ConfigurationError(message: "the development key ring \(path) can't be written") }
        }
        guard let data = FileManager.default.contents(atPath: path) else {
            throw ConfigurationError(message: "the development key ring \(path) can't be read")
        }
        return try parse(String(decoding: data, as: UTF8.self), key: path)
    }

    private static func id(_ value: JSONValue?) -> UInt32? {
        value?.integer.flatMap { UInt32(exactly: $0) }.flatMap { $0 > 0 ? $0 : nil }
    }

    private static func checked(_ key: String, _ body: () throws(KeyRingError) -> KeyRing) throws -> KeyRing {
        do {
            return try body()
        } catch {
            throw ConfigurationError(message: "\(key): \(error)")
        }
    }
}
