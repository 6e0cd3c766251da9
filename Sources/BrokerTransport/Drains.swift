import BrokerRuntime

/// The drains of a broker, one at a time, each with a number.
struct Drains: Sendable {
    /// What clients are told while one is on.
    private(set) var redirection: Redirection?
    private var number = 0

    /// - Returns: the number of the one that has begun; nil when one is on already.
    mutating func begin(_ redirection: Redirection) -> Int? {
        guard self.redirection == nil else { return nil }
        self.redirection = redirection
        number += 1
        return number
    }

    /// - Returns: whether there was one to end.
    mutating func end() -> Bool {
        defer { redirection = nil }
        return redirection != nil
    }

    func isOn(_ number: Int) -> Bool { redirection != nil && number == self.number }
}
