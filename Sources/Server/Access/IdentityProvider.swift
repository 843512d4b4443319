internal import AsyncHTTPClient
internal import Foundation
internal import JWTKit
internal import Logging
internal import MCP
internal import NIOCore
internal import NIOHTTP1
internal import Registry

/// Judges access tokens of an identity provider, as an OAuth resource server (RFC 9068, RFC 8725).
///
/// Its public keys are fetched when they are needed, kept for ``keysHold``, fetched again for a key id that is not among them (but
/// not more often than every ``pause``), and used for ``keysHoldAtMost`` at most while the provider does not answer.
actor IdentityProvider {
    /// Why a token is refused.
    enum Refusal: Error {
        /// In words that its holder may know.
        case invalid(String)
        /// The provider's keys can't be had.
        case unavailable
    }

    static let keysHold = Duration.seconds(600)
    static let keysHoldAtMost = Duration.seconds(3_600)
    static let pause = Duration.seconds(10)
    /// How far the clocks may differ.
    static let leeway: Int64 = 60
    /// Bytes of a token, of a document of the provider's, and how long one may take.
    static let tokenBytesMax = 8_192
    static let documentBytesMax = 524_288
    static let timeout = TimeAmount.seconds(5)
    private static let keysMax = 100
    /// A modulus of 2,048 bits, in characters of base64url (RFC 7518 §3.3).
    private static let modulusCharactersMin = 342

    private let settings: IdentityProviderSettings
    private let client: HTTPClient
    private let logger: Logger
    private let now: @Sendable () -> ContinuousClock.Instant
    private let seconds: @Sendable () -> Int64

    private var keys: [String: JWK] = [:]
    private var fetchedAt: ContinuousClock.Instant?
    private var triedAt: ContinuousClock.Instant?
    private var fetching: Task<Void, Never>?

    /// - Parameters:
    ///   - settings: whose tokens, and for whom.
    ///   - client: follows no redirect.
    ///   - logger: for what is the matter with the provider.
    ///   - now: measures how old the keys are.
    ///   - seconds: the time since the epoch that `exp` is compared with.
    init(
        _ settings: IdentityProviderSettings,
        client: HTTPClient,
        logger: Logger,
        now: @escaping @Sendable () -> ContinuousClock.Instant = { .now },
        seconds: @escaping @Sendable () -> Int64 = { Int64(Date().timeIntervalSince1970) }
    ) {
        self.settings = settings
        self.client = client
        self.logger = logger
        self.now = now
        self.seconds = seconds
    }

    /// Whether a text may be a token at all: three parts, of no unreasonable length.
    static func isToken(_ text: String) -> Bool {
        text.utf8.count <= tokenBytesMax && text.utf8.count(where: { $0 == UInt8(ascii: ".") }) == 2
    }

    /// Who calls with a token.
    func principal(_ token: String) async throws(Refusal) -> Principal {
        let parts = token.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3, let header = Self.json(parts[0]), let algorithm = header["alg"]?.string else {
            throw .invalid("the access token is no JWT")
        }
        guard IdentityProviderSettings.algorithms.contains(algorithm), header["crit"] == nil else {
            throw .invalid("the access token is signed in a way that is not accepted")
        }
        guard let id = header["kid"]?.string else {
            throw .invalid("the access token does not say which key signed it")
        }
        let key = try await key(id)
        guard key.algorithm == nil || key.algorithm?.rawValue == algorithm else {
            throw .invalid("the access token's signature is not valid")
        }
        do {
            // A collection of this key alone: it would fall back to another one.
            let verifier = try await JWTKeyCollection().add(jwk: key)
            _ = try await verifier.verify(token, as: AnyClaims.self)
        } catch {
            throw .invalid("the access token's signature is not valid")
        }
        guard let claims = Self.json(parts[1]) else { throw .invalid("the access token has no claims") }
        return try principal(claims)
    }

    /// Looks at the claims of a token whose signature is right.
    private func principal(_ claims: JSONObject) throws(Refusal) -> Principal {
        guard claims["iss"]?.string == settings.issuer else { throw .invalid("the access token is of another issuer") }
        let audiences = claims["aud"]?.array?.compactMap(\.string) ?? [claims["aud"]?.string].compactMap { $0 }
        guard !settings.audiences.isDisjoint(with: audiences) else {
            throw .invalid("the access token is not meant for this registry")
        }
        // OpenID Connect Core §2, §3.1.3.6: an ID token is for the client that asked for it, not for us.
        guard claims["nonce"] == nil, claims["at_hash"] == nil, claims["c_hash"] == nil else {
            throw .invalid("this is an ID token: send an access token")
        }
        let time = seconds()
        guard let end = claims["exp"]?.double, time < Int64(clamping: end) + Self.leeway else {
            throw .invalid("the access token has expired")
        }
        for start in ["nbf", "iat"] {
            guard let start = claims[start] else { continue }
            guard let moment = start.double, Int64(clamping: moment) <= time + Self.leeway else {
                throw .invalid("the access token is not valid yet")
            }
        }
        guard let subject = claims["sub"]?.string, !subject.isEmpty,
            let name = AgentName(rawValue: "\(settings.issuer)|\(subject)")
        else { throw .invalid("the access token names no subject") }
        let scopes = claims["scope"]?.string ?? claims["scp"]?.string ?? Self.words(claims["scp"]?.array)
        return Principal(
            name: name.rawValue,
            scopes: Scope.known(in: scopes),
            user: claims[settings.userClaim]?.string.flatMap(UserID.init(rawValue:)),
            isOAuth: true
        )
    }

    private static func words(_ list: [JSONValue]?) -> String {
        (list ?? []).compactMap(\.string).joined(separator: " ")
    }

    private static func json(_ part: Substring) -> JSONObject? {
        var text = String(part).replacing("-", with: "+").replacing("_", with: "/")
        text += String(repeating: "=", count: (4 - text.count % 4) % 4)
        return Data(base64Encoded: text).flatMap { try? JSONValue.parse(Array($0)) }?.object
    }

    // Keys.

    private func key(_ id: String) async throws(Refusal) -> JWK {
        let age = fetchedAt.map { now() - $0 }
        if let key = keys[id], let age, age < Self.keysHold { return key }
        await fetch()
        let isTooOld = fetchedAt.map { now() - $0 >= Self.keysHoldAtMost } ?? true
        guard !isTooOld else { throw .unavailable }
        guard let key = keys[id] else { throw .invalid("the access token's signature is not valid") }
        return key
    }

    /// Fetches the keys, once for all that wait for them.
    private func fetch() async {
        if let fetching { return await fetching.value }
        if let triedAt, now() - triedAt < Self.pause { return }
        triedAt = now()
        let task = Task { await fetchOnce() }
        fetching = task
        await task.value
        fetching = nil
    }

    private func fetchOnce() async {
        do {
            var address = settings.keys
            if address == nil { address = try await addressOfKeys() }
            guard let address else { throw Trouble(reason: "its metadata names no jwks_uri that can be used") }
            let document = try await document(at: address)
            keys = Self.usable(document["keys"]?.array ?? [])
            guard !keys.isEmpty else { throw Trouble(reason: "it has no key that can be used") }
            fetchedAt = now()
        } catch {
            logger.warning(
                "the keys of the identity provider could not be fetched",
                metadata: [
                    "issuer": "\(settings.issuer)", "reason": "\((error as? Trouble)?.reason ?? "it did not answer")",
                ]
            )
        }
    }

    private struct Trouble: Error {
        let reason: String
    }

    /// OpenID Connect Discovery §4, and RFC 8414 §3 for a provider that has only that.
    private func addressOfKeys() async throws -> URL? {
        let issuer = settings.issuer.hasSuffix("/") ? String(settings.issuer.dropLast()) : settings.issuer
        guard let base = URL(string: issuer), let openID = URL(string: issuer + "/.well-known/openid-configuration")
        else {
            return nil
        }
        var metadata = try? await document(at: openID)
        if metadata == nil, var other = URLComponents(url: base, resolvingAgainstBaseURL: false) {
            other.path = "/.well-known/oauth-authorization-server" + other.path
            if let url = other.url { metadata = try await document(at: url) }
        }
        guard let metadata, metadata["issuer"]?.string == settings.issuer else {
            throw Trouble(reason: "its metadata is of another issuer, or missing")
        }
        let isSecure = { (url: URL) in url.scheme == "https" || OriginPolicy.isLoopback(url.host() ?? "") }
        return metadata["jwks_uri"]?.string.flatMap { URL(string: $0) }.flatMap { isSecure($0) ? $0 : nil }
    }

    private func document(at url: URL) async throws -> JSONObject {
        var request = HTTPClientRequest(url: url.absoluteString)
        request.headers.add(name: "Accept", value: "application/json")
        let response = try await client.execute(request, timeout: Self.timeout)
        guard response.status == .ok else { throw Trouble(reason: "\(url.path()) answered \(response.status.code)") }
        let body = try await response.body.collect(upTo: Self.documentBytesMax)
        guard let object = try JSONValue.parse(Array(body.readableBytesView)).object else {
            throw Trouble(reason: "\(url.path()) is no JSON object")
        }
        return object
    }

    /// The public keys for signatures that are strong enough, by their ids. What is odd about one is no matter of the others.
    private static func usable(_ list: [JSONValue]) -> [String: JWK] {
        var keys: [String: JWK] = [:]
        for entry in list.prefix(keysMax) {
            guard let id = entry["kid"]?.string, entry["use"]?.string ?? "sig" == "sig",
                ["RSA", "EC", "OKP"].contains(entry["kty"]?.string), entry["d"] == nil,
                entry["n"]?.string.map({ $0.count >= modulusCharactersMin }) ?? true,
                let key = try? JSONDecoder().decode(JWK.self, from: Data(entry.text.utf8))
            else { continue }
            keys[id] = key
        }
        return keys
    }
}

/// The claims are read by ``IdentityProvider`` itself.
private struct AnyClaims: JWTPayload {
    func verify(using algorithm: some JWTAlgorithm) {}
}

extension Int64 {
    fileprivate init(clamping value: Double) {
        self = value.isNaN ? .min : value >= 9e18 ? .max : value <= -9e18 ? .min : Int64(value)
    }
}
