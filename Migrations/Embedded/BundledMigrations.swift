/// The migrations of this build: every `NNNN_name/….sql` file, so that the binary needs no other file to migrate.
public enum BundledMigrations {
    /// Path inside the folder `Migrations`, with `/` between its parts, and text of each file; sorted by path.
    public static let files: [(path: String, text: String)] = EmbeddedFiles.all
}
