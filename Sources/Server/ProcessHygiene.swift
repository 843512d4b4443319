internal import Foundation
internal import Glibc

/// What keeps secrets in this process: not on a disk when it crashes, and not in the programs that it starts.
enum ProcessHygiene {
    /// Lets the kernel write no core of this process: to no file (`RLIMIT_CORE`), and none of its memory where a program is given
    /// the core (`/proc/self/coredump_filter`, core(5)). A kernel without the latter leaves the former.
    static func turnOffCoreDumps() {
        var none = rlimit(rlim_cur: 0, rlim_max: 0)
        _ = unsafe setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &none)
        if let filter = FileHandle(forWritingAtPath: "/proc/self/coredump_filter") {
            try? filter.write(contentsOf: Data("0".utf8))
            try? filter.close()
        }
    }

    /// Takes the settings that hold secrets out of the environment, once they are read: programs that are started later, such as a
    /// `REGISTRY_KEYRING_COMMAND` that is run again, do not get them. (What the kernel shows root in `/proc/PID/environ` stays.)
    static func forgetSecrets(_ keys: [String]) {
        for key in keys { unsafe unsetenv(key) }
    }
}
