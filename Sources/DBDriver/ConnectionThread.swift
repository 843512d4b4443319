internal import Glibc

/// A serial executor on a named thread of its own. Both C clients block while they wait for the database, and the
/// cooperative thread pool must never block.
///
/// The thread lives as long as the executor, that is, as long as the actor that runs on it.
final class ConnectionThread: SerialExecutor {
    private let queue = JobQueue()

    /// - Parameter name: shown by debuggers and `top -H`; Linux keeps the first 15 bytes.
    init(name: String) {
        let start = unsafe Unmanaged.passRetained(ThreadStart(queue: queue, name: name))
        var attributes = pthread_attr_t()
        unsafe pthread_attr_init(&attributes)
        unsafe pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
        var thread = pthread_t()
        let result = unsafe pthread_create(&thread, &attributes, runConnectionThread, start.toOpaque())
        unsafe pthread_attr_destroy(&attributes)
        precondition(result == 0, "the system refused a new thread (errno \(result)): see `ulimit -u`")
    }

    deinit {
        queue.finish()
    }

    func enqueue(_ job: consuming ExecutorJob) {
        // Nothing keeps the executor alive during this call but the job itself: as soon as it is in the queue it may run to
        // its end and release its actor, and with that this object. The queue has to outlive the call all the same.
        let kept = unsafe Unmanaged.passRetained(queue)
        defer { unsafe kept.release() }
        unsafe kept.takeUnretainedValue().append(QueuedJob(job: UnownedJob(job), executor: asUnownedSerialExecutor()))
    }

    func checkIsolated() {
        precondition(isIsolatingCurrentContext() == true, "called off the connection's thread")
    }

    func isIsolatingCurrentContext() -> Bool? {
        queue.isCurrentThread
    }
}

/// The thread's main function. A C callback must not inherit any isolation, hence a plain function.
private func runConnectionThread(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let argument = unsafe argument else { return nil }
    let start = unsafe Unmanaged<ThreadStart>.fromOpaque(argument).takeRetainedValue()
    nameThread(start.name)
    start.queue.run()
    return nil
}

/// Names the calling thread for debuggers and `top -H`. `pthread_setname_np` is not visible to Swift; this file of the
/// kernel does the same (proc(5), since Linux 2.6.33).
private func nameThread(_ name: String) {
    let file = unsafe open("/proc/thread-self/comm", O_WRONLY)
    guard file >= 0 else { return }
    let name = Array(name.utf8.prefix(15))
    _ = unsafe write(file, name, name.count)
    close(file)
}

private final class ThreadStart {
    let queue: JobQueue
    let name: String

    init(queue: JobQueue, name: String) {
        self.queue = queue
        self.name = name
    }
}

@safe private struct QueuedJob {
    let job: UnownedJob
    let executor: UnownedSerialExecutor
}

/// The jobs of one thread.
///
/// `@unchecked Sendable`: every access to the stored properties happens between lock and unlock of `mutex`, whose memory
/// is allocated for the life of the object. `thread` is atomic in effect: written once by the thread itself before it
/// runs its first job, under the same lock.
@safe private final class JobQueue: @unchecked Sendable {
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var jobs: [QueuedJob] = []
    private var isFinished = false
    private var thread: pthread_t?

    init() {
        unsafe mutex.initialize(to: pthread_mutex_t())
        unsafe condition.initialize(to: pthread_cond_t())
        unsafe pthread_mutex_init(mutex, nil)
        unsafe pthread_cond_init(condition, nil)
    }

    deinit {
        unsafe pthread_cond_destroy(condition)
        unsafe pthread_mutex_destroy(mutex)
        unsafe condition.deallocate()
        unsafe mutex.deallocate()
    }

    var isCurrentThread: Bool {
        locked { thread } == pthread_self()
    }

    func append(_ job: QueuedJob) {
        locked {
            jobs.append(job)
            unsafe pthread_cond_signal(condition)
        }
    }

    func finish() {
        locked {
            isFinished = true
            unsafe pthread_cond_signal(condition)
        }
    }

    /// Runs jobs until ``finish()`` was called and none is left.
    func run() {
        locked { thread = pthread_self() }
        while let batch = next() {
            for queued in batch {
                unsafe queued.job.runSynchronously(on: queued.executor)
            }
        }
    }

    private func next() -> [QueuedJob]? {
        locked {
            while jobs.isEmpty {
                if isFinished { return nil }
                unsafe pthread_cond_wait(condition, mutex)
            }
            defer { jobs = [] }
            return jobs
        }
    }

    private func locked<T>(_ body: () -> T) -> T {
        unsafe pthread_mutex_lock(mutex)
        defer { unsafe pthread_mutex_unlock(mutex) }
        return body()
    }
}
