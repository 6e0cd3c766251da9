import BrokerCore
import MQTTModel
import Testing

@Suite("Token bucket")
struct TokenBucketTests {
    private static let second: UInt64 = 1_000_000_000
    private let start = Instant(nanoseconds: 5 * TokenBucketTests.second)

    @Test func aSecondsTokensAreThereAtOnceAndThenOneAtATime() {
        var bucket = TokenBucket()
        for _ in 0..<10 { #expect(bucket.take(at: start, rate: 10) == true) }
        #expect(bucket.take(at: start, rate: 10) == false)
        let later = start.advanced(by: .milliseconds(100))
        #expect(bucket.take(at: later, rate: 10) == true)
        #expect(bucket.take(at: later, rate: 10) == false)
    }

    @Test func itIsFullAgainAfterASecond() {
        var bucket = TokenBucket()
        while bucket.take(at: start, rate: 7) {}
        #expect(!bucket.isFull(at: start))
        #expect(bucket.isFull(at: start.advanced(seconds: 1)))
    }

    @Test func anOverdrawnBucketSaysWhenItHasAnEighthAgain() {
        var bucket = TokenBucket()
        #expect(bucket.draw(100, at: start, rate: 100) == nil)
        #expect(bucket.draw(100, at: start, rate: 100) == start.advanced(by: .milliseconds(1_125)))
    }

    @Test func noCountAndNoRateOverflows() {
        var bucket = TokenBucket()
        #expect(bucket.draw(.max, at: start, rate: 1) != nil)
        #expect(bucket.draw(.max, at: start, rate: 1) != nil)
        #expect(!bucket.isFull(at: start))
    }

    /// Over any time the client gets its rate and one burst, and no more.
    @Test func aClientThatSendsAsFastAsItMayGetsItsRate() {
        var limits = Limits()
        limits.maximumMessageRate = 50
        var rate = ReceiveRate()
        var now = start
        var received = 0
        while now < start.advanced(seconds: 10) {
            received += 1
            if let readAgainAt = rate.received(byteCount: 10, at: now, limits) { now = readAgainAt }
        }
        #expect((500...551).contains(received))
    }

    @Test func bytesAndMessagesAreBothBounded() {
        var limits = Limits()
        limits.maximumMessageRate = 1000
        limits.maximumByteRate = 1000
        var rate = ReceiveRate()
        #expect(rate.received(byteCount: 1000, at: start, limits) == nil)
        #expect(rate.received(byteCount: 1000, at: start, limits) == start.advanced(by: .milliseconds(1_125)))
    }

    @Test func nobodyWaitsLongerThanAKeepAliveAllows() {
        var limits = Limits()
        limits.maximumByteRate = 1
        var rate = ReceiveRate()
        #expect(rate.received(byteCount: 1 << 20, at: start, limits) == start.advanced(seconds: 10))
    }

    @Test func whileMemoryIsShortTheLowerRateHolds() {
        #expect(Limits().tightened(for: .normal) == Limits())
        #expect(Limits().tightened(for: .high).maximumMessageRate == 100)
        #expect(Limits().tightened(for: .critical).maximumByteRate == 1 << 14)
        var limits = Limits()
        limits.maximumMessageRate = 5
        #expect(limits.tightened(for: .critical).maximumMessageRate == 5)
        #expect(limits.tightened(for: .high).maximumByteRate == 1 << 17)
    }

    @Test func withoutARateNothingWaits() {
        var rate = ReceiveRate()
        for _ in 0..<1000 { #expect(rate.received(byteCount: 1 << 20, at: start, Limits()) == nil) }
    }
}
