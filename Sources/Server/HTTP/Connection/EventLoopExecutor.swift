internal import NIOCore

/// Runs tasks on an event loop. The tasks of a connection run where its bytes are read and written: a request needs no other
/// thread, but for the database's.
///
/// Nothing that runs there may block: it would hold up all connections of the loop.
final class EventLoopExecutor: TaskExecutor {
    private let loop: any EventLoop

    init(_ loop: any EventLoop) {
        self.loop = loop
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        loop.execute { unsafe job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}
