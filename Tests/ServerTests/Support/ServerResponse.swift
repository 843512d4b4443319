@testable import Server

/// What the server answers. (Where Hummingbird is imported, `Server` is a type of its own.)
typealias ServerResponse = Server.Response
