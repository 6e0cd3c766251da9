import BrokerConfiguration
import BrokerCore
import Testing
import TransportModel

@Suite("Values of settings")
struct ValueTests {
    @Test(
        arguments: [
            ("0s", Duration.zero), ("250ms", .milliseconds(250)), ("10s", .seconds(10)), ("2m", .seconds(120)),
            ("3h", .seconds(10_800)), ("1d", .seconds(86_400)),
        ])
    func aDurationIsReadAndWritten(text: String, duration: Duration) {
        #expect(Quantity.duration(parsing: text) == duration)
        #expect(Quantity.text(duration) == text)
    }

    @Test(arguments: ["", "10", "s", "-1s", "1.5s", "10 s", "10S", "99999999999999999999d", "9223372036854775807d"])
    func whatIsNoDurationIsNil(text: String) {
        #expect(Quantity.duration(parsing: text) == nil)
    }

    @Test(arguments: [("0B", 0), ("100B", 100), ("64KiB", 65_536), ("1MiB", 1 << 20), ("3GiB", 3 << 30)])
    func aSizeIsReadAndWritten(text: String, size: Int) {
        #expect(Quantity.size(parsing: text) == size)
        #expect(Quantity.text(bytes: size) == text)
    }

    @Test(arguments: ["", "KiB", "-1", "1.5KiB", "1 KiB", "1KB", "9223372036854775807GiB"])
    func whatIsNoSizeIsNil(text: String) {
        #expect(Quantity.size(parsing: text) == nil)
    }

    @Test func theNearestWordIsSuggestedWhenItIsNear() {
        let words = ["round-robin", "least-inflight"]
        #expect(Suggestion.nearest(to: "roundrobin", among: words) == "round-robin")
        #expect(Suggestion.nearest(to: "Least-Inflight", among: words) == "least-inflight")
        #expect(Suggestion.nearest(to: "random", among: words) == nil)
    }
}

@Suite("Settings taken together")
struct ContradictionTests {
    @Test func aListenerThatOthersReachNeedsTheWord() {
        var settings = BrokerSettings()
        settings.addresses = [ListenAddress(host: "0.0.0.0", port: 1883), ListenAddress(host: "127.0.0.1", port: 1884)]
        let problems = settings.contradictions()
        #expect(problems.count == 1)
        #expect(problems.first?.text.contains("0.0.0.0:1883 can be reached from other machines") == true)
        #expect(problems.first?.text.contains("--allow-anonymous") == true)
        settings.allowsAnonymous = true
        #expect(settings.contradictions().isEmpty)
    }

    @Test func theSameAddressTwiceIsAMistakeButPortZeroIsNot() {
        var settings = BrokerSettings()
        settings.addresses = Array(repeating: ListenAddress(host: "127.0.0.1", port: 1883), count: 2)
        #expect(settings.contradictions().map(\.text) == ["127.0.0.1:1883 is there twice"])
        settings.addresses = Array(repeating: ListenAddress(host: "127.0.0.1", port: 0), count: 2)
        #expect(settings.contradictions().isEmpty)
    }

    @Test func theLowWatermarkIsBelowTheHighOne() {
        var settings = BrokerSettings()
        settings.options.limits.outboundLowWatermark = settings.options.limits.outboundHighWatermark
        #expect(settings.contradictions().map(\.key) == ["limits.outbound-low-watermark"])
    }
}
