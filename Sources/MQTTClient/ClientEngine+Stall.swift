import MQTTModel
import NIOCore

/// Whether the application has stopped taking messages while it waits for the server.
struct Stall {
    /// Messages taken since the client began to count.
    var takenCount = 0
    /// QoS 0 messages are left out while the buffer is full.
    var isShedding = false
    var droppedCount = 0
}

// An application that waits for an acknowledgement in the loop that takes the messages would wait for ever once the
// buffer is full: the acknowledgement is behind what is not read.
extension ClientEngine {
    private var isAnswerAwaited: Bool { !publishAnswers.isEmpty || !sentRequests.isEmpty }

    /// Looks again after the stall timeout, as long as reading is paused.
    func watchForStall(_ link: ClientLink) {
        let number = link.number
        let takenCount = stall.takenCount
        let timeout = TimeAmount.nanoseconds(Int64(clamping: configuration.stallTimeout.wholeNanoseconds))
        eventLoop.scheduleTask(in: timeout) {
            self.assumeIsolated { $0.lookForStall(number, takenCount) }
        }
    }

    private func lookForStall(_ number: UInt64, _ takenCount: Int) {
        guard let link, link.number == number, link.isReadingPaused else { return }
        guard takenCount == stall.takenCount, isAnswerAwaited else { return watchForStall(link) }
        stall.isShedding = true
        readOn(link)
    }

    /// A message was taken.
    func endStall() {
        stall.takenCount += 1
        guard stall.isShedding, hasDrained else { return }
        if stall.droppedCount > 0 { events.send(.messagesDropped(stall.droppedCount)) }
        stall.isShedding = false
        stall.droppedCount = 0
    }
}
