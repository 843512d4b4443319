/// Collects the tools of a service page by page, leaving out what breaks a rule and saying so.
struct ToolIntake {
    private(set) var tools: [DiscoveredTool] = []
    private(set) var warnings: [String] = []
    /// The shortest time that a page is said to hold; `nil` when none says so.
    private(set) var timeToLive: Duration?
    /// By their bytes: for `String`, names in different Unicode forms would be equal.
    private var names: Set<[UInt8]> = []
    private var bytes = 0
    /// How many were listed, those left out included.
    private var listed = 0

    /// Takes one page.
    ///
    /// - Parameters:
    ///   - page: The tools as the service lists them.
    ///   - isModern: Whether tools with faulty `x-mcp-header` annotations must be dropped.
    /// - Throws: ``DiscoveryFailure`` when there are too many tools or too many bytes of them.
    mutating func add(_ page: [JSONValue], isModern: Bool) throws(DiscoveryFailure) {
        listed += page.count
        guard listed <= DiscoveryLimits.listed else {
            throw DiscoveryFailure(.unusable, "the service has more than \(DiscoveryLimits.listed) tools")
        }
        for value in page {
            guard let name = acceptableName(of: value) else { continue }
            let tool: DiscoveredTool
            do {
                tool = try read(value, name: name, isModern: isModern)
            } catch {
                warn("tool \"\(name)\" was left out: \(error.reason)")
                continue
            }
            guard names.insert(Array(name.utf8)).inserted else {
                warn("tool \"\(name)\" is listed twice; the first is kept")
                continue
            }
            try keep(tool)
        }
    }

    /// Notes something that was left out.
    mutating func warn(_ text: String) {
        if warnings.count < DiscoveryLimits.warnings { warnings.append(text) }
    }

    /// Takes the `ttlMs` of a page, whole milliseconds from 0 (2026-07-28, "Caching"); anything else says nothing.
    mutating func note(timeToLive value: JSONValue?) {
        guard let milliseconds = value?.integer, milliseconds >= 0 else { return }
        let longest = Duration.seconds(DiscoveryLimits.timeToLiveDays * 86_400)
        timeToLive = min(.milliseconds(milliseconds), timeToLive ?? longest, longest)
    }

    private mutating func keep(_ tool: DiscoveredTool) throws(DiscoveryFailure) {
        tools.append(tool)
        bytes += tool.description.utf8.count + tool.inputSchema.utf8.count
        for text in [tool.outputSchema, tool.annotations, tool.icons] { bytes += text?.utf8.count ?? 0 }
        guard bytes <= DiscoveryLimits.totalBytes else {
            throw DiscoveryFailure(.unusable, "the service's tool definitions are too large")
        }
    }

    private mutating func acceptableName(of value: JSONValue) -> String? {
        guard let name = value["name"]?.string, !name.isEmpty else {
            warn("a tool without a name was left out")
            return nil
        }
        let scalars = name.unicodeScalars
        guard scalars.count <= DiscoveryLimits.nameLength else {
            warn("a tool whose name is longer than \(DiscoveryLimits.nameLength) characters was left out")
            return nil
        }
        guard scalars.first?.properties.isWhitespace == false, scalars.last?.properties.isWhitespace == false else {
            warn("a tool whose name begins or ends with white space was left out")
            return nil
        }
        guard !scalars.contains(where: \.isInvisible) else {
            warn("a tool with invisible characters in its name was left out")
            return nil
        }
        return name
    }

    private mutating func read(
        _ value: JSONValue,
        name: String,
        isModern: Bool
    ) throws(ToolRefusal) -> DiscoveredTool {
        guard let input = value["inputSchema"], input.object != nil else {
            throw ToolRefusal(reason: "it has no input schema")
        }
        if isModern, let fault = MirroredParameters.fault(in: input) { throw ToolRefusal(reason: fault) }
        let description = value["description"]?.string ?? ""
        let tool = DiscoveredTool(
            name: name,
            title: value["title"]?.string?.cut(to: DiscoveryLimits.titleLength),
            description: description.cut(to: DiscoveryLimits.descriptionLength),
            inputSchema: try text(of: input, "input schema"),
            outputSchema: try optionalText(of: value["outputSchema"], "output schema"),
            annotations: try optionalText(of: value["annotations"], "annotations object"),
            icons: icons(of: value, name)
        )
        if tool.description.utf8.count < description.utf8.count {
            warn("the description of tool \"\(name)\" was cut to \(DiscoveryLimits.descriptionLength) characters")
        }
        return tool
    }

    /// Too many or too large pictures are no reason to lose the tool.
    private mutating func icons(of value: JSONValue, _ name: String) -> String? {
        guard let icons = value["icons"], icons.array?.isEmpty == false else { return nil }
        do {
            return try text(of: icons, "list of icons")
        } catch {
            warn("the icons of tool \"\(name)\" were left out: \(error.reason)")
            return nil
        }
    }

    /// What is no object says nothing that could be kept.
    private func optionalText(of value: JSONValue?, _ what: String) throws(ToolRefusal) -> String? {
        guard let value, value.object != nil else { return nil }
        return try text(of: value, what)
    }

    private func text(of value: JSONValue, _ what: String) throws(ToolRefusal) -> String {
        guard value.depth <= DiscoveryLimits.schemaDepth else {
            throw ToolRefusal(reason: "its \(what) is nested deeper than \(DiscoveryLimits.schemaDepth) levels")
        }
        let text = value.canonical()
        guard text.utf8.count <= DiscoveryLimits.schemaBytes else {
            throw ToolRefusal(reason: "its \(what) is larger than \(DiscoveryLimits.schemaBytes / 1024) KiB")
        }
        return text
    }
}

private struct ToolRefusal: Error {
    let reason: String
}

extension JSONValue {
    /// How many arrays and objects stand inside each other, this one included.
    fileprivate var depth: Int {
        switch self {
        case .array(let elements): 1 + (elements.map(\.depth).max() ?? 0)
        case .object(let object): 1 + (object.members.map(\.value.depth).max() ?? 0)
        default: 0
        }
    }
}
