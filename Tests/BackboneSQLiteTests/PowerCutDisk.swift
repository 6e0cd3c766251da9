import Foundation
import GRDBSQLite
import Synchronization

/// A disk below a store that loses its power, and whose faults are chosen: SQLite's file system with a layer over it that
/// knows what was written and not synced. What a sync has confirmed is on the disk; of the rest any part may be.
///
/// A sync that fails has written any part of what was waiting and forgets the others, as kernels do: a later sync does
/// not bring them back. Like Linux since 4.13, it lets everybody know who has the file open: the next sync of each of
/// their descriptors fails, too.
final class PowerCutDisk: Sendable {
    enum Operation: Sendable { case write, sync }

    /// SQLite's codes for what goes wrong; nil when it does not.
    typealias Faults = @Sendable (Operation) -> Int32?

    private enum Change {
        case write(offset: Int, bytes: [UInt8])
        case truncate(Int)
    }

    private struct File {
        /// What is certainly on the disk.
        var durable: [UInt8]
        /// What may be.
        var pending: [Change] = []
        /// Descriptors that are open, and whether their next sync has to tell of a failure.
        var owesFailure: [Int: Bool] = [:]
    }

    private struct State {
        var files: [String: File] = [:]
        var faults: Faults = { _ in nil }
        var faultyFile: String?
        var failedSyncs = 0
        var lastDescriptor = 0
    }

    private let state = Mutex(State())
    let directory: String

    /// From here on the files of the directory that SQLite opens are watched.
    init(directory: String) {
        self.directory = directory
        FaultyFileSystem.watch(self)
    }

    deinit { FaultyFileSystem.forget(directory) }

    func setFaults(_ faults: @escaping Faults) { setFaults(in: nil, faults) }

    /// - Parameter file: the only one that has them; nil: all.
    func setFaults(in file: String?, _ faults: @escaping Faults) {
        state.withLock { ($0.faultyFile, $0.faults) = (file, faults) }
    }

    var failedSyncs: Int { state.withLock { $0.failedSyncs } }

    /// Writes what a power cut at this moment may leave.
    func cutPower(into other: String) throws {
        let files = state.withLock { state in
            state.files.mapValues { file in
                var file = file
                Self.applyPart(of: &file)
                return file.durable
            }
        }
        for (path, bytes) in files {
            let name = URL(fileURLWithPath: path).lastPathComponent
            try Data(bytes).write(to: URL(fileURLWithPath: other + "/" + name))
        }
    }

    // MARK: What SQLite does

    /// - Returns: the descriptor's number.
    func opened(_ path: String) -> Int {
        let bytes = FileManager.default.contents(atPath: path) ?? Data()
        return state.withLock { state in
            state.lastDescriptor += 1
            state.files[path, default: File(durable: Array(bytes))].owesFailure[state.lastDescriptor] = false
            return state.lastDescriptor
        }
    }

    func closed(_ path: String, descriptor: Int) {
        state.withLock { _ = $0.files[path]?.owesFailure.removeValue(forKey: descriptor) }
    }

    func writeFault() -> Int32? { state.withLock { $0.faults(.write) } }

    func written(_ path: String, offset: Int, bytes: UnsafeRawBufferPointer) {
        state.withLock { $0.files[path]?.pending.append(.write(offset: offset, bytes: Array(bytes))) }
    }

    func truncated(_ path: String, to size: Int) {
        state.withLock { $0.files[path]?.pending.append(.truncate(size)) }
    }

    /// - Returns: SQLite's code for what went wrong.
    func sync(_ path: String, descriptor: Int) -> Int32? {
        state.withLock { state in
            guard var file = state.files.removeValue(forKey: path) else { return nil }
            defer { state.files[path] = file }
            let isFaulty = state.faultyFile.map { path.hasSuffix("/" + $0) } ?? true
            if isFaulty, let code = state.faults(.sync) {
                state.failedSyncs += 1
                Self.applyPart(of: &file)
                for other in file.owesFailure.keys { file.owesFailure[other] = other != descriptor }
                return code
            }
            for change in file.pending { Self.apply(change, to: &file.durable) }
            file.pending = []
            return file.owesFailure.updateValue(false, forKey: descriptor) == true ? SQLITE_IOERR | (4 << 8) : nil
        }
    }

    /// Any of them, the last of those perhaps torn.
    private static func applyPart(of file: inout File) {
        let isPrefix = Bool.random()
        let count = Int.random(in: 0...file.pending.count)
        for (index, change) in file.pending.enumerated() where isPrefix ? index < count : Bool.random() {
            if case .write(let offset, let bytes) = change, Int.random(in: 0..<8) == 0 {
                apply(
                    .write(offset: offset, bytes: Array(bytes.prefix(.random(in: 0...bytes.count)))), to: &file.durable)
            } else {
                apply(change, to: &file.durable)
            }
        }
        file.pending = []
    }

    private static func apply(_ change: Change, to bytes: inout [UInt8]) {
        switch change {
        case .write(let offset, let new):
            let end = offset + new.count
            if bytes.count < end { bytes.append(contentsOf: repeatElement(0, count: end - bytes.count)) }
            bytes.replaceSubrange(offset..<end, with: new)
        case .truncate(let size): if bytes.count > size { bytes.removeSubrange(size...) }
        }
    }
}
