import Testing

@testable import Server

@Suite("Requests at once")
struct RequestLoadTests {
    @Test("as many are let in as there are places, and a place that was given back is free")
    func places() {
        let load = RequestLoad(max: 2)
        #expect(load.enter() && load.enter())
        #expect(!load.enter() && !load.enter())
        load.leave()
        #expect(load.enter() && !load.enter())
    }
}
