import MCP
import Testing

@testable import Server

@Suite("Which addresses discovery contacts")
struct EndpointPolicyTests {
    private static let isPrivate =
        "a loopback or private address is contacted only when DISCOVERY_ALLOW_PRIVATE is true or DISCOVERY_ALLOW lists it"
    private static let isSpecial =
        "a link-local or other special-purpose address is contacted only when DISCOVERY_ALLOW lists it"
    private static let noMachine = "a multicast, broadcast or unspecified address is never contacted"
    private static let isNumber = "the address's host is a number, but no IPv4 address such as 192.0.2.1"
    private static let noName = "the address's host is no plain host name or IP address"
    private static let wantsHTTPS = "the address must begin with https:// unless DISCOVERY_ALLOW_HTTP is true"
    private static let unreachable = "the service could not be reached"

    /// What is said about a URL whose host resolves to the addresses; nil when it may be contacted.
    private static func refusal(
        _ text: String,
        _ addresses: [String] = [],
        _ policy: EndpointPolicy = EndpointPolicy()
    ) throws -> EndpointPolicy.Refusal? {
        do throws(EndpointPolicy.Refusal) {
            let url = try policy.check(text)
            if IPAddress(url.host) == nil { try policy.check(addresses.compactMap { IPAddress($0) }, of: url) }
            return nil
        } catch {
            return error
        }
    }

    static let texts: [(String, String?)] = [
        ("https://1.1.1.1/mcp", nil), ("HTTPS://1.1.1.1:8443", nil), ("https://[2606:4700::1111]:1/x@y", nil),
        ("https://1.1.1.1?x@y", nil), ("https://1.1.1.1:65535/", nil),
        ("http://1.1.1.1/mcp", wantsHTTPS), ("http://a.example/mcp", wantsHTTPS),
        ("file:///etc/passwd", "only http and https addresses can be read"),
        ("/srv/tool.py", "only http and https addresses can be read"),
        ("ftp://a", "only http and https addresses can be read"),
        ("unix:///run/x", "only http and https addresses can be read"),
        ("http+unix://%2Frun", "only http and https addresses can be read"),
        ("", "the address can't be read as a URL"), ("https://", "the address has no host"),
        ("https:///x", "the address has no host"), ("https://1.1.1.1:0/", "the address can't be read as a URL"),
        ("https://1.1.1.1:65536/", "the address can't be read as a URL"),
        ("http://u:p@a.example", "the address must not hold a user name or password"),
        ("https://u@a", "the address must not hold a user name or password"),
        ("https://@a", "the address must not hold a user name or password"),
        ("https://1.1.1.1@127.0.0.1", "the address must not hold a user name or password"),
        ("https://127.0.0.1/", isPrivate), ("http://127.0.0.1/", isPrivate), ("http://10.1.2.3:8000/mcp", isPrivate),
        ("https://[::1]/", isPrivate), ("https://[fd00::1]/", isPrivate), ("https://192.168.1.1", isPrivate),
        ("http://169.254.169.254/latest/meta-data/", isSpecial), ("https://[fe80::1]/", isSpecial),
        ("https://[::ffff:127.0.0.1]/", isSpecial), ("https://[::ffff:7f00:1]/", isSpecial),
        ("https://[64:ff9b::a9fe:a9fe]/", isSpecial), ("https://[2002:7f00:1::]/", isSpecial),
        ("https://0.0.0.0/", noMachine), ("https://[::]/", noMachine), ("https://224.0.0.1/", noMachine),
        ("https://2130706433/", isNumber), ("https://0x7f000001/", isNumber), ("https://0177.0.0.1/", isNumber),
        ("https://0x7f.1/", isNumber), ("https://127.1/", isNumber), ("https://127.0.0.0x1/", isNumber),
        ("https://1.2.3.4.5/", isNumber), ("https://1.2.3.256/", isNumber), ("https://a.0x/", isNumber),
        ("https://127.0.0.1./", isNumber), ("https://localhost./", noName), ("https://a..b/", noName),
        ("https://.a/", noName), ("https://a%2eexample/", noName), ("https://127%2e0%2e0%2e1/", noName),
        ("https://a*b/", noName), ("https://a,b/", noName),
        ("https://metadata.google.internal/", unreachable), ("https://METADATA/", unreachable),
        ("https://instance-data/", unreachable),
    ]

    @Test("the text of a URL is judged before anything is resolved", arguments: texts)
    func text(text: String, reason: String?) throws {
        #expect(try Self.refusal(text)?.failure.reason == reason)
    }

