import Backbone
import MQTTSession

/// A look at all sessions for what of the log none of them needs any more. When there are many, one look is spread over
/// several ticks of the timer for cursors, so that no tick keeps the data path waiting.
///
/// What it finds is right though sessions move on meanwhile: a session needs nothing earlier than it did when it was
/// looked at, and what is logged after the survey began is later than anything that the survey can give up. A message that
/// a shared subscription hands on later is the exception; the engine keeps that for the group.
struct CursorSurvey {
    /// Sessions that one tick looks at, at least; there are never more ticks to a survey than `maximumTicks`.
    static let sessionsPerTick = 4096
    static let maximumTicks = 8

    /// The slot at which the next tick goes on; 0 when no survey is under way.
    var next = 0
    /// What the sessions that have been looked at are done with.
    var through: LogSequence = 0
    /// The session that is furthest behind.
    var last: UInt32?
    /// What the log had given up when the survey began: it is taken out of the queues on the way.
    var droppedThrough: LogSequence = 0

    var isUnderWay: Bool { next > 0 }
}

extension BrokerCore {
    /// Goes on with the survey, or begins one if it could find something.
    /// - Returns: what of the log no session needs any more; what is known of it already while the survey has not ended.
    mutating func surveyCursors(into effects: inout Effects) -> LogSequence {
        if !survey.isUnderWay {
            guard isSurveyDue else { return trimmedThrough }
            survey = CursorSurvey(through: lastSequence, droppedThrough: droppedThrough)
        }
        let slots = sessions.slots
        let count = max(CursorSurvey.sessionsPerTick, slots.count / CursorSurvey.maximumTicks + 1)
        let end = min(slots.count, survey.next + count)
        for slot in survey.next..<max(survey.next, end) {
            guard let session = slots[slot] else { continue }
            if survey.droppedThrough > sweptThrough { dropGivenUp(of: session, into: &effects) }
            guard mayHoldBack(session) else { continue }
            let cursor = cursor(of: session)
            if cursor < survey.through { (survey.through, survey.last) = (cursor, session.slot) }
        }
        survey.next = end < slots.count ? end : 0
        guard !survey.isUnderWay else { return trimmedThrough }
        sweptThrough = survey.droppedThrough
        return survey.through
    }

    /// Not while the session that was furthest behind is still where it was.
    private var isSurveyDue: Bool {
        if sweptThrough < droppedThrough { return true }
        guard lastSequence > trimmedThrough else { return false }
        guard let last = survey.last, let session = sessions.slots[Int(last)], mayHoldBack(session) else { return true }
        return cursor(of: session) > trimmedThrough
    }

    /// One that will not outlive its connection any more may still need what waited for it before.
    private func mayHoldBack(_ session: Session) -> Bool {
        session.isDurable || session.queue != nil || session.inflight.resendCount > 0
    }
}
