internal import Glibc

/// An IPv4 or IPv6 address.
struct IPAddress: Hashable, Sendable, CustomStringConvertible {
    /// 4 bytes for IPv4, 16 for IPv6, in network order.
    let bytes: [UInt8]

    /// The address that a text writes in full: four decimal numbers without leading zeros, or IPv6 without brackets and
    /// zone. Other spellings that some resolvers take for addresses (`127.1`, `0x7f.0.0.1`, `2130706433`) are none.
    init?(_ text: String) {
        // To the C library a text ends there.
        guard !text.utf8.contains(0) else { return nil }
        var bytes = [UInt8](repeating: 0, count: 4)
        if unsafe inet_pton(AF_INET, text, &bytes) != 1 {
            bytes = [UInt8](repeating: 0, count: 16)
            guard unsafe inet_pton(AF_INET6, text, &bytes) == 1 else { return nil }
        }
        self.bytes = bytes
    }

    /// An address of 4 or 16 bytes; `nil` for any other number.
    init?(bytes: some Collection<UInt8>) {
        guard [4, 16].contains(bytes.count) else { return nil }
        self.bytes = Array(bytes)
    }

    /// Whether this is an IPv4 address.
    var isIPv4: Bool { bytes.count == 4 }

    /// The address as text; IPv6 as eight groups, nothing left out.
    var description: String {
        guard !isIPv4 else { return bytes.map(String.init).joined(separator: ".") }
        return stride(from: 0, to: 16, by: 2)
            .map { String(UInt16(bytes[$0]) << 8 | UInt16(bytes[$0 + 1]), radix: 16) }
            .joined(separator: ":")
    }
}
