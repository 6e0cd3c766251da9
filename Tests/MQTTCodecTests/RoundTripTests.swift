import FuzzKit
import MQTTCodec
import MQTTModel
import NIOCore
import Testing

@Suite struct RoundTripTests {
    static let sides: [(ProtocolVersion, PacketDecoder.Role)] = everyVersion.flatMap { [($0, .server), ($0, .client)] }

    @Test("what is encoded is decoded to the same", arguments: sides, [UInt64(1), 2, 3])
    func generatedPacketsComeBack(_ side: (ProtocolVersion, PacketDecoder.Role), _ seed: UInt64) throws {
        let (version, role) = side
        var generator = PacketGenerator(seed: seed, version: version, receiver: role)
        for _ in 0..<500 {
            let packet = generator.packet()
            let bytes = encode(packet, version)
            #expect(PacketEncoder.encodedLength(packet, version: version) == bytes.count)
            var decoder = decoder(role, version)
            let decoded = try #require(try decoder.decode(bytes), "\(packet)")
            #expect(decoded.byteCount == bytes.count)
            #expect(decoded.packet.isSame(as: packet), "\(packet) came back as \(decoded.packet)")
        }
    }

    @Test("CONNECT too, which only comes first", arguments: everyVersion)
    func generatedConnectsComeBack(_ version: ProtocolVersion) throws {
        var generator = PacketGenerator(seed: 9, version: version, receiver: .server)
        for _ in 0..<500 {
            let packet = generator.packet(of: .connect)
            var decoder = decoder(.server, nil)
            let decoded = try #require(try decoder.decode(encode(packet, version)), "\(packet)")
            #expect(decoded.packet.isSame(as: packet), "\(packet) came back as \(decoded.packet)")
            #expect(decoder.version == version)
        }
    }

    @Test("every prefix of every packet asks for more", arguments: DecoderCorpus.inputs().map(\.input.file))
    func prefixesAskForMore(_ file: [UInt8]) throws {
        let input = DecoderInput(file: file)
        var decoder = decoder(input.role, input.version)
        var rest = input.stream
        while !rest.isEmpty {
            let before = decoder
            let decoded = try #require(try decoder.decode(rest))
            for count in 0..<decoded.byteCount {
                var copy = before
                #expect(try copy.decode(Array(rest.prefix(count))) == nil)
            }
            rest.removeFirst(decoded.byteCount)
        }
    }

    @Test("every change of one byte is refused or decoded soundly", arguments: DecoderCorpus.inputs().map(\.input.file))
    func changesOfOneByteAreSound(_ file: [UInt8]) throws {
        for position in 1..<max(file.count, 1) {
            for value in [
                0x00, 0x01, 0x7F, 0x80, 0xFF, file[position] ^ 0x01, file[position] ^ 0x80, file[position] &+ 1,
            ]
            where value != file[position] {
                var changed = file
                changed[position] = value
                _ = try DecoderCheck.run(DecoderInput(file: changed))
            }
        }
    }

    @Test("seeded changes find nothing", arguments: [UInt64(11), 12, 13])
    func shortFuzzRunFindsNothing(_ seed: UInt64) throws {
        let inputs = DecoderCorpus.inputs().map(\.input)
        var mutator = ByteMutator(seed: seed)
        for _ in 0..<3000 {
            var input = mutator.random.pick(inputs)
            input.stream = mutator.mutate(input.stream, with: mutator.random.pick(inputs).stream)
            _ = try DecoderCheck.run(input)
        }
    }
}
