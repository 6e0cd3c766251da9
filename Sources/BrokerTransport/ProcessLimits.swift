import Glibc

/// What the system lets this process use.
enum ProcessLimits {
    /// CPUs that the process may run on, at least 1: the affinity mask, which `taskset` and containers set, and which
    /// the number of CPUs that are online does not tell. Read from `/proc`, because `sched_getaffinity` is a GNU
    /// extension that the Glibc module leaves out.
    static var availableProcessors: Int {
        guard let status = fopen("/proc/self/status", "r") else { return onlineProcessors }
        defer { fclose(status) }
        var line = [CChar](repeating: 0, count: 4096)
        while fgets(&line, CInt(line.count), status) != nil {
            let text = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            guard text.hasPrefix("Cpus_allowed:") else { continue }
            let mask = text.dropFirst("Cpus_allowed:".count)
            return max(1, mask.reduce(0) { $0 + ($1.hexDigitValue?.nonzeroBitCount ?? 0) })
        }
        return onlineProcessors
    }

    private static var onlineProcessors: Int { max(1, sysconf(CInt(_SC_NPROCESSORS_ONLN))) }

    /// Raises the number of open files to what the system allows at most: each connection is one.
    ///
    /// - Returns: the number that holds now.
    static func raiseOpenFiles() -> UInt64 {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return 1024 }
        var raised = limit
        raised.rlim_cur = limit.rlim_max
        if setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &raised) == 0 { limit = raised }
        return UInt64(limit.rlim_cur)
    }
}
