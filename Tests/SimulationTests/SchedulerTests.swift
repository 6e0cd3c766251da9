import MQTTModel
import SimulationKit
import Testing

@Suite struct SchedulerTests {
    @Test func whatIsDueAtOneInstantHappensInTheOrderOfInsertion() {
        var scheduler = Scheduler<String>()
        scheduler.insert("late", at: Instant(nanoseconds: 9))
        scheduler.insert("first", at: Instant(nanoseconds: 5))
        scheduler.insert("second", at: Instant(nanoseconds: 5))
        var order: [String] = []
        while let next = scheduler.removeFirst() { order.append(next.event) }
        #expect(order == ["first", "second", "late"])
    }
}
