/// The migrations of this build: every `NNNN_name/….sql` file beside this one, embedded by the `EmbedFiles` plugin.
public enum BundledMigrations {
    /// The lowest schema level that this build can work with: everything in it reads and writes what is there from this
    /// migration on. A later one only brings what can be missing for a while.
    public static let usableFrom = 18
    /// Path inside this folder, with `/` between its parts, and text of each file; sorted by path.
    public static let files: [(path: String, text: String)] = EmbeddedFiles.files.filter { $0.path.hasSuffix(".sql") }
}
