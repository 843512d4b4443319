import Testing

@testable import DBDriver

/// Which server is connected to, event by event.
@Suite("Host states")
struct HostStatesTests {
    static let start = Timestamp(microseconds: 0)

    /// All servers in the order in which they would be tried for one connection.
    static func order(_ states: HostStates, at time: Timestamp = start) -> [Int] {
        var (states, tried) = (states, [Int]())
        while let host = states.next(after: tried, now: time) { tried.append(host) }
        return tried
    }

    @Test("servers are tried in the order of the list, each once")
    func listOrder() {
        #expect(Self.order(HostStates(count: 3)) == [0, 1, 2])
        #expect(Self.order(HostStates(count: 0)) == [])
    }

    @Test("connections stay with the writer, and go to the next when it fails", arguments: HostStates.State.allCases)
    func failOver(_ failure: HostStates.State) {
        guard failure != .connected, failure != .unknown else { return }
        var states = HostStates(count: 3)
        states.found(0, .connected, now: Self.start, jitter: 0)
        #expect(states.writer == 0)
        states.found(0, failure, now: Self.start, jitter: 0)
        #expect(states.writer == nil)
        #expect(Self.order(states) == [1, 2, 0])
        states.found(1, .connected, now: Self.start, jitter: 0)
        #expect(Self.order(states) == [1, 2, 0])
    }

    @Test("one connection at a time tries whether the preferred server is back, after a pause")
    func failBack() {
        var states = HostStates(count: 2)
        states.found(0, .refused, now: Self.start, jitter: 1)
        states.found(1, .connected, now: Self.start, jitter: 0)
        #expect(states.next(after: [], now: Self.start) == 1)
        let later = Self.start + .seconds(1)
        #expect(states.next(after: [], now: later) == 0, "the first one tries")
        #expect(states.next(after: [], now: later) == 1, "the others don't wait for it")
        states.found(0, .refused, now: later, jitter: 1)
        #expect(states.next(after: [], now: later) == 1)
        let muchLater = later + .seconds(60)
        #expect(states.next(after: [], now: muchLater) == 0)
        states.found(0, .connected, now: muchLater, jitter: 0)
        #expect(states.writer == 0)
        #expect(states.next(after: [], now: muchLater) == 0)
    }

    @Test("the pauses grow to their limit, and each process has its own")
    func pauses() {
        for jitter in [0.0, 1.0] {
            var states = HostStates(count: 2)
            states.found(1, .connected, now: Self.start, jitter: 0)
            for failures in 1...20 {
                states.found(0, .hung, now: Self.start, jitter: jitter)
                let pause =
                    min(HostStates.pauseMax, HostStates.pauseMin * (1 << min(failures - 1, 10))) * (0.5 + jitter / 2)
                #expect(states.next(after: [], now: Self.start + (pause - .milliseconds(1))) == 1)
                #expect(states.next(after: [], now: Self.start + pause) == 0)
            }
        }
    }

    @Test("a server that only reads is no writer, and is the last choice but one that is away")
    func readOnly() {
        var states = HostStates(count: 3)
        states.found(0, .readOnly, now: Self.start, jitter: 0)
        #expect(states.writer == nil)
        #expect(Self.order(states).first == 1)
        #expect((states.ageMax(of: 0, jitter: 1) ?? .seconds(9)) <= .seconds(2))
    }

    @Test("connections to another than the preferred server are replaced within two minutes, at different times")
    func age() {
        var states = HostStates(count: 2)
        states.found(1, .connected, now: Self.start, jitter: 0)
        #expect(states.ageMax(of: 0, jitter: 0.5) == nil)
        #expect(states.ageMax(of: 1, jitter: 0) == .seconds(60))
        #expect(states.ageMax(of: 1, jitter: 1) == .seconds(120))
    }

    @Test("errors tell how a server is")
    func errors() {
        func state(_ kind: DatabaseError.Kind, _ code: Int, isLate: Bool = false) -> HostStates.State {
            HostStates.State(DatabaseError(kind, code: code, message: ""), isLate: isLate)
        }
        #expect(state(.unavailable, 2002) == .refused)
        #expect(state(.unavailable, 2002, isLate: true) == .hung)
        #expect(state(.unavailable, 1047) == .notPrimary)
        #expect(state(.connectionLost, 1047) == .notPrimary)
        #expect(state(.unavailable, 1290) == .readOnly)
        #expect(state(.accessDenied, 1045) == .denied)
    }
}
