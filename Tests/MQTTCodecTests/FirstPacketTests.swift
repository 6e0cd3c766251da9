import MQTTCodec
import MQTTModel
import Testing

@Suite struct FirstPacketTests {
    @Test func connectThenPublishAreDecodedAndEncodedAlike() throws {
        var server = decoder(.server, nil)
        let connect = Wire.bytes(
            "10 { \"MQTT\" 05 C6 000A [ 2100 0A ] \"id\" [ 18 00000005 ] \"w\" \"bye\" \"user\" \"pass\" }")
        let decoded = try #require(try server.decode(connect))
        #expect(decoded.byteCount == connect.count)
        #expect(server.version == .v5_0)
        #expect(encode(decoded.packet, .v5_0) == connect)
        let publish = Wire.bytes("32 { \"a/b\" 0001 [ 26 \"a\" \"b\" ] 'hello' }")
        let packet = try #require(try server.decode(publish))
        #expect(encode(packet.packet, .v5_0) == publish)
    }
}
