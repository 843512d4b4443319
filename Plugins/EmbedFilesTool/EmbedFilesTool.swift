import FoundationEssentials
import Glibc

/// `EmbedFilesTool OUTPUT FOLDER FILE…` writes Swift source that holds the text of each file under its path in the folder.
@main
struct EmbedFilesTool {
    static func main() {
        do {
            try embed()
        } catch {
            print("error: \(error)")
            exit(1)
        }
    }

    private static func embed() throws {
        let arguments = CommandLine.arguments.dropFirst()
        guard let output = arguments.first, let folder = arguments.dropFirst().first else {
            throw EmbedError(message: "usage: EmbedFilesTool OUTPUT FOLDER FILE…")
        }
        let entries = try arguments.dropFirst(2).map { file in
            "        (\(literal(relative(file, to: folder))), \(literal(try text(of: file)))),\n"
        }
        let source = """
            /// The text files of this target's folder, by path; written at each build.
            enum EmbeddedFiles {
                static let files: [(path: String, text: String)] = [
            \(entries.joined())    ]
            }

            """
        try Data(source.utf8).write(to: URL(filePath: output), options: .atomic)
    }

    private static func relative(_ file: String, to folder: String) -> String {
        let prefix = folder.hasSuffix("/") ? folder : folder + "/"
        return file.hasPrefix(prefix) ? String(file.dropFirst(prefix.count)) : file
    }

    private static func text(of file: String) throws -> String {
        guard let text = String(validating: try Data(contentsOf: URL(filePath: file)), as: UTF8.self) else {
            throw EmbedError(message: "\(file): not UTF-8; save it as UTF-8")
        }
        return text
    }

    /// A string literal of exactly these scalars, on one line and in ASCII.
    private static func literal(_ text: String) -> String {
        var literal = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\n": literal += "\\n"
            case "\"", "\\": literal += "\\\(scalar)"
            case " "..."~": literal.unicodeScalars.append(scalar)
            default: literal += "\\u{\(String(scalar.value, radix: 16))}"
            }
        }
        return literal + "\""
    }
}

/// Why the files could not be embedded; the build shows it.
struct EmbedError: Error, CustomStringConvertible {
    let message: String
    var description: String { message }
}
