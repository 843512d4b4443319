/// All addresses that begin with the same bits.
struct IPNetwork: Hashable, Sendable {
    private let address: IPAddress
    /// How many bits the addresses have in common.
    private let length: Int

    /// The network that `text` names: an address, or an address, a slash and the number of common bits.
    init?(_ text: String) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let address = IPAddress(String(parts[0])) else { return nil }
        let bits = address.bytes.count * 8
        let length = parts.count == 2 ? Int(parts[1]) : bits
        guard let length, (0...bits).contains(length), parts.count < 2 || parts[1] == "\(length)" else { return nil }
        (self.address, self.length) = (address, length)
    }

    /// Whether the address is one of the network.
    func contains(_ other: IPAddress) -> Bool {
        guard other.isIPv4 == address.isIPv4 else { return false }
        for (index, pair) in zip(address.bytes, other.bytes).enumerated() {
            let bits = min(max(length - index * 8, 0), 8)
            guard (pair.0 ^ pair.1) >> (8 - bits) == 0 else { return false }
        }
        return true
    }
}
