/// Follows the cursors of a list (MCP pagination): opaque, `""` is one too, and only an absent one ends the list.
struct PageWalk {
    /// By their bytes: for `String`, cursors in different Unicode forms would be equal.
    private var seen: Set<[UInt8]> = []

    /// The cursor of the next page in a result, or `nil` after the last one.
    ///
    /// - Throws: ``DiscoveryFailure`` when cursors repeat, are no text, too long or too many.
    mutating func next(after result: JSONObject) throws(DiscoveryFailure) -> String? {
        guard let value = result["nextCursor"], !value.isNull else { return nil }
        guard let cursor = value.string, cursor.utf8.count <= DiscoveryLimits.echoedBytes else {
            throw DiscoveryFailure(.unusable, "the service sent a page cursor that is unusable")
        }
        guard seen.insert(Array(cursor.utf8)).inserted else {
            throw DiscoveryFailure(.unusable, "the service sent the same page cursor twice")
        }
        guard seen.count < DiscoveryLimits.pages else {
            throw DiscoveryFailure(.unusable, "the service's list has more than \(DiscoveryLimits.pages) pages")
        }
        return cursor
    }
}