    @Test(
        "all spellings that are hard to read are refused, whatever is allowed",
        arguments: [
            "https://2130706433/", "https://127.1/", "https://0x7f.0.0.1", "https://localhost./", "https://metadata/",
        ]
    )
    func allowedSpelling(text: String) throws {
        var policy = EndpointPolicy(allowsPrivate: true, allowsPlainHTTP: true)
        policy.allowed = try AllowList("0.0.0.0/0, ::/0, metadata")
        #expect(try Self.refusal(text, ["1.1.1.1"], policy) != nil)
    }

    static let names: [([String], Bool)] = [
        (["1.1.1.1"], true), (["1.1.1.1", "2606:4700::1111"], true), ([], false), (["10.0.0.1"], false),
        (["1.1.1.1", "127.0.0.1"], false), (["127.0.0.1", "1.1.1.1"], false), (["169.254.169.254"], false),
        (["0.0.0.0"], false), (["::1"], false), (["::ffff:10.0.0.1"], false), (["fe80::1"], false),
        (["64:ff9b::808:808"], true), (["64:ff9b::a00:1"], false),
    ]

    @Test("one forbidden address spoils a name, in the words of a name that leads nowhere", arguments: names)
    func name(addresses: [String], isAllowed: Bool) throws {
        let refusal = try Self.refusal("https://a.example/mcp", addresses)
        #expect((refusal == nil) == isAllowed)
        if let refusal {
            #expect(refusal.failure == EndpointPolicy.unreachable)
            #expect(addresses.isEmpty || refusal.detail.contains("the host leads to "))
        }
    }

