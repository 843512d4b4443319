extension Duration {
    /// Reads `90d`, `12h` or `30m`, with 1 to 100,000 of them; nil for another form.
    init?(option text: String) {
        let units: [Character: Int64] = ["d": 86_400, "h": 3_600, "m": 60]
        guard let unit = text.last.flatMap({ units[$0] }), let count = Int64(text.dropLast()),
            (1...100_000).contains(count)
        else { return nil }
        self = .seconds(count * unit)
    }
}
