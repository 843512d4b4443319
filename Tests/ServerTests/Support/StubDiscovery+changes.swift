import Registry

extension StubDiscovery {
    /// The SHA-256 of the canonical JSON of the standard tool `add`, reckoned with another program.
    static let standardDigest = "721f6e658ca53e1b1b89cd7e9d2d73559454103c810d0fa15abf7dc2b3b7fc7f"

    /// What the standard tools are after a change of `add` alone.
    static let changed = [tool("add", "Adds faster."), tool("price", "")]

    /// Lets the service `name` of ``HTTPCaller/addService(_:method:)`` offer tools from now on.
    func offer(_ tools: [OfferedTool], by name: String = "pizza") {
        offer(.success(Discovery(tools: tools)), at: "http://\(name).example/mcp")
    }
}
