internal import MCP

/// Which addresses discovery may contact: the rules against being used to reach what only this machine can reach.
///
/// The text of a URL is judged first, then every address that its host resolves to; a single bad one spoils the host.
/// What is then connected to is one of the judged addresses and never the name again. Any port may be used: the
/// address decides. A name that leads to a forbidden address is refused in the words of one that leads nowhere, so
/// that nobody can ask about internal names.
struct EndpointPolicy: Sendable {
    /// Why an endpoint is refused.
    struct Refusal: Error {
        /// What the caller may know.
        let failure: DiscoveryFailure
        /// What the log should know.
        let detail: String
    }

    /// Whether loopback and private addresses may be contacted, over plain HTTP too (`DISCOVERY_ALLOW_PRIVATE`).
    var allowsPrivate = false
    /// Whether public addresses may be contacted over plain HTTP (`DISCOVERY_ALLOW_HTTP`).
    var allowsPlainHTTP = false
    /// What may be contacted besides, over plain HTTP too (`DISCOVERY_ALLOW`): by name also when it leads to a loopback
    /// or private address, by address or network whatever the address is for, unless it is no machine's.
    var allowed = AllowList()

    /// The only answer about a name that can't or must not be contacted.
    static let unreachable = DiscoveryFailure(.unavailable, "the service could not be reached")

    /// Judges the text of a URL and, when its host is an address, that address.
    func check(_ text: String) throws(Refusal) -> ServiceURL {
        let url: ServiceURL
        do {
            url = try ServiceURL(text)
        } catch {
            throw Self.refusal(error)
        }
        if let address = IPAddress(url.host) {
            try check([address], of: url)
            return url
        }
        guard !Self.endsInNumber(url.host) else {
            throw .text("the address's host is a number, but no IPv4 address such as 192.0.2.1")
        }
        guard Self.isName(url.host) else { throw .noName }
        guard !Self.metadataNames.contains(url.host.lowercased()) else {
            throw Refusal(failure: Self.unreachable, detail: "the host is a cloud's metadata service")
        }
        let mayBePlain = allowsPlainHTTP || allowsPrivate || allowed.hasNetworks || allowed.lists(url.host, url.port)
        guard url.isSecure || mayBePlain else { throw .wantsHTTPS }
        return url
    }

    /// Judges the addresses of a URL's host. One that must not be contacted refuses them all.
    func check(_ addresses: [IPAddress], of url: ServiceURL) throws(Refusal) {
        let isLiteral = IPAddress(url.host) != nil
        guard !addresses.isEmpty else {
            throw Refusal(failure: Self.unreachable, detail: "the host does not resolve to any address")
        }
        for address in addresses {
            guard let failure = fault(of: address, for: url) else { continue }
            throw Refusal(
                failure: isLiteral ? failure : Self.unreachable,
                detail: "the host leads to \(address): \(failure.reason)"
            )
        }
        guard url.isSecure || addresses.allSatisfy({ mayBePlain($0, for: url) }) else { throw .wantsHTTPS }
    }

    private func fault(of address: IPAddress, for url: ServiceURL) -> DiscoveryFailure? {
        let kind = AddressKind(address)
        switch kind {
        case .global: return nil
        case .unusable: return Self.noMachine
        case .local where allowsPrivate || allowed.lists(url.host, url.port): return nil
        case .local, .special:
            guard !allowed.lists(address, url.port) else { return nil }
            return kind == .local ? Self.isPrivate : Self.isSpecial
        }
    }

    private func mayBePlain(_ address: IPAddress, for url: ServiceURL) -> Bool {
        allowsPlainHTTP || AddressKind(address) != .global || allowed.lists(url.host, url.port)
            || allowed.lists(address, url.port)
    }

    /// Whether a text is a host name of letters, digits, hyphens and underscores that is not an address in disguise and
    /// does not end with a dot.
    static func isName(_ text: String) -> Bool {
        let labels = text.split(separator: ".", omittingEmptySubsequences: false)
        let isMadeWell = labels.allSatisfy { label in
            (1...63).contains(label.utf8.count)
                && label.utf8.allSatisfy { byte in
                    Unicode.Scalar(byte).properties.isAlphabetic && byte < 0x80 || "0123456789-_".utf8.contains(byte)
                }
        }
        return isMadeWell && text.utf8.count <= 253 && !endsInNumber(text)
    }

    /// Whether the last label is a number, in which resolvers may see an IPv4 address (WHATWG URL, "ends in a number").
    private static func endsInNumber(_ host: String) -> Bool {
        guard let last = host.split(separator: ".").last else { return false }
        let digits = last.lowercased().hasPrefix("0x") ? last.dropFirst(2) : last
        return digits.allSatisfy { digits.startIndex == last.startIndex ? ("0"..."9").contains($0) : $0.isHexDigit }
    }

    private static let metadataNames: Set = [
        "metadata", "metadata.google.internal", "metadata.goog", "instance-data", "instance-data.ec2.internal",
        "metadata.azure.internal", "metadata.platformequinix.com", "metadata.packet.net", "metadata.tencentyun.com",
    ]

    private static let isPrivate = DiscoveryFailure(
        .unusable,
        "a loopback or private address is contacted only when DISCOVERY_ALLOW_PRIVATE is true or DISCOVERY_ALLOW lists it"
    )
    private static let isSpecial = DiscoveryFailure(
        .unusable,
        "a link-local or other special-purpose address is contacted only when DISCOVERY_ALLOW lists it"
    )
    private static let noMachine = DiscoveryFailure(
        .unusable,
        "a multicast, broadcast or unspecified address is never contacted"
    )

    private static func refusal(_ fault: ServiceURL.Fault) -> Refusal {
        switch fault {
        case .syntax: .text("the address can't be read as a URL")
        case .scheme: .text("only http and https addresses can be read")
        case .userInformation: .text("the address must not hold a user name or password")
        case .noHost: .text("the address has no host")
        case .escapedHost: .noName
        }
    }
}

extension EndpointPolicy.Refusal {
    fileprivate static let wantsHTTPS = text("the address must begin with https:// unless DISCOVERY_ALLOW_HTTP is true")

    fileprivate static let noName = text("the address's host is no plain host name or IP address")

    /// What the caller wrote, and so may be told about.
    fileprivate static func text(_ reason: String) -> Self {
        Self(failure: DiscoveryFailure(.unusable, reason), detail: reason)
    }
}
