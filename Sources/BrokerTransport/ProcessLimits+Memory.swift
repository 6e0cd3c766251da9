import BrokerCore
import Glibc

extension ProcessLimits {
    /// Bytes of memory that the process has now, without pages of files; 0 when the system does not tell.
    static func usedMemory() -> Int {
        guard let text = contents(of: "/proc/self/statm") else { return 0 }
        let fields = text.split(separator: " ").compactMap { Int($0) }
        guard fields.count >= 3 else { return 0 }
        return max(0, fields[1] - fields[2]) * sysconf(CInt(_SC_PAGESIZE))
    }

    /// Bytes of memory that the process may have: the machine's, or less when one of its control groups has a bound.
    static var availableMemory: Int {
        let machine = sysconf(CInt(_SC_PHYS_PAGES)) * sysconf(CInt(_SC_PAGESIZE))
        return min(machine > 0 ? machine : Int.max, controlGroupMemory ?? Int.max)
    }

    /// The least bound among the control group of the process and those above it, version 2 or 1.
    private static var controlGroupMemory: Int? {
        var bounds: [Int] = []
        for line in (contents(of: "/proc/self/cgroup") ?? "").split(separator: "\n") {
            let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard parts.count == 3 else { continue }
            let (root, file): (String, String)
            if parts[1].isEmpty {
                (root, file) = ("/sys/fs/cgroup", "memory.max")
            } else if parts[1].split(separator: ",").contains("memory") {
                (root, file) = ("/sys/fs/cgroup/memory", "memory.limit_in_bytes")
            } else {
                continue
            }
            var levels = parts[2].split(separator: "/")
            while true {
                let path = ([root] + levels.map(String.init) + [file]).joined(separator: "/")
                if let text = contents(of: path), let bound = Int(text.prefix { $0.isNumber }) { bounds.append(bound) }
                if levels.popLast() == nil { break }
            }
        }
        return bounds.min()
    }

    /// Has the allocator give pages that hold nothing back to the system. Looked up by name: `malloc_trim` is a GNU
    /// extension that the Glibc module leaves out.
    static func giveBackFreeMemory() {
        guard let symbol = dlsym(nil, "malloc_trim") else { return }
        typealias Trim = @convention(c) (Int) -> CInt
        _ = withUnsafeBytes(of: symbol) { $0.load(as: Trim.self) }(0)
    }

    /// The beginning of a small file of the system; nil when it is not there.
    private static func contents(of path: String) -> String? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        return withUnsafeTemporaryAllocation(byteCount: 4096, alignment: 1) { buffer in
            let count = read(descriptor, buffer.baseAddress, buffer.count)
            return count < 0 ? nil : String(decoding: buffer[..<count], as: UTF8.self)
        }
    }
}
