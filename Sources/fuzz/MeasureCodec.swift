import ArgumentParser
import MQTTCodec
import MQTTModel
import struct NIOCore.ByteBuffer

/// Nanoseconds an operation of the codec takes, for packets as they are on the busiest paths. Only a release build says
/// anything.
struct MeasureCodec: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "measure-codec", abstract: "Times decoding and encoding of frequent packets.")

    @Option(help: "Operations a measurement.") var operations = 5_000_000
    @Option(help: "Only measurements whose name has this in it.") var only = ""

    func run() {
        for version in [ProtocolVersion.v3_1_1, .v5_0] {
            for qos in [QoS.atMostOnce, .atLeastOnce] {
                let message = ApplicationMessage(
                    topic: "sensor/12/temperature", payload: Array(repeating: 0x61, count: 64), qos: qos)
                let header = PublishHeader(qos: qos, packetIdentifier: qos == .atMostOnce ? 0 : 7)
                var buffer = ByteBuffer()
                PacketEncoder.appendPublish(message, header, version: version, to: &buffer)
                report("decode PUBLISH \(version) \(qos)") { decode(buffer, version: version) }
                report("encode PUBLISH \(version) \(qos)") { buffer in
                    PacketEncoder.appendPublish(message, header, version: version, to: &buffer)
                }
            }
            var buffer = ByteBuffer()
            PacketEncoder.appendAcknowledgement(.pubAck, 7, version: version, to: &buffer)
            report("decode PUBACK \(version)") { decode(buffer, version: version) }
            report("encode PUBACK \(version)") { buffer in
                PacketEncoder.appendAcknowledgement(.pubAck, 7, version: version, to: &buffer)
            }
        }
    }

    private func report(_ name: String, measurement: () -> Duration) {
        guard name.contains(only) || only.isEmpty else { return }
        let nanoseconds = Double(measurement().wholeNanoseconds) / Double(operations)
        print("\(name): \((nanoseconds * 10).rounded() / 10) ns")
    }

    private func report(_ name: String, encode: (inout ByteBuffer) -> Void) {
        var buffer = ByteBuffer()
        buffer.reserveCapacity(64 * 1024)
        report(name) {
            ContinuousClock().measure {
                for _ in 0..<operations {
                    if buffer.writableBytes < 256 { buffer.clear() }
                    encode(&buffer)
                }
            }
        }
    }

    private func decode(_ packet: ByteBuffer, version: ProtocolVersion) -> Duration {
        var burst = ByteBuffer()
        for _ in 0..<100 { burst.writeImmutableBuffer(packet) }
        var decoder = PacketDecoder(role: .server, version: version, maximumPacketSize: .max)
        var pool = MessagePool()
        var bytesDecoded = 0
        let duration = ContinuousClock().measure {
            for _ in 0..<(operations / 100) {
                burst.withUnsafeReadableBytes { bytes in
                    var rest = bytes
                    while let decoded = try? decoder.decode(rest, pool: &pool) {
                        bytesDecoded += decoded.byteCount
                        rest = UnsafeRawBufferPointer(rebasing: rest[decoded.byteCount...])
                    }
                }
            }
        }
        precondition(bytesDecoded == operations / 100 * burst.readableBytes)
        return duration
    }
}
