internal import DBDriver
internal import Foundation
internal import Logging
internal import Registry
internal import ServiceLifecycle
internal import UnixSignals

/// Takes up another key ring while the server runs: on SIGHUP, and when the file changes that holds it. A ring that can't be used leaves
/// the one before.
struct KeyRingReload: Service {
    /// How often the file is looked at: every 5 s.
    private static let interval = Duration.seconds(5)

    let vault: TokenVault
    let database: Database
    let source: KeyRingSource.Configured
    let logger: Logger

    /// Reads the ring again whenever there is reason to, until shutdown.
    func run() async {
        await cancelWhenGracefulShutdown {
            await withTaskGroup { group in
                group.addTask { await self.onSignal() }
                group.addTask { await self.onChange() }
            }
        }
    }

    private func onSignal() async {
        for await _ in await UnixSignalsSequence(trapping: .sighup) { await reload("SIGHUP") }
    }

    private func onChange() async {
        guard let file = source.file else { return }
        var known = FileStamp.of(file)
        while (try? await Task.sleep(for: Self.interval)) != nil {
            let stamp = FileStamp.of(file)
            guard stamp != known else { continue }
            known = stamp
            await reload("its file has changed")
        }
    }

    private func reload(_ reason: String) async {
        do {
            guard let ring = try source.read() else {
                return logger.error("the key ring is gone from the configuration; the one before stays in use")
            }
            guard !ring.hasDevelopmentKeys else {
                return logger.error("the new key ring holds a development key; the one before stays in use")
            }
            try await ring.verify(in: database)
            vault.use(ring)
            logger.notice("the key ring was read again", metadata: ["reason": "\(reason)", "ring": "\(ring)"])
        } catch {
            let text = (error as? ConfigurationError)?.message ?? (error as? RegistryError)?.message ?? "unknown"
            logger.error("the new key ring can't be used; the one before stays in use", metadata: ["reason": "\(text)"])
        }
    }
}
