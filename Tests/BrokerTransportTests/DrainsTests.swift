@testable import BrokerTransport
import BrokerRuntime
import MQTTModel
import Testing

@Suite("Drains")
struct DrainsTests {
    @Test func thereIsOneAtATime() throws {
        var drains = Drains()
        let first = drains.begin(Redirection(serverReference: "b"))
        let another = drains.begin(Redirection())
        #expect(another == nil)
        #expect(drains.redirection == Redirection(serverReference: "b"))
        #expect(drains.isOn(try #require(first)))
    }

    /// The loop of one that was ended may not go on because there is another.
    @Test func oneThatHasEndedIsNotTheNextOne() throws {
        var drains = Drains()
        let first = drains.begin(Redirection())
        let ends = [drains.end(), drains.end()]
        #expect(ends == [true, false])
        #expect(drains.redirection == nil)
        let second = drains.begin(Redirection())
        #expect(!drains.isOn(try #require(first)))
        #expect(drains.isOn(try #require(second)))
    }

    /// 5.0 table 3-1 and section 3.14.2.1: 0x8B is for DISCONNECT alone.
    @Test func withoutAServerToGoToTheCodesAreThoseOfAServerThatEnds() {
        let redirection = Redirection()
        #expect(redirection.connectReason == .serverUnavailable)
        #expect(redirection.disconnectReason == .serverShuttingDown)
        let permanent = Redirection(serverReference: "b", isPermanent: true)
        #expect(permanent.connectReason == .serverMoved)
        #expect(permanent.disconnectReason == .serverMoved)
        #expect(Redirection(serverReference: "b").disconnectReason == .useAnotherServer)
    }
}
