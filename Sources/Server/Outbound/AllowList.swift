/// What `DISCOVERY_ALLOW` lists: hosts, addresses and networks that discovery may contact although they are not public.
struct AllowList: Sendable, Equatable {
    private enum Place: Sendable, Equatable {
        case name(String)
        case network(IPNetwork)
    }

    private struct Entry: Sendable, Equatable {
        let place: Place
        /// `nil` for every port.
        let port: Int?
    }

    private var entries: [Entry] = []

    /// A list of nothing.
    init() {}

    /// The list that a text holds, entries separated by commas: `host`, `host:port`, `10.1.2.3`, `[fd00::1]:8443`, `10.0.0.0/8`.
    ///
    /// - Throws: ``Fault`` with the first entry that is none of these.
    init(_ text: String) throws(Fault) {
        for part in text.split(separator: ",") {
            let part = part.filter { !$0.isWhitespace }
            guard !part.isEmpty else { continue }
            guard let entry = Self.entry(part) else { throw Fault(entry: part) }
            entries.append(entry)
        }
    }

    /// An entry that can't be understood.
    struct Fault: Error {
        let entry: String
    }

    /// Whether any network is listed, so that a name may lead to a listed address.
    var hasNetworks: Bool {
        entries.contains { if case .network = $0.place { true } else { false } }
    }

    /// Whether a host is listed by its name, whatever its case.
    func lists(_ host: String, _ port: Int) -> Bool {
        entries.contains { $0.place == .name(host.lowercased()) && ($0.port ?? port) == port }
    }

    /// Whether an address, or a network that holds it, is listed.
    func lists(_ address: IPAddress, _ port: Int) -> Bool {
        entries.contains {
            guard case .network(let network) = $0.place else { return false }
            return network.contains(address) && ($0.port ?? port) == port
        }
    }

    private static func entry(_ text: String) -> Entry? {
        if let network = IPNetwork(text) { return Entry(place: .network(network), port: nil) }
        guard let (host, port) = split(text) else { return nil }
        if let network = IPNetwork(host) { return Entry(place: .network(network), port: port) }
        guard EndpointPolicy.isName(host) else { return nil }
        return Entry(place: .name(host.lowercased()), port: port)
    }

    /// Host and port; `nil` when the port is none.
    private static func split(_ text: String) -> (host: String, port: Int?)? {
        guard text.first == "[" || text.contains(":") else { return (text, nil) }
        guard let colon = text.lastIndex(of: ":") else { return nil }
        let isBare = text.hasSuffix("]")
        var host = isBare ? text[...] : text[..<colon]
        if host.first == "[" {
            guard host.last == "]" else { return nil }
            host = host.dropFirst().dropLast()
        } else if host.contains(":") {
            return nil
        }
        guard !isBare else { return (String(host), nil) }
        guard let port = UInt16(text[text.index(after: colon)...]), port > 0 else { return nil }
        return (String(host), Int(port))
    }
}
