import DBDriver
import Synchronization
import TestSupport
import Testing

@testable import Registry

@Suite("API keys that were looked up lately")
struct APIKeyCacheTests {
    private static let start = ContinuousClock.now

    /// A time that is set by hand.
    private final class Clock: Sendable {
        private let elapsed = Mutex(Duration.zero)

        var now: ContinuousClock.Instant { APIKeyCacheTests.start + elapsed.withLock { $0 } }

        func advance(by duration: Duration) {
            elapsed.withLock { $0 += duration }
        }
    }

    private static let key = APIKey(
        id: "aaaaaaaaaaaaaaaa",
        name: "k",
        scopes: [.read],
        user: nil,
        createdAt: .now(),
        createdBy: "admin",
        expiresAt: nil
    )
    private static let digest = APIKeyCache.digest(of: "mcpr_aaaaaaaaaaaaaaaa_secret")

    @Test("a look-up counts for a second from its beginning, and one caller is told to make it anew before that")
    func reach() throws {
        let clock = Clock()
        let cache = APIKeyCache(now: { clock.now })
        #expect(cache.find(Self.digest) == nil)
        cache.keep(Self.key, Self.digest, since: clock.now)
        clock.advance(by: .milliseconds(400))
        #expect(cache.find(Self.digest)?.isToRefresh == false)
        clock.advance(by: .milliseconds(200))
        #expect(cache.find(Self.digest)?.isToRefresh == true)
        #expect(cache.find(Self.digest)?.isToRefresh == false)
        clock.advance(by: .milliseconds(399))
        #expect(cache.find(Self.digest) != nil)
        clock.advance(by: .milliseconds(1))
        #expect(cache.find(Self.digest) == nil)
        // The look-up took half a second: what it found is that old.
        cache.keep(Self.key, Self.digest, since: clock.now - .milliseconds(500))
        clock.advance(by: .milliseconds(500))
        #expect(cache.find(Self.digest) == nil)
    }

    @Test("what was not found or was revoked here is forgotten, another secret finds nothing, and there is a bound")
    func forgetting() throws {
        let cache = APIKeyCache()
        cache.keep(Self.key, Self.digest, since: .now)
        #expect(cache.find(APIKeyCache.digest(of: "mcpr_aaaaaaaaaaaaaaaa_other")) == nil)
        cache.keep(nil, Self.digest, since: .now)
        #expect(cache.find(Self.digest) == nil)
        cache.keep(Self.key, Self.digest, since: .now)
        cache.forget(try APIKeyName("other"))
        #expect(cache.find(Self.digest) != nil)
        cache.forget(try APIKeyName("k"))
        #expect(cache.find(Self.digest) == nil)
        for number in 0...APIKeyCache.keysMax { cache.keep(Self.key, APIKeyCache.digest(of: "\(number)"), since: .now) }
        #expect(cache.find(APIKeyCache.digest(of: "0")) == nil)
        #expect(cache.find(APIKeyCache.digest(of: "\(APIKeyCache.keysMax)")) != nil)
    }

    @Test("a key that another instance has revoked is refused within a second", arguments: Engine.available)
    func revokedElsewhere(_ engine: Engine) async throws {
        let vault = try TokenVault(ring: .single(KeyRing.generateKey()))
        try await RegistryFixture.with(engine, vault: vault) { fixture in
            let made = try await fixture.registry.createAPIKey(APIKeyName("k"), scopes: [.read], by: .administrator)
            let text = try #require(made.text.revealText())
            let other = fixture.another(vault: vault)
            #expect(try await other.apiKey(text)?.name == "k")
            try await fixture.registry.revokeAPIKey(APIKeyName("k"), by: .administrator)
            let revoked = ContinuousClock.now
            let here = try await fixture.registry.apiKey(text)
            #expect(here == nil)
            while try await other.apiKey(text) != nil {
                #expect(ContinuousClock.now - revoked < APIKeyCache.reach)
                await Task.yield()
            }
        }
    }
}
