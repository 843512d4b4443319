import Testing

@testable import Server

@Suite("Kinds of addresses")
struct AddressKindTests {
    static let kinds: [(AddressKind, [String])] = [
        (
            .global,
            [
                "1.1.1.1", "9.255.255.255", "11.0.0.0", "126.255.255.255", "128.0.0.0", "172.15.255.255", "172.32.0.0",
                "192.167.255.255", "192.169.0.0", "100.63.255.255", "100.128.0.0", "169.253.255.255", "169.255.0.0",
                "192.0.1.0", "192.0.3.0", "198.17.255.255", "198.20.0.0", "223.255.255.255", "2606:4700::1111",
                "2001:200::", "2001:db7:ffff::", "2001:db9::", "2003::1", "3ffe:ffff::", "3fff:1000::",
                "64:ff9b::8.8.8.8", "64:ff9b::101:101",
            ]
        ),
        (
            .local,
            [
                "127.0.0.1", "127.255.255.255", "10.0.0.0", "10.255.255.255", "172.16.0.0", "172.31.255.255",
                "192.168.0.0", "192.168.255.255", "100.64.0.0", "100.127.255.255", "::1", "fc00::", "fd12:3456::1",
                "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
            ]
        ),
        (
            .special,
            [
                "169.254.0.0", "169.254.169.254", "169.254.255.255", "100.100.100.200", "168.63.129.16",
                "fd00:ec2::254", "192.0.0.1", "192.0.0.192", "192.0.2.1", "198.51.100.1", "203.0.113.255",
                "198.18.0.0", "198.19.255.255", "192.88.99.1", "192.31.196.1", "192.52.193.1", "192.175.48.1",
                "240.0.0.0", "255.255.255.254", "fe80::1", "febf::1", "fec0::1", "::2", "::127.0.0.1", "::8.8.8.8",
                "::ffff:127.0.0.1", "::ffff:8.8.8.8", "::ffff:169.254.169.254", "::ffff:0:8.8.8.8",
                "64:ff9b::127.0.0.1", "64:ff9b::10.0.0.1", "64:ff9b::169.254.169.254", "64:ff9b::0.0.0.0",
                "64:ff9b:1::8.8.8.8", "64:ff9c::1", "100::1", "2001::1", "2001:0:4136:e378:8000:63bf:3fff:fdd2",
                "2001:1ff::", "2001:db8::1", "2002:7f00:1::1", "2002:808:808::1", "3fff::1", "3fff:fff::",
                "4000::1", "5f00::1", "1fff::1",
            ]
        ),
        (
            .unusable,
            ["0.0.0.0", "0.1.2.3", "224.0.0.1", "239.255.255.255", "255.255.255.255", "::", "ff02::1", "ff0e::1"]
        ),
    ]

    @Test("every special range is known to its edges", arguments: kinds)
    func known(kind: AddressKind, texts: [String]) throws {
        for text in texts {
            let address = try #require(IPAddress(text), "\(text)")
            #expect(AddressKind(address) == kind, "\(text)")
        }
    }

    @Test("every range of the table can be read, and holds its first address")
    func ranges() throws {
        for range in AddressKind.ranges {
            for text in range.networks {
                let network = try #require(IPNetwork(text), "\(text)")
                let first = try #require(IPAddress(text.split(separator: "/").first.map(String.init) ?? ""))
                #expect(network.contains(first))
            }
        }
    }

    @Test("only the full forms are addresses")
    func addresses() {
        for (text, written) in [
            ("1.2.3.4", "1.2.3.4"), ("255.255.255.255", "255.255.255.255"), ("::", "0:0:0:0:0:0:0:0"),
            ("2001:DB8::1", "2001:db8:0:0:0:0:0:1"), ("::ffff:1.2.3.4", "0:0:0:0:0:ffff:102:304"),
        ] {
            #expect(IPAddress(text)?.description == written)
            #expect(IPAddress(text).flatMap { IPAddress($0.description) } == IPAddress(text))
        }
        for text in [
            "", "127.1", "0x7f.0.0.1", "0177.0.0.1", "2130706433", "1.2.3", "1.2.3.4.5", "256.1.1.1", "1.2.3.4 ",
            " 1.2.3.4", "01.2.3.4", "1.2.3.4\0", "[::1]", "::1%lo", "fe80::1%eth0", "1::2::3", "::1.2.3", "localhost",
            "１２７.0.0.1",
        ] {
            #expect(IPAddress(text) == nil, "\(text)")
        }
        #expect(IPAddress(bytes: [1, 2, 3]) == nil)
    }

    @Test("a network is an address, or an address and a number of bits")
    func networks() throws {
        let inside = [
            ("10.0.0.0/8", "10.255.0.1"), ("10.1.2.3/8", "10.9.9.9"), ("10.1.2.3", "10.1.2.3"),
            ("0.0.0.0/0", "9.9.9.9"),
            ("10.0.0.128/25", "10.0.0.200"), ("fd00::/8", "fdab::1"), ("::/0", "1::"), ("1.2.3.4/32", "1.2.3.4"),
        ]
        for (network, address) in inside {
            #expect(try #require(IPNetwork(network)).contains(try #require(IPAddress(address))), "\(network)")
        }
        let outside = [
            ("10.0.0.0/8", "11.0.0.0"), ("10.0.0.128/25", "10.0.0.127"), ("10.1.2.3", "10.1.2.2"), ("::/0", "1.1.1.1"),
            ("0.0.0.0/0", "::1"), ("fc00::/7", "fe00::1"),
        ]
        for (network, address) in outside {
            #expect(!(try #require(IPNetwork(network)).contains(try #require(IPAddress(address)))), "\(network)")
        }
        for text in [
            "", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/08", "10.0.0.0/8/8", "10/8", "::/129",
        ] {
            #expect(IPNetwork(text) == nil, "\(text)")
        }
    }
}
