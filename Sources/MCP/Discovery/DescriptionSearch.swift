/// Looks through a service's resources for the one that describes the service.
struct DescriptionSearch {
    private static let name = "service_description"

    private var byName: String?
    private var byTitle: String?
    private var bySegment: String?
    private var seen = 0

    /// The address of the best match so far: by name, else by title, else by the last segment of the address.
    var uri: String? { byName ?? byTitle ?? bySegment }

    /// Whether looking on is pointless: the first exact name wins, and there is a limit.
    var isOver: Bool { byName != nil || seen >= DiscoveryLimits.listed }

    /// Takes one page of `resources/list`.
    mutating func add(_ page: [JSONValue]) {
        for resource in page where !isOver {
            seen += 1
            guard let uri = resource["uri"]?.string, uri.utf8.count <= DiscoveryLimits.echoedBytes else { continue }
            if resource["name"]?.string == Self.name { byName = uri }
            if byTitle == nil, resource["title"]?.string == Self.name { byTitle = uri }
            if bySegment == nil, uri.split(separator: "/").last.map(String.init) == Self.name { bySegment = uri }
        }
    }

    /// The description in the result of `resources/read`: the first text, a plain or Markdown one before others,
    /// trimmed and cut. `nil` when there is none.
    static func text(in contents: JSONValue?) -> String? {
        let texts = (contents?.array ?? []).filter { $0["text"]?.string != nil }
        let preferred = texts.first {
            let type = $0["mimeType"]?.string
            return MediaType.matches(type, "text/markdown") || MediaType.matches(type, "text/plain")
        }
        guard let text = (preferred ?? texts.first)?["text"]?.string else { return nil }
        let trimmed = text.trimmingWhiteSpace.cut(to: DiscoveryLimits.descriptionLength)
        return trimmed.isEmpty ? nil : trimmed
    }
}

extension String {
    fileprivate var trimmingWhiteSpace: String {
        guard let first = firstIndex(where: { !$0.isWhitespace }), let last = lastIndex(where: { !$0.isWhitespace })
        else { return "" }
        return String(self[first...last])
    }
}
