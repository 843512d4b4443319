extension Unicode.Scalar {
    /// Whether a reader can't see this character, or sees others differently for it: controls, direction marks, zero-width and
    /// tag characters, fillers, variation selectors (Unicode, `Default_Ignorable_Code_Point`), line ends, private use.
    public var isInvisible: Bool {
        switch properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .unassigned: true
        default: properties.isDefaultIgnorableCodePoint
        }
    }
}
