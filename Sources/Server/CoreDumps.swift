internal import Foundation
internal import Glibc

/// Keys and tokens are in memory while they are used, and must not get onto a disk when the process crashes.
enum CoreDumps {
    /// Lets the kernel write no core of this process: to no file (`RLIMIT_CORE`), and none of its memory where a program is given
    /// the core (`/proc/self/coredump_filter`, core(5)). A kernel without the latter leaves the former.
    static func turnOff() {
        var none = rlimit(rlim_cur: 0, rlim_max: 0)
        _ = unsafe setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &none)
        if let filter = FileHandle(forWritingAtPath: "/proc/self/coredump_filter") {
            try? filter.write(contentsOf: Data("0".utf8))
            try? filter.close()
        }
    }
}
