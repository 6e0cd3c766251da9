import MQTTBridge
import TransportModel

/// What has changed between two settings, by key, and whether a running broker can take it up.
package struct SettingsDifference: Sendable {
    /// Keys whose new values hold from now on, for listeners for connections to come.
    package private(set) var applied: [String] = []
    /// Keys whose new values hold after a restart.
    package private(set) var needsRestart: [String] = []

    /// The settings that hold from now on: the old ones with what is applied of the new.
    package private(set) var inForce: BrokerSettings

    package init(from old: BrokerSettings, to new: BrokerSettings) {
        inForce = old
        inForce.logLevel = new.logLevel
        inForce.listenerDefaults = Self.options(of: new.listenerDefaults, keeping: old.listenerDefaults)
        inForce.access = old.access.becoming(new.access)
        // A bridge comes in by a listener, which are those that there are.
        if new.bridges.isEmpty || old.listeners.contains(where: { !$0.hasPreamble }) {
            inForce.bridgeSections = new.bridgeSections
            inForce.bridgeDefaults = new.bridgeDefaults
        }
        for setting in Setting.all where setting.written(old) != setting.written(new) {
            note(setting.key, isApplied: setting.written(inForce) == setting.written(new))
        }
        for name in Set((old.bridges + new.bridges).map(\.name)).sorted() {
            let later = new.bridges.first { $0.name == name }
            guard old.bridges.first(where: { $0.name == name }) != later else { continue }
            note("bridge.\(name)", isApplied: inForce.bridges.first { $0.name == name } == later)
        }
        let before = Dictionary(old.namedListeners.map { ($0.name ?? "", $0) }) { first, _ in first }
        let after = Dictionary(new.namedListeners.map { ($0.name ?? "", $0) }) { first, _ in first }
        for name in Set(before.keys).union(after.keys).sorted() {
            guard let earlier = before[name], let later = after[name] else {
                note("listener.\(name)", isApplied: false)
                continue
            }
            if earlier.address != later.address { note("listener.\(name).address", isApplied: false) }
            let options = Self.options(of: later.options, keeping: earlier.options)
            for setting in Setting.listener {
                guard Self.written(setting, earlier.options) != Self.written(setting, later.options) else { continue }
                let option = setting.key.split(separator: ".")[1]
                note(
                    "listener.\(name).\(option)",
                    isApplied: Self.written(setting, options) == Self.written(setting, later.options))
            }
            for index in inForce.namedListeners.indices where inForce.namedListeners[index].name == name {
                inForce.namedListeners[index].options = options
            }
        }
    }

    private mutating func note(_ key: String, isApplied: Bool) {
        if isApplied { applied.append(key) } else { needsRestart.append(key) }
    }

    /// All the options of a listener can be exchanged but the proxies, which decide what its connections begin with.
    private static func options(of later: ListenerOptions, keeping earlier: ListenerOptions) -> ListenerOptions {
        var options = later
        options.proxies = earlier.proxies
        return options
    }

    private static func written(_ setting: Setting, _ options: ListenerOptions) -> String? {
        var settings = BrokerSettings()
        settings.listenerDefaults = options
        return setting.written(settings)
    }
}

extension AccessSettings {
    /// These with what a running broker can take over of `other`: other files, and the choice for a denied publish. Whether
    /// there are rules and a password file at all is decided when it starts.
    fileprivate func becoming(_ other: AccessSettings) -> AccessSettings {
        var access = self
        if rulesFile != nil, other.rulesFile != nil { access.rulesFile = other.rulesFile }
        if passwordFile != nil, other.passwordFile != nil { access.passwordFile = other.passwordFile }
        access.deniedPublish = other.deniedPublish
        return access
    }
}
