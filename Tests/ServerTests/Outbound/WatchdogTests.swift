import Testing

@testable import Server

@Suite("The limit of a discovery", .timeLimit(.minutes(1)))
struct WatchdogTests {
    /// Works until it is cancelled.
    private static func forever() async {
        try? await Task.sleep(for: .seconds(600))
    }

    @Test("work that ends in time is left alone")
    func inTime() async {
        let watchdog = Watchdog(deadline: .now + .seconds(60))
        #expect(await watchdog.watch { 5 } == 5)
        #expect(watchdog.cause == nil)
    }

    @Test("the deadline ends the work, which still says how")
    func deadline() async {
        let watchdog = Watchdog(deadline: .now + .milliseconds(20))
        let result = await watchdog.watch {
            await Self.forever()
            return watchdog.cause
        }
        #expect(result == .limit)
    }

    @Test("the limit can be moved forward and back while the work goes on")
    func moved() async {
        let start = ContinuousClock.now
        let watchdog = Watchdog(deadline: start + .seconds(60))
        let result = await watchdog.watch {
            watchdog.restart(.milliseconds(200))
            try? await Task.sleep(for: .milliseconds(10))
            watchdog.release()
            try? await Task.sleep(for: .milliseconds(300))
            guard !Task.isCancelled else { return false }
            watchdog.restart(.milliseconds(20))
            await Self.forever()
            return true
        }
        #expect(result == true)
        #expect(ContinuousClock.now - start < .seconds(30))
        #expect(watchdog.cause == .limit)
    }

    @Test("a limit never lies behind the deadline")
    func bounded() async {
        let watchdog = Watchdog(deadline: .now + .milliseconds(20))
        watchdog.restart(.seconds(600))
        _ = await watchdog.watch { await Self.forever() }
        #expect(watchdog.cause == .limit)
    }

    @Test("work cancelled by its caller has no cause")
    func cancelled() async {
        let watchdog = Watchdog(deadline: .now + .seconds(60))
        let task = Task {
            await watchdog.watch {
                await Self.forever()
                return Task.isCancelled
            }
        }
        task.cancel()
        #expect(await task.value == true)
        #expect(watchdog.cause == nil)
    }
}
