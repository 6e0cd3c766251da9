import Foundation

/// What the system knows of this process, under the names that Prometheus's own libraries use. From `/proc`; what cannot be
/// read is left out.
enum ProcessFigures {
    static var families: [MetricFamily] {
        var families: [MetricFamily] = []
        if let status = statistics {
            families += [
                MetricFamily(
                    "process_resident_memory_bytes", .gauge, "Resident memory.", status.residentPages * pageSize),
                MetricFamily("process_virtual_memory_bytes", .gauge, "Virtual memory.", status.virtualBytes),
                MetricFamily("process_threads", .gauge, "Threads.", status.threads),
            ]
            var cpu = MetricFamily("process_cpu_seconds_total", .counter, "CPU time, user and system.")
            cpu.add(Double(status.ticks) / ticksPerSecond)
            families.append(cpu)
        }
        if let count = try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count {
            // The directory itself was open while it was read.
            families.append(MetricFamily("process_open_fds", .gauge, "Open file descriptors.", count - 1))
        }
        var limit = rlimit()
        if getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 {
            families.append(MetricFamily("process_max_fds", .gauge, "Most file descriptors.", limit.rlim_cur))
        }
        var start = MetricFamily("process_start_time_seconds", .gauge, "Start of the process, seconds since 1970.")
        start.add(startTime)
        families.append(start)
        return families
    }

    /// When this was first asked for, at the start of the administration.
    static let startTime = (Date().timeIntervalSince1970 * 1000).rounded() / 1000

    private static let pageSize = Int(sysconf(Int32(_SC_PAGESIZE)))
    private static let ticksPerSecond = Double(sysconf(Int32(_SC_CLK_TCK)))

    private struct Statistics {
        var ticks: UInt64
        var threads: Int
        var virtualBytes: Int
        var residentPages: Int
    }

    /// `/proc/self/stat`: fields 14 and 15 are the CPU time, 20 the threads, 23 and 24 the memory (proc(5)). The second is
    /// the name in parentheses, which may hold anything.
    private static var statistics: Statistics? {
        guard let text = try? String(contentsOfFile: "/proc/self/stat", encoding: .utf8),
            let end = text.lastIndex(of: ")")
        else { return nil }
        let fields = text[text.index(after: end)...].split(separator: " ")
        // The first of these is field 3.
        func field<Number: FixedWidthInteger>(_ number: Int) -> Number? {
            number - 3 < fields.count ? Number(fields[number - 3]) : nil
        }
        guard let user: UInt64 = field(14), let system: UInt64 = field(15), let threads: Int = field(20),
            let virtual: Int = field(23), let resident: Int = field(24)
        else { return nil }
        return Statistics(
            ticks: user + system, threads: threads, virtualBytes: virtual, residentPages: resident)
    }
}
