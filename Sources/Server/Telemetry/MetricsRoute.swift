internal import DBDriver
internal import Foundation
internal import HTTPTypes
internal import HummingbirdCore
internal import Metrics
internal import NIOCore
internal import Registry

/// `GET /metrics`: what this process has counted and measured, as Prometheus reads it.
struct MetricsRoute: Sendable {
    static let path = "/metrics"

    private let store: MetricsStore
    private let database: Database

    init(_ store: MetricsStore, _ database: Database) {
        (self.store, self.database) = (store, database)
    }

    /// The route on the port that everything else is asked on; it takes the scope to read.
    var route: Route {
        Route(.get, Self.path, .scope(.read)) { _, _ in response() }
    }

    /// The answer.
    func response() -> Response {
        measure()
        let text = store.text()
        let headers: HTTPFields = [.contentType: MetricsStore.mediaType, .cacheControl: "no-store"]
        return Response(status: .ok, headers: headers, body: ByteBuffer(string: text))
    }

    /// Takes the measures that are of the moment.
    private func measure() {
        for pool in database.pools {
            set("database_pool_connections", pool.open - pool.idle, [("pool", pool.name), ("state", "used")])
            set("database_pool_connections", pool.idle, [("pool", pool.name), ("state", "idle")])
            set("database_pool_waiting", pool.waiting, [("pool", pool.name)])
        }
        for server in database.servers {
            for state in Database.serverStates {
                let isNow = server.state == state
                set("database_server_state", isNow ? 1 : 0, [("server", server.host), ("state", state)])
            }
        }
        if let pages = Self.residentPages {
            set("process_resident_memory_bytes", pages * Int(sysconf(Int32(_SC_PAGESIZE))), [])
        }
        if let count = Self.entries("/proc/self/fd") { set("process_open_fds", count, []) }
        if let count = Self.entries("/proc/self/task") { set("process_threads", count, []) }
    }

    private func set(_ label: String, _ value: Int, _ dimensions: [(String, String)]) {
        Meter(label: label, dimensions: dimensions, factory: store).set(value)
    }

    private static func entries(_ folder: String) -> Int? {
        try? FileManager.default.contentsOfDirectory(atPath: folder).count
    }

    /// proc(5): the second number of `statm`.
    private static var residentPages: Int? {
        guard let data = FileManager.default.contents(atPath: "/proc/self/statm") else { return nil }
        let numbers = String(decoding: data, as: UTF8.self).split(separator: " ")
        return numbers.count > 1 ? Int(numbers[1]) : nil
    }
}

/// Answers `/metrics`, and nothing else, on a port of its own, whose network protects it.
struct MetricsResponder: Sendable {
    let metrics: MetricsRoute

    func respond(to request: Request) -> Response {
        guard request.uri.path == MetricsRoute.path, [.get, .head].contains(request.method) else {
            return Problem(.notFound, "notFound", "there is only GET \(MetricsRoute.path) here").response
        }
        let response = metrics.response()
        return request.method == .head ? response.withoutBody : response
    }
}
