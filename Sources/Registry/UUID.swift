internal import DBDriver

/// A UUID in its text form. Ids are made here and not by the database, so that a retried write carries the same one.
enum UUID {
    /// A UUID of version 7 (RFC 9562 §5.7): 48 bits of milliseconds, the rest random. Ids made one after the other lie side
    /// by side in an index.
    static func version7(at time: Timestamp) -> String {
        let milliseconds = UInt64(clamping: time.microseconds / 1_000)
        let high = (milliseconds << 16) | 0x7000 | UInt64.random(in: 0...0xfff)
        let low = (UInt64.random(in: 0...UInt64.max) & 0x3fff_ffff_ffff_ffff) | 0x8000_0000_0000_0000
        let hex = padded(high) + padded(low)
        return [0..<8, 8..<12, 12..<16, 16..<20, 20..<32]
            .map { String(decoding: hex[$0], as: UTF8.self) }
            .joined(separator: "-")
    }

    private static func padded(_ value: UInt64) -> [UInt8] {
        let digits = Array(String(value, radix: 16).utf8)
        return Array(repeating: UInt8(ascii: "0"), count: 16 - digits.count) + digits
    }
}
