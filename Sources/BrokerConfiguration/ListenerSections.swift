import TransportModel

/// The sections `listener.NAME` of a file: each a listener with an address and options of its own. They are gathered
/// first, because the defaults that they start from may stand behind them.
struct ListenerSections {
    private var names: [String] = []
    private var addresses: [String: ListenAddress] = [:]
    private var options: [String: [(inout BrokerSettings) -> Void]] = [:]

    /// The setting that judges the value: that of the same name under `listener-defaults`.
    static func setting(_ part: SectionKey, among known: [String: Setting]) throws(Setting.Refusal) -> Setting {
        if part.option == "address" { return address }
        if let setting = known["listener-defaults." + part.option] { return setting }
        let words = ["address"] + Setting.listener.map { String($0.key.dropFirst("listener-defaults.".count)) }
        let nearest = Suggestion.nearest(to: part.option, among: words)
        throw Setting.Refusal(
            text: "there is no such key"
                + (nearest.map { "; did you mean \($0)?" } ?? "; a listener has \(words.joined(separator: ", "))"))
    }

    /// Takes a value of the section up.
    mutating func add(_ part: SectionKey, _ setting: Setting, _ value: Setting.Value) throws(Setting.Refusal) {
        if !names.contains(part.name) { names.append(part.name) }
        var scratch = BrokerSettings()
        try setting.apply(value, &scratch)
        if part.option == "address" {
            addresses[part.name] = scratch.addresses.first
        } else {
            options[part.name, default: []].append { settings in try? setting.apply(value, &settings) }
        }
    }

    /// The listeners; a section without an address is told to `complain` with its name.
    func listeners(defaults: ListenerOptions, complain: (String, String) -> Void) -> [Listener] {
        names.compactMap { name in
            guard let address = addresses[name] else {
                complain(name, "has no address to listen on")
                return nil
            }
            var scratch = BrokerSettings()
            scratch.listenerDefaults = defaults
            for apply in options[name] ?? [] { apply(&scratch) }
            return Listener(address, name: name, options: scratch.listenerDefaults)
        }
    }

    private static let address = Setting("address", .text, range: "[TRANSPORT://]HOST:PORT", "Where to listen.") {
        value, settings throws(Setting.Refusal) in
        guard case .text(let text) = value else { throw Setting.Refusal(text: "has to be an address") }
        do throws(ListenAddress.Malformed) {
            settings.addresses = [try ListenAddress(parsing: text)]
        } catch {
            throw Setting.Refusal(text: error.description)
        }
    } written: { _ in
        nil
    }
}
