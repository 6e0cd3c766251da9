import Flock
import MQTTModel

/// The servers' stream: what is stored, in one order, each batch once for its identity.
struct SimulatedServers {
    private(set) var stored: [[UInt8]] = []
    private var places: [FlockBatch.Identity: UInt64] = [:]
    /// Without a leader nothing is stored.
    var hasLeader = true

    var last: UInt64 { UInt64(stored.count) }

    /// - Returns: its place, which is 1 or higher.
    mutating func store(_ bytes: [UInt8], _ identity: FlockBatch.Identity) -> (place: UInt64, isNew: Bool) {
        if let place = places[identity] { return (place, false) }
        stored.append(bytes)
        places[identity] = last
        return (last, true)
    }

    func holds(_ identity: FlockBatch.Identity) -> Bool { places[identity] != nil }

    subscript(place: UInt64) -> [UInt8]? {
        place >= 1 && place <= last ? stored[Int(place - 1)] : nil
    }
}
