internal import CMariaDB

/// The memory that MYSQL_BIND structures point at, for the parameters or the result columns of one statement's run.
///
/// All of it is one block that lives until the buffers are let go; the C library only ever sees addresses inside it.
@safe final class MariaDBBuffers {
    let binds: UnsafeMutableBufferPointer<MYSQL_BIND>
    private let lengths: UnsafeMutableBufferPointer<UInt>
    private let nulls: UnsafeMutableBufferPointer<my_bool>
    private let errors: UnsafeMutableBufferPointer<my_bool>
    private let bytes: UnsafeMutableRawBufferPointer
    private var used = 0

    private init(count: Int, byteCount: Int) {
        unsafe binds = .allocate(capacity: count)
        unsafe lengths = .allocate(capacity: count)
        unsafe nulls = .allocate(capacity: count)
        unsafe errors = .allocate(capacity: count)
        unsafe bytes = .allocate(byteCount: max(byteCount, 8), alignment: 8)
        unsafe binds.initialize(repeating: MYSQL_BIND())
        unsafe lengths.initialize(repeating: 0)
        unsafe nulls.initialize(repeating: 0)
        unsafe errors.initialize(repeating: 0)
    }

    deinit {
        unsafe binds.deallocate()
        unsafe lengths.deallocate()
        unsafe nulls.deallocate()
        unsafe errors.deallocate()
        // Parameters may be secrets.
        unsafe bytes.initializeMemory(as: UInt8.self, repeating: 0)
        unsafe bytes.deallocate()
    }

    /// Memory filled with the values of parameters.
    convenience init(parameters: [SQLValue]) {
        let byteCount = parameters.reduce(0) { $0 + Self.size(of: $1) }
        self.init(count: parameters.count, byteCount: byteCount)
        for (index, value) in parameters.enumerated() {
            switch value {
            case .null: unsafe place(index, value.type, size: 0)
            case .integer(let integer):
                unsafe place(index, value.type, size: 8).storeBytes(of: integer, as: Int64.self)
            case .real(let real):
                unsafe place(index, value.type, size: 8).storeBytes(of: real, as: Double.self)
            case .text(var text):
                text.withUTF8 { utf8 in
                    unsafe place(index, value.type, size: utf8.count).copyMemory(
                        from: UnsafeRawBufferPointer(utf8)
                    )
                }
            case .blob(let blob):
                unsafe blob.withUnsafeBytes { blob in
                    unsafe place(index, value.type, size: blob.count).copyMemory(from: blob)
                }
            }
        }
    }

    /// Room for the widest value of each result column.
    convenience init(columns: [MariaDBColumn]) {
        self.init(count: columns.count, byteCount: columns.reduce(0) { $0 + Self.rounded($1.width) })
        for (index, column) in columns.enumerated() {
            unsafe place(index, column.bufferType, size: column.width)
            unsafe binds[index].is_unsigned = column.isUnsigned ? 1 : 0
        }
    }

    /// The value that the last fetch put into a column's place; nil when it does not fit (an unsigned number beyond
    /// 63 bits, or text that is not UTF-8).
    func value(_ index: Int, _ column: MariaDBColumn) -> SQLValue? {
        if unsafe nulls[index] != 0 { return .null }
        guard let start = unsafe UnsafeRawPointer(binds[index].buffer) else { return .null }
        switch column.kind {
        case .null: return .null
        case .integer:
            let integer = unsafe start.loadUnaligned(as: Int64.self)
            return column.isUnsigned && integer < 0 ? nil : .integer(integer)
        case .real: return unsafe .real(start.loadUnaligned(as: Double.self))
        case .text:
            let text = unsafe UnsafeRawBufferPointer(start: start, count: Int(lengths[index]))
            return unsafe String(validating: text, as: UTF8.self).map(SQLValue.text)
        case .blob:
            return unsafe .blob(Array(UnsafeRawBufferPointer(start: start, count: Int(lengths[index]))))
        }
    }

