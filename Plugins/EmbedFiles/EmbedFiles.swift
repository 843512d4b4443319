import Foundation
import PackagePlugin

/// Embeds the text files of a target's folder in its code, so that the binary needs nothing beside itself.
///
/// Every file of the target that is not Swift source becomes an entry of `EmbeddedFiles.files`, an internal constant that
/// the target may use. A changed, new or removed file rebuilds the target.
@main
struct EmbedFiles: BuildToolPlugin {
    func createBuildCommands(context: PluginContext, target: any Target) throws -> [Command] {
        guard let module = target as? any SourceModuleTarget else { return [] }
        let files = module.sourceFiles.filter { $0.url.pathExtension != "swift" }.map(\.url)
            .sorted { $0.path < $1.path }
        let output = context.pluginWorkDirectoryURL.appending(path: "EmbeddedFiles.swift")
        return [
            .buildCommand(
                displayName: "Embedding \(files.count) files in \(target.name)",
                executable: try context.tool(named: "EmbedFilesTool").url,
                arguments: [output.path, module.directoryURL.path] + files.map(\.path),
                inputFiles: files,
                outputFiles: [output]
            )
        ]
    }
}
