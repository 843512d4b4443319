import Testing

@testable import Server

@Suite("The limit of a discovery", .timeLimit(.minutes(10)))
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

    @Test("a limit that is moved nearer counts at once")
    func nearer() async {
        let start = ContinuousClock.now
        let watchdog = Watchdog(deadline: start + .seconds(600))
        let result = await watchdog.watch {
            watchdog.restart(.seconds(300))
            watchdog.restart(.milliseconds(20))
            await Self.forever()
            return watchdog.cause
        }
        #expect(result == .limit)
        #expect(ContinuousClock.now - start < .seconds(50))
    }

    @Test("a limit that is moved away no longer counts")
    func away() async {
        let watchdog = Watchdog(deadline: .now + .seconds(600))
        let wasCancelled = await watchdog.watch {
            let limit = ContinuousClock.now + .seconds(2)
            watchdog.restart(.seconds(2))
            watchdog.release()
            // A machine that was too busy to move it in time proves nothing.
            guard ContinuousClock.now < limit - .seconds(1) else { return false }
            try? await Task.sleep(until: limit + .milliseconds(200))
            return Task.isCancelled
        }
        #expect(wasCancelled == false)
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
