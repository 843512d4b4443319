internal import DBDriver
internal import HTTPTypes
internal import HummingbirdCore
internal import Logging
internal import MCP
internal import Registry

/// One thing that can be asked for over HTTP.
struct Route: Sendable {
    /// Who may ask.
    enum Access: Sendable {
        /// Anybody: probes.
        case open
        /// Whoever ``AccessControl`` recognises; what it may do is looked at later, tool by tool.
        case authenticated
        /// Whoever has a scope.
        case scope(Scope)
    }

    let path: String
    let method: HTTPRequest.Method
    let access: Access
    /// Whether it changes something that is not to be done again when the request is sent again with the same
    /// `Idempotency-Key`. (`/mcp` sees to that itself.)
    let isChange: Bool
    /// How an error is told.
    let refuse: @Sendable (Problem) -> Response
    let handle: @Sendable (Request, Principal, ClientConnection) async throws -> Response

    init(
        _ method: HTTPRequest.Method,
        _ path: String,
        _ access: Access,
        isChange: Bool = false,
        handle: @escaping @Sendable (Request, Principal) async throws -> Response
    ) {
        self.init(method, path, access, isChange: isChange, refuse: { $0.response }) { request, principal, _ in
            try await handle(request, principal)
        }
    }

    init(
        _ method: HTTPRequest.Method,
        _ path: String,
        _ access: Access,
        isChange: Bool = false,
        refuse: @escaping @Sendable (Problem) -> Response,
        handle: @escaping @Sendable (Request, Principal, ClientConnection) async throws -> Response
    ) {
        self.method = method
        self.path = path
        self.access = access
        self.isChange = isChange
        self.refuse = refuse
        self.handle = handle
    }
}

/// What stands between the clients and the routes.
struct Edge: Sendable {
    /// Whether the server itself speaks TLS.
    var servesTLS = false
    /// Whose word about clients counts.
    var proxies = TrustedProxies()

    /// Where a request comes from.
    func origin(of request: Request, _ client: ClientConnection) -> TrustedProxies.Origin {
        proxies.origin(of: request.headers, peer: client.address, isSecure: servesTLS)
    }
}

/// Answers every request: finds its route, checks who asks, and turns errors into problems.
///
/// All paths are fixed, so the table is a dictionary. The order of checks is: path, `Host` and `Origin`, method, credentials.
/// An unknown path is 404 for everybody: clients that look for OAuth metadata must learn that there is none.
struct RouteTable: Sendable {
    /// How long one request may wait for the database altogether: 15 s.
    static let patience = Duration.seconds(15)

    private let routes: [String: [Route]]
    private let access: AccessControl
    private let origins: OriginPolicy
    private let crossOrigin: CrossOrigin
    private let limiter: RateLimiter
    private let edge: Edge
    private let idempotency: Idempotency
    private let telemetry: RequestTelemetry
    private let drain: Drain?
    private let load: RequestLoad
    private let metadataURL: String?

    /// - Parameters:
    ///   - routes: what can be asked.
    ///   - access: who asks.
    ///   - origins: which web pages may.
    ///   - crossOrigin: which web pages may read the answers.
    ///   - limiter: how often.
    ///   - edge: what stands between the clients and the routes.
    ///   - idempotency: what repeated requests are answered.
    ///   - telemetry: notes how each request went.
    ///   - drain: whether the server is leaving.
    ///   - load: how many requests are answered at once.
    ///   - metadataURL: where OAuth clients find out whom to ask for a token.
    init(
        _ routes: [Route],
        access: AccessControl,
        origins: OriginPolicy,
        crossOrigin: CrossOrigin = CrossOrigin(origins: []),
        limiter: RateLimiter,
        edge: Edge = Edge(),
        idempotency: Idempotency,
        telemetry: RequestTelemetry,
        drain: Drain? = nil,
        load: RequestLoad = RequestLoad(max: RequestLoad.standardMax),
        metadataURL: String? = nil
    ) {
        self.routes = Dictionary(grouping: routes, by: \.path)
        self.access = access
        self.origins = origins
        self.crossOrigin = crossOrigin
        self.limiter = limiter
        self.edge = edge
        self.idempotency = idempotency
        self.telemetry = telemetry
        self.drain = drain
        self.load = load
        self.metadataURL = metadataURL
    }