    @Test("private addresses are allowed over plain HTTP too, and nothing beyond them")
    func allowsPrivate() throws {
        let policy = EndpointPolicy(allowsPrivate: true)
        for host in ["127.0.0.1", "10.0.0.1", "[::1]", "[fd00::1]", "100.64.0.1"] {
            #expect(try Self.refusal("http://\(host)/", [], policy) == nil)
        }
        for host in [
            "169.254.169.254", "100.100.100.200", "[fd00:ec2::254]", "[fe80::1]", "192.0.2.1", "[::ffff:10.0.0.1]",
        ] {
            #expect(try Self.refusal("https://\(host)/", [], policy)?.failure.reason == Self.isSpecial)
        }
        #expect(try Self.refusal("https://0.0.0.0/", [], policy)?.failure.reason == Self.noMachine)
        #expect(try Self.refusal("http://a.example", ["10.0.0.1"], policy) == nil)
        #expect(try Self.refusal("http://a.example", ["169.254.169.254"], policy)?.failure.reason == Self.unreachable)
        #expect(try Self.refusal("http://a.example", ["1.1.1.1"], policy)?.failure.reason == Self.wantsHTTPS)
        #expect(try Self.refusal("http://1.1.1.1", [], policy)?.failure.reason == Self.wantsHTTPS)
        #expect(
            try Self.refusal("http://a.example", ["10.0.0.1", "1.1.1.1"], policy)?.failure.reason == Self.wantsHTTPS
        )
    }

    @Test("plain HTTP to public addresses is a setting of its own")
    func allowsPlainHTTP() throws {
        let policy = EndpointPolicy(allowsPlainHTTP: true)
        #expect(try Self.refusal("http://1.1.1.1", [], policy) == nil)
        #expect(try Self.refusal("http://a.example", ["1.1.1.1"], policy) == nil)
        #expect(try Self.refusal("http://10.0.0.1", [], policy)?.failure.reason == Self.isPrivate)
        #expect(try Self.refusal("http://a.example", ["10.0.0.1"], policy)?.failure.reason == Self.unreachable)
    }

    @Test("a listed name may lead to private and plain addresses, a listed network holds whatever is a machine's")
    func allowed() throws {
        let policy = EndpointPolicy(
            allowed: try AllowList("Tools.internal, db:8080,10.1.0.0/16, 169.254.7.7, [fd00::1]:8443, 0.0.0.0/1:1")
        )
        #expect(try Self.refusal("http://tools.INTERNAL:99/", ["10.9.9.9"], policy) == nil)
        #expect(try Self.refusal("http://tools.internal/", ["1.1.1.1"], policy) == nil)
        #expect(
            try Self.refusal("https://tools.internal/", ["169.254.169.254"], policy)?.failure.reason == Self.unreachable
        )
        #expect(try Self.refusal("http://x.tools.internal/", ["10.9.9.9"], policy)?.failure.reason == Self.unreachable)
        #expect(try Self.refusal("http://db:8080/", ["127.0.0.1"], policy) == nil)
        #expect(try Self.refusal("http://db:8081/", ["127.0.0.1"], policy)?.failure.reason == Self.unreachable)
        #expect(try Self.refusal("http://10.1.255.1/", [], policy) == nil)
        #expect(try Self.refusal("http://a.example/", ["10.1.255.1"], policy) == nil)
        #expect(try Self.refusal("http://10.2.0.1/", [], policy)?.failure.reason == Self.isPrivate)
        #expect(try Self.refusal("http://169.254.7.7/", [], policy) == nil)
        #expect(try Self.refusal("http://169.254.7.8/", [], policy)?.failure.reason == Self.isSpecial)
        #expect(try Self.refusal("http://[fd00::1]:8443/", [], policy) == nil)
        #expect(try Self.refusal("http://[fd00::1]/", [], policy)?.failure.reason == Self.isPrivate)
        #expect(try Self.refusal("http://127.0.0.1:1/", [], policy) == nil)
        #expect(try Self.refusal("http://0.0.0.0:1/", [], policy)?.failure.reason == Self.noMachine)
    }

    @Test(
        "an entry that is none is refused",
        arguments: [
            "a b c/d", "http://a", "a:0", "a:65536", "a:b", "10.0.0.0/33", "[::1", "::1:99999:", "127.1", "a.", "[a]:b",
            "1.2.3.4:", "*.example",
        ]
    )
    func badList(text: String) {
        #expect(throws: AllowList.Fault.self) { try AllowList("ok.example," + text) }
    }

    @Test("an empty list allows nothing, and blanks and empty entries don't count")
    func emptyList() throws {
        #expect(try AllowList(" , ,") == AllowList())
        #expect(try AllowList(" a.example , 10.0.0.0/8 ") == AllowList("a.example,10.0.0.0/8"))
    }

    static let references: [(String, String?)] = [
        ("/messages/?session_id=1", "https://a.example:8443/messages/?session_id=1"),
        ("messages", "https://a.example:8443/v1/messages"), ("?s=1", "https://a.example:8443/v1/sse?s=1"),
        ("https://A.example:8443/m#f", "https://a.example:8443/m"), ("//a.example:8443/m", "https://a.example:8443/m"),
        ("../../m", "https://a.example:8443/m"),
        ("http://a.example:8443/m", nil), ("https://a.example/m", nil), ("//b.example:8443/m", nil),
        ("https://u@a.example:8443/m", nil), ("//169.254.169.254/", nil), ("ftp://a.example:8443/m", nil),
        ("https://a.example:8443@evil.example/", nil), ("https://a.example.:8443/m", nil), ("https://", nil),
    ]

    @Test("a reference is resolved, and must stay in its origin", arguments: references)
    func reference(reference: String, target: String?) throws {
        let url = try ServiceURL("https://a.example:8443/v1/sse?key=1")
        #expect(url.sameOrigin(reference)?.text == target)
    }

    @Test(
        "a reference can't change the spelling of the judged host, which would be looked up anew",
        arguments: ["http://REBIND.test/x", "//Rebind.Test/x", "http://rebind.test:80/x", "/x"]
    )
    func spelling(reference: String) throws {
        #expect(try ServiceURL("http://rebind.test/mcp").sameOrigin(reference)?.text == "http://rebind.test/x")
    }

    @Test(
        "look-alikes of the host are never contacted",
        arguments: [
            "http://kelvin.test.evil/x", "http://\u{212A}elvin.test/x", "http://kelvin.test./x",
            "http://%6Belvin.test/x",
        ]
    )
    func lookAlikes(reference: String) throws {
        let target = try ServiceURL("http://kelvin.test/mcp").sameOrigin(reference)
        #expect(target == nil || target?.host == "kelvin.test", "none of it but path and query is used")
    }

    @Test("a host has one name for each origin, whatever its case, and a default port")
    func origin() throws {
        #expect(try ServiceURL("https://A.Example/x").text == "https://a.example/x")
        #expect(try ServiceURL("http://a").authority == "a:80")
        #expect(try ServiceURL("https://a/x").sameOrigin("https://a:443/y")?.text == "https://a/y")
        #expect(try ServiceURL("https://a/x/sse").looksLikeStream && ServiceURL("https://a/sse?x=/").looksLikeStream)
        #expect(
            try !ServiceURL("https://a/mcp?x=/sse").looksLikeStream && !ServiceURL("https://a/ssex").looksLikeStream
        )
    }
}
