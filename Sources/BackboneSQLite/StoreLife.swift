/// One process's time with a store. A connection that the store says is there has ended with its process: the session's
/// expiry and the will's delay are counted from then, once, however often the broker is started afterwards.
///
/// A process that was killed cannot say when. It is over when the next one begins.
struct StoreLife {
    struct Ended {
        let number: Int64
        /// Wall clock milliseconds.
        let at: Int64
    }

    /// The last one before this, of which nobody may have noted that it is over.
    let previous: Ended
    /// The oldest that a session was connected in.
    var oldest: Int64
    var number: Int64 { previous.number + 1 }

    /// - Parameters:
    ///   - noted: the last one that is noted to be over, 0 if none is.
    ///   - now: when this one begins, in wall clock milliseconds.
    init(previous noted: Int64, at now: Int64) {
        previous = Ended(number: noted + 1, at: now)
        oldest = previous.number
    }
}
