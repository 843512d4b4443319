internal import DBDriver

/// A UUID in its text form. Ids are made here and not by the database, so that a retried write carries the same one.
enum UUID {
    /// A UUID of version 7 (RFC 9562 §5.7): 48 bits of milliseconds, the rest random. Ids made one after the other lie side
    /// by side in an index.
    static func version7(at time: Timestamp) -> String {
        let milliseconds = UInt64(clamping: time.microseconds / 1_000)
        var bytes = RandomBytes.take(16)
        for place in 0..<6 { bytes[place] = UInt8(truncatingIfNeeded: milliseconds >> (40 - 8 * UInt64(place))) }
        return text(of: bytes, version: 7)
    }

    /// A UUID of version 4 (RFC 9562 §5.4): all random.
    static func version4() -> String {
        text(of: RandomBytes.take(16), version: 4)
    }

    private static func text(of bytes: [UInt8], version: UInt8) -> String {
        var characters: [UInt8] = []
        characters.reserveCapacity(36)
        for (place, byte) in bytes.enumerated() {
            let byte = place == 6 ? byte & 0x0f | version << 4 : place == 8 ? byte & 0x3f | 0x80 : byte
            if [4, 6, 8, 10].contains(place) { characters.append(UInt8(ascii: "-")) }
            characters.append(digit(byte >> 4))
            characters.append(digit(byte & 0x0f))
        }
        return String(decoding: characters, as: UTF8.self)
    }

    private static func digit(_ value: UInt8) -> UInt8 {
        value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10
    }
}
