/// By which rules a request is served: with a handshake and lenient, or stateless with everything in the request.
enum Era: Equatable {
    /// A revision that is negotiated by `initialize`.
    case legacy(ProtocolVersion)
    /// 2026-07-28 or later, or a request that claims so and will be refused by the modern rules.
    case modern
    /// The header names another revision than the legacy one in the body.
    case contradictory

    /// Decides by the version header and `params._meta`, either of which may be absent (2026-07-28, versioning,
    /// "Backward Compatibility"). A version that is unknown counts as modern: only the modern rules can refuse it.
    init(header: String?, params: JSONObject?) {
        let stated = params?["_meta"]?[MetaKey.protocolVersion]
        let headerVersion = header.flatMap(ProtocolVersion.init(rawValue:))
        switch (header, stated) {
        case (nil, nil):
            self = .legacy(.assumedLegacy)
        case (_?, nil):
            self = if let headerVersion, !headerVersion.isModern { .legacy(headerVersion) } else { .modern }
        case (_, let stated?):
            let version = stated.string.flatMap(ProtocolVersion.init(rawValue:))
            guard let version, !version.isModern else {
                self = .modern
                return
            }
            self = header == nil || headerVersion == version ? .legacy(version) : .contradictory
        }
    }
}
