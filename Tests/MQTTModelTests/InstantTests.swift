import MQTTModel
import Testing

@Suite struct InstantTests {
    @Test func advancingSaturates() {
        let start = Instant(nanoseconds: 5)
        #expect(start.advanced(by: .seconds(2)) == Instant(nanoseconds: 2_000_000_005))
        #expect(start.advanced(by: .seconds(-2)) == start)
        #expect(start.advanced(by: .nanoseconds(3)) == Instant(nanoseconds: 8))
        #expect(start.advanced(seconds: UInt32.max).nanoseconds == UInt64(UInt32.max) * 1_000_000_000 + 5)
        #expect(start.advanced(seconds: UInt64.max) == .distantFuture)
        #expect(Instant.distantFuture.advanced(by: .seconds(1)) == .distantFuture)
        #expect(start.advanced(by: .seconds(Int64.max)) == .distantFuture)
    }

    @Test func wholeSecondsRoundDownAndAreNeverNegative() {
        let start = Instant(nanoseconds: 1_500_000_000)
        #expect(start.wholeSeconds(since: .zero) == 1)
        #expect(Instant.zero.wholeSeconds(since: start) == 0)
        #expect(start.wholeSeconds(since: start) == 0)
        #expect(Instant(nanoseconds: 2_499_999_999).wholeSeconds(since: start) == 0)
        #expect(Instant(nanoseconds: 2_500_000_000).wholeSeconds(since: start) == 1)
    }

    @Test func durationsAsNanoseconds() {
        #expect(Duration.milliseconds(1500).wholeNanoseconds == 1_500_000_000)
        #expect(Duration.nanoseconds(-1).wholeNanoseconds == 0)
        #expect(Duration.zero.wholeNanoseconds == 0)
        #expect(Duration.seconds(Int64.max).wholeNanoseconds == .max)
        // 2^64 - 1 nanoseconds are 18,446,744,073.709551615 s: one more second must not wrap.
        #expect(Duration.seconds(18_446_744_074).wholeNanoseconds == .max)
        #expect((Duration.seconds(18_446_744_073) + .milliseconds(900)).wholeNanoseconds == .max)
    }

    @Test("MQTT-3.3.2-5, MQTT-3.3.2-6: the expiry counts down by whole seconds and ends at 0")
    func expiryCountsDown() {
        let message = ApplicationMessage(topic: "t", payload: [])
        message.receivedAt = Instant.zero.advanced(by: .seconds(100))
        func remaining(_ duration: Duration) -> UInt32? {
            message.remainingExpiry(at: message.receivedAt.advanced(by: duration))
        }
        #expect(remaining(.seconds(1_000_000)) == nil && !message.isExpired(at: .distantFuture))
        message.expiryInterval = 10
        #expect(message.remainingExpiry(at: .zero) == 10)
        #expect(remaining(.zero) == 10 && remaining(.milliseconds(999)) == 10 && remaining(.seconds(1)) == 9)
        #expect(remaining(.milliseconds(9999)) == 1)
        #expect(!message.isExpired(at: message.receivedAt.advanced(by: .milliseconds(9999))))
        #expect(remaining(.seconds(10)) == 0 && remaining(.seconds(11)) == 0)
        #expect(message.isExpired(at: message.receivedAt.advanced(by: .seconds(10))))
        message.expiryInterval = 0
        #expect(message.isExpired(at: message.receivedAt))
        message.expiryInterval = .max
        #expect(remaining(.seconds(UInt32.max)) == 0 && remaining(.seconds(UInt32.max - 1)) == 1)
    }
}
