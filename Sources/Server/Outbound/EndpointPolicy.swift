import MCP

/// Which addresses discovery may contact.
///
/// So far the rules that the text of a URL shows. Rules about the address that a host resolves to belong here too, with
/// the client that is pinned to the address that was checked.
struct EndpointPolicy: Sendable {
    /// Refuses a URL that must not be contacted.
    ///
    /// - Throws: ``DiscoveryFailure`` unless it is an `http` or `https` URL without user information.
    func check(_ url: String) throws(DiscoveryFailure) {
        let url = url.lowercased()
        guard let scheme = ["https://", "http://"].first(where: url.hasPrefix) else {
            throw DiscoveryFailure(.unusable, "only http and https addresses can be read")
        }
        let authority = url.dropFirst(scheme.count).prefix { !"/?#".contains($0) }
        guard !authority.contains("@") else {
            throw DiscoveryFailure(.unusable, "the address must not hold a user name or password")
        }
    }
}
