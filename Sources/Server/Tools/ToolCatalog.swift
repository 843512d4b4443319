internal import DBDriver
internal import Logging
internal import MCP
internal import Metrics
internal import Registry

/// All tools of the registry's MCP endpoint, in the order in which they are listed.
struct ToolCatalog: Sendable {
    let tools: [RegistryTool]
    private let byName: [String: RegistryTool]
    /// The scope that a tool takes, by its name; none for those that any caller may use.
    private let scopes: [String: Scope]
    private let calls = KnownMetrics<[String], Counter> { labels in
        Counter(label: "tool_calls", dimensions: [("tool", labels[0]), ("outcome", labels[1])])
    }
    private let registry: MCPRegistry
    private let limiter: RateLimiter
    private let logger: Logger

    init(_ registry: MCPRegistry, limiter: RateLimiter, logger: Logger) {
        tools =
            UserTools.list(registry) + RoleTools.tools(registry) + UserTools.tools(registry)
            + RoleTools.links(registry) + ServiceTools.tools(registry) + CredentialTools.tools(registry)
            + ChangeTools.tools(registry) + UserTools.whoAmI()
        byName = Dictionary(uniqueKeysWithValues: tools.map { ($0.definition.name, $0) })
        scopes = byName.compactMapValues(\.scope)
        self.registry = registry
        self.limiter = limiter
        self.logger = logger
    }

    /// Whether a caller is shown a tool: whether it may use it.
    func isShown(_ name: String, to principal: Principal) -> Bool {
        scopes[name].map(principal.may) ?? (byName[name] != nil)
    }

    /// The scope that a single call of a tool takes and its caller lacks. Who came by OAuth is told by a status 403, which it
    /// can answer with a token of more scopes (MCP 2026-07-28, authorization, "Insufficient scope"); others by the tool's result:
    /// legacy clients take a 403 for the end of the connection.
    func missingScope(for body: [UInt8], _ principal: Principal) -> Scope? {
        guard let message = try? JSONValue.parse(body), message["method"]?.string == "tools/call",
            let scope = message["params"]?["name"]?.string.flatMap({ scopes[$0] })
        else { return nil }
        return principal.may(scope) ? nil : scope
    }

    /// Calls a tool.
    ///
    /// - Throws: whatever is no caller's fault; it is logged here, and the endpoint says "internal error".
    func call(_ call: ToolCall, by principal: Principal) async throws -> ToolResult {
        guard let tool = byName[call.name] else { return .failure("Unknown tool: \(call.name)") }
        do {
            let result = try await answer(call, of: tool, by: principal)
            count(tool, result.isError ? "refused" : "done")
            return result
        } catch let error as RegistryError {
            count(tool, error.code.rawValue)
            // What fails because its client has gone is no news.
            if let detail = error.detail, !Task.isCancelled {
                logger.error("\(error.message)", metadata: ["tool": "\(call.name)", "detail": "\(detail)"])
            }
            guard error.code != .internal else { throw error }
            let advice = tool.advice[error.code].map { ": " + $0 } ?? ""
            return .failure("Error calling tool '\(call.name)': \(error.message)\(advice)")
        }
    }

    private func count(_ tool: RegistryTool, _ outcome: String) {
        calls[[tool.definition.name, outcome]].increment()
    }

    private func answer(_ call: ToolCall, of tool: RegistryTool, by principal: Principal) async throws -> ToolResult {
        if let scope = tool.scope, !principal.may(scope) {
            return .failure(
                "Error calling tool '\(call.name)': it takes the scope \(scope), which this caller does not have: "
                    + "whoami tells what it may do"
            )
        }
        let isSpent = limiter.take(.request(principal)) ?? (tool.discovers ? limiter.take(.discovery(principal)) : nil)
        // A tool error in every revision: legacy clients take a status 429 for the end of the connection.
        if let seconds = isSpent {
            return .failure("Error calling tool '\(call.name)': too many requests: try again in \(seconds) s")
        }
        // What a service takes is bounded by itself, and each step at the database then by its own limit.
        let deadline = tool.discovers ? nil : ContinuousClock.now + RouteTable.patience
        return try await RequestDeadline.$current.withValue(deadline) {
            try await registry.perform { try await tool.call(call.arguments, by: principal) }
        }
    }
}
