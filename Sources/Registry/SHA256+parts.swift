internal import Crypto

extension SHA256 {
    /// SHA-256 over some parts, each with its length before it so that none can run into the next, in hexadecimal.
    static func hexadecimal(of parts: [[UInt8]]) -> String {
        var hash = SHA256()
        for part in parts {
            hash.update(data: Array("\(part.count):".utf8))
            hash.update(data: part)
        }
        return Array(hash.finalize()).hexadecimal
    }
}
