import Foundation
import Testing

/// Bytes for the tests of this folder.
enum VaultFixture {
    /// A key of 32 bytes that counts up from ten times `seed`.
    static func key(_ seed: UInt8) -> [UInt8] {
        (0..<32).map { seed &* 10 &+ $0 }
    }

    /// The bytes written as pairs of hexadecimal digits.
    static func bytes(hex: String) throws -> [UInt8] {
        let digits = Array(hex)
        try #require(digits.count.isMultiple(of: 2))
        return try stride(from: 0, to: digits.count, by: 2).map {
            try #require(UInt8(String(digits[$0...$0 + 1]), radix: 16))
        }
    }

    /// Two hexadecimal digits for each byte.
    static func hex(_ bytes: some Sequence<UInt8>) -> String {
        bytes.map { String(format: "%02x", $0) }.joined()
    }
}
