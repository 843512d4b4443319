import Foundation
import Testing

@testable import Registry

/// One entry of `token-vectors.json`, made by another implementation.
struct TokenVector: Decodable, Sendable, CustomTestStringConvertible {
    let key: String
    let keyId: UInt32
    let salt: String
    let purpose: String
    let service: String
    let user: String
    let field: String
    let plaintext: String
    let envelope: String
    let sha256: String

    static func load() throws -> [TokenVector] {
        let file = try #require(Bundle.module.url(forResource: "token-vectors", withExtension: "json"))
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return try decoder.decode([TokenVector].self, from: Data(contentsOf: file))
    }

    var testDescription: String { "key \(keyId), \(user)" }

    var context: TokenContext {
        TokenContext(purpose: purpose, serviceID: service, userID: user, field: field)
    }

    /// The plain text; the file describes the long one in words.
    func plaintextBytes() throws -> [UInt8] {
        guard plaintext != "bytes 0..255 repeated 16 times" else {
            return (0..<16).flatMap { _ in UInt8.min...UInt8.max }
        }
        return try VaultFixture.bytes(hex: plaintext)
    }

    func vault() throws -> TokenVault {
        let salt = try VaultFixture.bytes(hex: salt)
        return TokenVault(ring: try KeyRing(active: keyId, keys: [keyId: VaultFixture.bytes(hex: key)])) { salt }
    }
}
