internal import Foundation
internal import HummingbirdCore
internal import Logging
internal import NIOCore
internal import NIOSSL
internal import Synchronization

/// The certificate that the server itself answers TLS with. When its files change, new connections get the new one; running ones
/// go on.
final class ServerCertificate: Sendable {
    /// How often the files are looked at, at most: once a second.
    private static let pause = Duration.seconds(1)

    private struct State {
        var context: NIOSSLContext
        var stamp: String
        var lookedAt: ContinuousClock.Instant
    }

    private let certificateFile: String
    private let keyFile: String
    private let logger: Logger
    private let state: Mutex<State>

    /// Reads the files.
    ///
    /// - Parameters:
    ///   - certificateFile: PEM, the server's own certificate first and then those that lead to its authority.
    ///   - keyFile: PEM, the private key.
    ///   - logger: told when changed files can't be used.
    /// - Throws: ``ConfigurationError``
    init(certificateFile: String, keyFile: String, logger: Logger) throws(ConfigurationError) {
        (self.certificateFile, self.keyFile, self.logger) = (certificateFile, keyFile, logger)
        do {
            let stamp = FileStamp.of(certificateFile, keyFile)
            let context = try Self.load(certificateFile, keyFile)
            state = Mutex(State(context: context, stamp: stamp, lookedAt: .now))
        } catch {
            throw ConfigurationError(
                message:
                    "TLS_CERT_FILE (\(certificateFile)) and TLS_KEY_FILE (\(keyFile)) are no certificate with its key in PEM"
            )
        }
    }

    /// What a new connection is encrypted with.
    func context() -> NIOSSLContext {
        state.withLock { state in
            guard ContinuousClock.now - state.lookedAt >= Self.pause else { return state.context }
            state.lookedAt = .now
            let stamp = FileStamp.of(certificateFile, keyFile)
            guard stamp != state.stamp else { return state.context }
            state.stamp = stamp
            do {
                state.context = try Self.load(certificateFile, keyFile)
                logger.notice("the TLS certificate was read again")
            } catch {
                // Perhaps one file is written already and the other is not: then they change once more.
                logger.warning("the changed TLS certificate can't be used; the one before stays in use")
            }
            return state.context
        }
    }

    private static func load(_ certificateFile: String, _ keyFile: String) throws -> NIOSSLContext {
        let chain = try NIOSSLCertificate.fromPEMFile(certificateFile)
        let key = try NIOSSLPrivateKey(file: keyFile, format: .pem)
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: chain.map { .certificate($0) },
            privateKey: .privateKey(key)
        )
        configuration.minimumTLSVersion = .tlsv12
        configuration.applicationProtocols = ["http/1.1"]
        return try NIOSSLContext(configuration: configuration)
    }
}

/// A connection that is encrypted before HTTP is spoken on it.
struct EncryptedChannel<HTTP: ServerChildChannel>: ServerChildChannel {
    let certificate: ServerCertificate
    let http: HTTP

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<HTTP.Value> {
        channel.eventLoop.makeCompletedFuture {
            try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: certificate.context()))
        }.flatMap {
            http.setup(channel: channel, logger: logger)
        }
    }

    func handle(value: HTTP.Value, logger: Logger) async {
        await http.handle(value: value, logger: logger)
    }
}
