import Foundation
import Glibc
import Synchronization

/// A process with its own output pipes.
///
/// Not Foundation's `Process`: on Linux that misses the end of short processes when many are started at once, and lets
/// each inherit the pipes of others.
struct ChildProcess: Sendable {
    /// Why a system call failed.
    struct Failure: Error {
        let call: String
        let code: Int32
    }

    /// Held while a process starts, and while descriptors exist that it must not inherit.
    static let starting = Mutex(())

    private let identifier: pid_t

    /// Starts a program in a folder. Nothing is inherited but the two pipes' ends.
    init(
        _ executable: String,
        _ arguments: [String],
        environment: [String: String],
        folder: String,
        output: OutputReader,
        errors: OutputReader
    ) throws {
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        unsafe posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        unsafe posix_spawn_file_actions_adddup2(&actions, output.writeEnd, 1)
        unsafe posix_spawn_file_actions_adddup2(&actions, errors.writeEnd, 2)

        // The runner ignores some signals, which its children would otherwise ignore too.
        var attributes = posix_spawnattr_t()
        var (all, none) = (sigset_t(), sigset_t())
        unsafe posix_spawnattr_init(&attributes)
        defer { unsafe posix_spawnattr_destroy(&attributes) }
        unsafe sigfillset(&all)
        unsafe sigemptyset(&none)
        unsafe posix_spawnattr_setsigdefault(&attributes, &all)
        unsafe posix_spawnattr_setsigmask(&attributes, &none)
        unsafe posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK))

        // env changes the folder, and becomes the program.
        let words = unsafe (["/usr/bin/env", "-C", folder, executable] + arguments).map { unsafe strdup($0) } + [nil]
        let settings = unsafe environment.map { unsafe strdup("\($0)=\($1)") } + [nil]
        defer { unsafe (words + settings).forEach { unsafe free($0) } }
        var identifier: pid_t = 0
        let code = Self.starting.withLock { _ in
            unsafe posix_spawn(&identifier, "/usr/bin/env", &actions, &attributes, words, settings)
        }
        output.closeWriteEnd()
        errors.closeWriteEnd()
        guard code == 0 else { throw Failure(call: "posix_spawn", code: code) }
        self.identifier = identifier
    }

    /// Sends a signal. Not to be called after the exit code has been fetched.
    func signal(_ signal: Int32) {
        kill(identifier, signal)
    }

    /// Blocks until the process ends. Its id stays taken.
    func waitForEnd() {
        var information = unsafe siginfo_t()
        while unsafe waitid(P_PID, id_t(identifier), &information, WEXITED | WNOWAIT) == -1, errno == EINTR {}
    }

    /// Fetches the exit code of the ended process, once; 128 and more for a signal, as in a shell.
    func exitCode() -> Int32 {
        var status: Int32 = 0
        unsafe waitpid(identifier, &status, 0)
        let signal = status & 0x7f
        return signal == 0 ? (status >> 8) & 0xff : 128 + signal
    }
}

/// Collects what a process writes into a pipe.
final class OutputReader: Sendable {
    /// The end for the process.
    let writeEnd: Int32

    private let data = Mutex<[UInt8]>.Shared([])
    private let arrivals = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))

    init() throws {
        var ends: [Int32] = [0, 0]
        try ChildProcess.starting.withLock { _ in
            guard unsafe pipe(&ends) == 0 else { throw ChildProcess.Failure(call: "pipe", code: errno) }
            for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        }
        writeEnd = ends[1]
        let readEnd = ends[0]
        Thread.detachNewThread { [data, arrivals] in
            var buffer = [UInt8](repeating: 0, count: 1 << 16)
            while true {
                let count = unsafe read(readEnd, &buffer, buffer.count)
                if count == -1, errno == EINTR { continue }
                guard count > 0 else { break }
                data.value.withLock { $0 += buffer[..<count] }
                arrivals.continuation.yield()
            }
            close(readEnd)
            arrivals.continuation.finish()
        }
    }

    func closeWriteEnd() { close(writeEnd) }

    /// What has been written so far.
    var soFar: String { data.value.withLock { String(decoding: $0, as: UTF8.self) } }

    /// Waits until the text holds what is looked for, and gives that part of it; nil when it ends without.
    func text(_ find: (String) -> Range<String.Index>?) async -> String? {
        while true {
            let text = soFar
            if let range = find(text) { return String(text[range]) }
            guard await arrivals.stream.first(where: { _ in true }) != nil else { return nil }
        }
    }

    /// Waits until nothing more can come.
    func all() async -> String {
        for await _ in arrivals.stream {}
        return soFar
    }
}
