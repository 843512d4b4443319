internal import HTTPTypes
internal import MCP

/// What load balancers and orchestrators ask; no credential is needed, and no secret is told.
enum ProbeRoutes {
    /// - Parameter readiness: what `/ready` asks.
    /// - Returns: the routes `/health` and `/ready`.
    static func routes(_ readiness: Readiness) -> [Route] {
        [
            // That the process lives; never asks the database.
            Route(.get, "/health", .open) { _, _ in .json(["status": "healthy", "service": "mcp-server"]) },
            // That requests can be served.
            Route(.get, "/ready", .open) { _, _ in
                if let obstacle = await readiness.obstacle() {
                    throw Problem(.serviceUnavailable, "unavailable", obstacle)
                }
                return .json(["status": "ready"])
            },
        ]
    }
}
