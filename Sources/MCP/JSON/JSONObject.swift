/// The members of a JSON object in their order, each key once.
///
/// Keys are compared by their bytes, as JSON demands (RFC 8259 section 8.3), not by Unicode equivalence. A small object
/// is searched from front to back; beyond ``indexedFrom`` members an index keeps look-ups constant, so that a hostile
/// body full of keys costs linear time.
public struct JSONObject: Sendable {
    /// One key with its value.
    public struct Member: Sendable, Equatable {
        /// The name, unique in its object.
        public let key: String
        /// What the name stands for.
        public var value: JSONValue
    }

    /// The members in order.
    public private(set) var members: [Member]
    private var index: [ExactKey: Int] = [:]

    private static let indexedFrom = 16

    /// An object without members.
    public init() { members = [] }

    /// The pairs in their order; of two equal keys the later value wins, at the place of the first.
    public init(_ pairs: some Sequence<(String, JSONValue)>) {
        self.init()
        for (key, value) in pairs { self[key] = value }
    }

    /// Whether there are no members.
    public var isEmpty: Bool { members.isEmpty }

    /// How many members there are.
    public var count: Int { members.count }

    /// The keys in order.
    public var keys: [String] { members.map(\.key) }

    /// The value of `key`. Setting keeps the place of a present key and appends a new one; setting `nil` removes it.
    public subscript(key: String) -> JSONValue? {
        get { position(of: key).map { members[$0].value } }
        set {
            guard let newValue else { return remove(key) }
            guard let position = position(of: key) else { return add(key, newValue) }
            members[position].value = newValue
        }
    }

    /// Appends a member unless its key is present.
    ///
    /// - Returns: Whether the member was added.
    mutating func insert(_ key: String, _ value: JSONValue) -> Bool {
        guard position(of: key) == nil else { return false }
        add(key, value)
        return true
    }

    private mutating func add(_ key: String, _ value: JSONValue) {
        members.append(Member(key: key, value: value))
        if !index.isEmpty {
            index[ExactKey(text: key)] = members.count - 1
        } else if members.count == Self.indexedFrom {
            reindex()
        }
    }

    private mutating func remove(_ key: String) {
        guard let position = position(of: key) else { return }
        members.remove(at: position)
        if !index.isEmpty { reindex() }
    }

    private mutating func reindex() {
        index.removeAll(keepingCapacity: true)
        for (position, member) in members.enumerated() { index[ExactKey(text: member.key)] = position }
    }

    private func position(of key: String) -> Int? {
        guard index.isEmpty else { return index[ExactKey(text: key)] }
        return members.firstIndex { $0.key.hasSameBytes(as: key) }
    }
}

extension JSONObject: Equatable {
    /// Whether both hold the same members in the same order.
    public static func == (left: JSONObject, right: JSONObject) -> Bool { left.members == right.members }
}

extension JSONObject: ExpressibleByDictionaryLiteral {
    /// Members in the written order; of two equal keys the later wins.
    public init(dictionaryLiteral elements: (String, JSONValue)...) { self.init(elements) }
}

/// A key that is equal only to the same bytes; `String` alone would equate canonically equivalent texts.
private struct ExactKey: Hashable {
    let text: String

    static func == (left: ExactKey, right: ExactKey) -> Bool { left.text.hasSameBytes(as: right.text) }

    func hash(into hasher: inout Hasher) {
        for byte in text.utf8 { hasher.combine(byte) }
    }
}

extension String {
    /// Whether both texts are the same bytes in UTF-8. The cheap equality goes first since it is implied.
    func hasSameBytes(as other: String) -> Bool {
        self == other && utf8.elementsEqual(other.utf8)
    }
}
