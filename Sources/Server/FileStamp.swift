internal import Foundation

/// What differs when a file was written anew, or a link to it set elsewhere.
enum FileStamp {
    static func of(_ files: String...) -> String {
        files.map { file in
            let path = URL(filePath: file).resolvingSymlinksInPath().path
            let attributes = try? FileManager.default.attributesOfItem(atPath: path)
            let time = (attributes?[.modificationDate] as? Date)?.timeIntervalSince1970 ?? 0
            let (size, number) = (attributes?[.size] as? NSNumber, attributes?[.systemFileNumber] as? NSNumber)
            return "\(path) \(time) \(size ?? 0) \(number ?? 0)"
        }.joined(separator: "\n")
    }
}
