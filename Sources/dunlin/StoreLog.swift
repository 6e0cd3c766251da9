import BackboneSQLite
import Logging

extension Logger {
    /// What the store tells, with what to do about it.
    func log(_ event: StoreEvent) {
        switch event {
        case .notClosed(let bytes):
            notice(
                "the broker had not been stopped: what it had committed was taken from the write-ahead log",
                metadata: ["bytes": "\(bytes)"])
        case .full(let reason):
            error(
                "no room for messages: they are refused with 0x97 until there is; make room on the disk",
                metadata: ["reason": "\(reason)"])
        case .failed(let reason):
            error(
                "the disk failed: what was being written is not acknowledged; look at the disk",
                metadata: ["reason": "\(reason)"])
        case .recovered: notice("messages are kept again")
        case .lockedOut:
            error("another program has locked the store: nothing is acknowledged until it lets go; stop it")
        case .letIn(let milliseconds):
            notice("the other program has let go of the store", metadata: ["milliseconds": "\(milliseconds)"])
        case .dropped(let count, let through):
            warning(
                "the log is full or its messages are old: the oldest were dropped though sessions wanted them",
                metadata: ["messages": "\(count)", "through": "\(through)"])
        }
    }
}
