/// The migrations of this build: every `NNNN_name/….sql` file beside this one, embedded by the `EmbedFiles` plugin.
public enum BundledMigrations {
    /// Path inside this folder, with `/` between its parts, and text of each file; sorted by path.
    public static let files: [(path: String, text: String)] = EmbeddedFiles.files.filter { $0.path.hasSuffix(".sql") }
}
