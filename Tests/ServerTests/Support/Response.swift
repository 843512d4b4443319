import Hummingbird

/// What the services that tests run answer; the server's own is ``ServerResponse``.
typealias Response = Hummingbird.Response