    /// Answers a request.
    func respond(to request: Request, over client: ClientConnection) async -> Response {
        let id = RequestIdentifier.of(request)
        let origin = edge.origin(of: request, client)
        let deadline = ContinuousClock.now + Self.patience
        var response = await RequestIdentifier.$current.withValue(id) {
            await RequestDeadline.$current.withValue(deadline) {
                await telemetry.observing(request, from: origin.address) { record in
                    await answer(request, client, &record)
                }
            }
        }
        if drain?.hasBegun == true { response.headers[.connection] = "close" }
        if let header = RequestIdentifier.header { response.headers[header] = id }
        crossOrigin.mark(&response, to: request)
        // RFC 6797 §7.2: not over a connection that could be anybody's.
        if origin.isSecure {
            response.headers[.strictTransportSecurity] = "max-age=31536000"
        }
        // RFC 9110 §9.3.2: HEAD is answered like GET but without content, errors too.
        return request.method == .head ? response.withoutBody : response
    }

    private func answer(_ request: Request, _ client: ClientConnection, _ record: inout RequestRecord) async -> Response
    {
        let candidates = routes[Self.path(of: request)] ?? []
        if let route = candidates.first { record.route = route.path }
        let problem: Problem
        do {
            return try await answer(request, candidates, client, &record)
        } catch let error as Problem {
            problem = metadataURL.map { error.pointing(to: $0) } ?? error
        } catch let error as RegistryError {
            problem = Problem(error)
            record.detail = error.detail
        } catch is CancellationError {
            problem = Problem(.serviceUnavailable, "unavailable", "the server is shutting down")
        } catch {
            problem = Problem(.internalServerError, "internal", "internal error")
            record.detail = "\(type(of: error))"
        }
        record.refusal = problem.detail
        return candidates.first?.refuse(problem) ?? problem.response
    }

    /// One trailing slash makes no difference.
    private static func path(of request: Request) -> String {
        let path = request.uri.path
        return path.utf8.count > 1 && path.utf8.last == UInt8(ascii: "/") ? String(path.dropLast()) : path
    }

    private func answer(
        _ request: Request,
        _ candidates: [Route],
        _ client: ClientConnection,
        _ record: inout RequestRecord
    ) async throws -> Response {
        guard let first = candidates.first else {
            throw Problem(.notFound, "notFound", "there is nothing at this path")
        }
        // A path is open to all methods or to none.
        if case .open = first.access { return try await dispatch(request, candidates, client, &record) }
        guard load.enter() else { throw Problem.overloaded }
        defer { load.leave() }
        try origins.check(request)
        try SingleHeaders.check(request.headers)
        return try await dispatch(request, candidates, client, &record)
    }

    private func dispatch(
        _ request: Request,
        _ candidates: [Route],
        _ client: ClientConnection,
        _ record: inout RequestRecord
    ) async throws -> Response {
        if let preflight = crossOrigin.preflight(request, candidates.map(\.method)) { return preflight }
        let method = request.method == .head ? .get : request.method
        guard let route = candidates.first(where: { $0.method == method }) else { throw Self.wrongMethod(candidates) }
        let principal = try await principal(of: request, for: route, from: record.address)
        record.principal = principal.name
        guard route.isChange else { return try await route.handle(request, principal, client) }
        return try await idempotency.answer(request, by: principal) { request in
            try await route.handle(request, principal, client)
        }
    }

    /// Who asks, if it may.
    ///
    /// - Throws: ``Problem`` 401, 403 or 429
    private func principal(of request: Request, for route: Route, from address: String) async throws -> Principal {
        if case .open = route.access { return .anonymous }
        let principal = try await access.principal(of: request, from: address)
        // What may be asked too often is told in its own way where a route decides by itself.
        guard case .scope(let scope) = route.access else { return principal }
        if let seconds = limiter.take(.request(principal)) { throw Problem.tooManyRequests(seconds) }
        guard principal.may(scope) else { throw Problem.insufficientScope(scope) }
        return principal
    }

    /// RFC 9110 §15.5.6: a 405 lists what is allowed.
    private static func wrongMethod(_ candidates: [Route]) -> Problem {
        var methods = candidates.map(\.method.rawValue)
        if methods.contains("GET") { methods.insert("HEAD", at: 1) }
        let allowed = methods.joined(separator: ", ")
        return Problem(
            .methodNotAllowed,
            "invalid",
            "this path answers \(allowed) only",
            headers: [.allow: allowed]
        )
    }
}
