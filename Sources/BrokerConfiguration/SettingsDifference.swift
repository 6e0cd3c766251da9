import TransportModel

/// What has changed between two settings, by key, and whether a running broker can take it up.
package struct SettingsDifference: Sendable, Hashable {
    /// Keys whose new values hold for connections to come.
    package private(set) var applied: [String] = []
    /// Keys whose new values hold after a restart.
    package private(set) var needsRestart: [String] = []

    package init(from old: BrokerSettings, to new: BrokerSettings) {
        for setting in Setting.all where setting.written(old) != setting.written(new) {
            note(setting.key, isApplied: Self.isApplied(setting))
        }
        let before = Dictionary(old.namedListeners.map { ($0.name ?? "", $0) }) { first, _ in first }
        let after = Dictionary(new.namedListeners.map { ($0.name ?? "", $0) }) { first, _ in first }
        for name in Set(before.keys).union(after.keys).sorted() {
            guard let earlier = before[name], let later = after[name] else {
                note("listener.\(name)", isApplied: false)
                continue
            }
            if earlier.address != later.address { note("listener.\(name).address", isApplied: false) }
            for setting in Setting.listener {
                guard Self.written(setting, earlier) != Self.written(setting, later) else { continue }
                let option = setting.key.split(separator: ".")[1]
                note("listener.\(name).\(option)", isApplied: Self.isApplied(setting))
            }
        }
    }

    private mutating func note(_ key: String, isApplied: Bool) {
        if isApplied { applied.append(key) } else { needsRestart.append(key) }
    }

    /// The options of a listener but the proxies, which decide what its connections begin with.
    private static func isApplied(_ setting: Setting) -> Bool {
        setting.key.hasPrefix("listener-defaults.") && setting.key != "listener-defaults.proxy-from"
    }

    private static func written(_ setting: Setting, _ listener: Listener) -> String? {
        var settings = BrokerSettings()
        settings.listenerDefaults = listener.options
        return setting.written(settings)
    }
}
