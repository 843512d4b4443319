/// What an address is for, by the registries of special-purpose addresses (RFC 6890 and its updates).
enum AddressKind: Sendable, Equatable {
    /// An address of the public Internet.
    case global
    /// Loopback and private use: 127/8, RFC 1918, carrier-grade NAT, `::1`, unique local IPv6.
    case local
    /// Nothing that a service should have: link-local, metadata of clouds, reserved, documentation, benchmarks, the old
    /// site-local range, and IPv6 forms that carry an IPv4 address (but see ``init(_:)`` for NAT64).
    case special
    /// Not the address of one machine: multicast, broadcast, unspecified and the rest of 0/8.
    case unusable

    /// The kind of an address. One of the well-known NAT64 prefix is global when the IPv4 address in it is, so that
    /// networks with IPv6 only can be served; and special otherwise.
    init(_ address: IPAddress) {
        if Self.nat64?.contains(address) == true, let inner = IPAddress(bytes: address.bytes.suffix(4)) {
            self = AddressKind(inner) == .global ? .global : .special
        } else {
            self = Self.rules.first { $0.network.contains(address) }?.kind ?? .global
        }
    }

    private static let nat64 = IPNetwork("64:ff9b::/96")

    /// The ranges in the order in which they are asked; what is in none of them is global.
    static let ranges: [(kind: AddressKind, networks: [String])] = [
        (.unusable, ["0.0.0.0/8", "224.0.0.0/4", "255.255.255.255", "::", "ff00::/8"]),
        // Metadata services of Alibaba, Azure and AWS, inside of ranges that are not special.
        (.special, ["100.100.100.200", "168.63.129.16", "fd00:ec2::254"]),
        (.local, ["127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "::1", "fc00::/7"]),
        // Link-local, IETF protocols.
        (.special, ["169.254.0.0/16", "192.0.0.0/24"]),
        // Documentation, benchmarks.
        (.special, ["192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "198.18.0.0/15"]),
        // AS112, AMT, the old relays of 6to4, reserved.
        (.special, ["192.31.196.0/24", "192.175.48.0/24", "192.52.193.0/24", "192.88.99.0/24", "240.0.0.0/4"]),
        // IETF protocols with Teredo and ORCHID, documentation twice, 6to4.
        (.special, ["2001::/23", "2001:db8::/32", "3fff::/20", "2002::/16"]),
        // Of IPv6 only 2000::/3 is given out (RFC 4291 section 2.4). The rest holds IPv4-mapped and -compatible addresses, the
        // local NAT64 range, discard, link-local and site-local.
        (.global, ["2000::/3"]),
        (.special, ["::/0"]),
    ]

    private static let rules: [(network: IPNetwork, kind: AddressKind)] = ranges.flatMap { range in
        range.networks.compactMap { IPNetwork($0).map { (network: $0, kind: range.kind) } }
    }
}
