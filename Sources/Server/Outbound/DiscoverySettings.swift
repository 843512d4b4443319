/// What the operator says about discovery.
///
/// ## Configuration keys
/// - `DISCOVERY_ALLOW_PRIVATE` (`true` or `false`; default `false`, with `--dev` `true`): contact loopback and private addresses.
/// - `DISCOVERY_ALLOW` (hosts, addresses and networks, see ``AllowList``): contact these too.
/// - `DISCOVERY_ALLOW_HTTP` (`true` or `false`, default `false`): contact public addresses over plain HTTP.
/// - `DISCOVERY_TIMEOUT` (seconds, 1…60, default 60): how long one discovery may take.
struct DiscoverySettings: Sendable {
    var policy = EndpointPolicy()
    var timeouts = HTTPToolDiscovery.Timeouts()
}

extension ConfigurationSource {
    /// The settings of discovery.
    func discovery(isDevelopment: Bool) throws -> DiscoverySettings {
        let seconds = try number("DISCOVERY_TIMEOUT", default: 60, 1...60)
        let allowed: AllowList
        do throws(AllowList.Fault) {
            allowed = try AllowList(text("DISCOVERY_ALLOW") ?? "")
        } catch {
            throw ConfigurationError(
                message: "DISCOVERY_ALLOW: \(error.entry) is no host, address or network such as "
                    + "tools.internal:8080, 10.1.2.3, [fd00::1]:8443 or 10.0.0.0/8"
            )
        }
        return DiscoverySettings(
            policy: EndpointPolicy(
                allowsPrivate: try flag("DISCOVERY_ALLOW_PRIVATE", default: isDevelopment),
                allowsPlainHTTP: try flag("DISCOVERY_ALLOW_HTTP", default: false),
                allowed: allowed
            ),
            timeouts: HTTPToolDiscovery.Timeouts(overall: .seconds(seconds))
        )
    }

    private func flag(_ key: String, default standard: Bool) throws -> Bool {
        try choice(key, default: standard ? Answer.true : .false) == .true
    }

    private enum Answer: String, CaseIterable {
        case `true`, `false`
    }
}
