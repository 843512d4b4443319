/// The prepared statements of one connection, by their text; the one unused longest makes room for a new one.
struct StatementCache<Statement> {
    /// How many are kept. The registry has fewer distinct statements than this; a list bind of many lengths may have more.
    let capacity = 128
    private var entries: [String: (statement: Statement, lastUse: Int)] = [:]
    private var uses = 0

    /// Takes the statement out, so that it can't be dropped while it runs.
    mutating func take(_ text: String) -> Statement? {
        entries.removeValue(forKey: text)?.statement
    }

    /// Puts a statement back, or in for the first time.
    mutating func put(_ statement: Statement, for text: String) {
        if entries.count >= capacity, let oldest = entries.min(by: { $0.value.lastUse < $1.value.lastUse }) {
            entries.removeValue(forKey: oldest.key)
        }
        uses += 1
        entries[text] = (statement, uses)
    }

    /// Lets all statements go.
    mutating func removeAll() {
        entries = [:]
    }
}