    /// Takes the next `size` bytes and lets the bind structure at `index` point at them.
    @discardableResult
    private func place(_ index: Int, _ type: enum_field_types, size: Int) -> UnsafeMutableRawBufferPointer {
        let memory = unsafe UnsafeMutableRawBufferPointer(rebasing: bytes[used..<(used + size)])
        unsafe lengths[index] = UInt(size)
        unsafe binds[index].buffer_type = type
        // An empty value still needs an address: NULL would mean SQL NULL to the library.
        unsafe binds[index].buffer = bytes.baseAddress.map { unsafe $0 + used }
        unsafe binds[index].buffer_length = UInt(size)
        unsafe binds[index].length = lengths.baseAddress.map { unsafe $0 + index }
        unsafe binds[index].is_null = nulls.baseAddress.map { unsafe $0 + index }
        unsafe binds[index].error = errors.baseAddress.map { unsafe $0 + index }
        used += Self.rounded(size)
        return unsafe memory
    }

    private static func size(of value: SQLValue) -> Int {
        switch value {
        case .null: 0
        case .integer, .real: 8
        case .text(let text): rounded(text.utf8.count)
        case .blob(let blob): rounded(blob.count)
        }
    }

    /// The next multiple of 8, so that each value is aligned.
    private static func rounded(_ size: Int) -> Int { (size + 7) & ~7 }
}

/// A column of a stored result as the server describes it.
struct MariaDBColumn {
    enum Kind { case null, integer, real, text, blob }

    let kind: Kind
    let isUnsigned: Bool
    /// The bytes that its widest value takes; more, when the server did not describe the columns anew since an earlier run.
    let width: Int

    /// - Parameter field: `charsetnr` 63 is the binary character set, that is, bytes; `max_length` is known by
    ///   STMT_ATTR_UPDATE_MAX_LENGTH.
    init(_ field: MYSQL_FIELD) {
        isUnsigned = unsafe field.flags & UInt32(UNSIGNED_FLAG) != 0
        switch unsafe field.type {
        case MYSQL_TYPE_NULL: kind = .null
        case MYSQL_TYPE_TINY, MYSQL_TYPE_SHORT, MYSQL_TYPE_INT24, MYSQL_TYPE_LONG, MYSQL_TYPE_LONGLONG, MYSQL_TYPE_YEAR:
            kind = .integer
        case MYSQL_TYPE_FLOAT, MYSQL_TYPE_DOUBLE: kind = .real
        case MYSQL_TYPE_TINY_BLOB, MYSQL_TYPE_BLOB, MYSQL_TYPE_MEDIUM_BLOB, MYSQL_TYPE_LONG_BLOB, MYSQL_TYPE_STRING,
            MYSQL_TYPE_VAR_STRING, MYSQL_TYPE_VARCHAR, MYSQL_TYPE_BIT:
            kind = unsafe field.charsetnr == 63 ? .blob : .text
        default: kind = .text  // DECIMAL, JSON, dates: as the server writes them
        }
        width = unsafe kind == .integer || kind == .real ? 8 : Int(field.max_length)
    }

    var bufferType: enum_field_types {
        switch kind {
        case .null: MYSQL_TYPE_NULL
        case .integer: MYSQL_TYPE_LONGLONG
        case .real: MYSQL_TYPE_DOUBLE
        case .text: MYSQL_TYPE_STRING
        case .blob: MYSQL_TYPE_LONG_BLOB
        }
    }
}

extension SQLValue {
    /// As what it is sent.
    var type: enum_field_types {
        switch self {
        case .null: MYSQL_TYPE_NULL
        case .integer: MYSQL_TYPE_LONGLONG
        case .real: MYSQL_TYPE_DOUBLE
        case .text: MYSQL_TYPE_STRING
        case .blob: MYSQL_TYPE_LONG_BLOB
        }
    }
}
