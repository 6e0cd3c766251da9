import BrokerConfiguration
import BrokerCore
import Testing
import TransportModel

@Suite("Environment and options")
struct EnvironmentTests {
    @Test func everyKeyHasAVariableAndAnOptionOfItsOwn() {
        #expect(Set(Setting.all.map(\.variable)).count == Setting.all.count)
        #expect(Set(Setting.all.map(\.option)).count == Setting.all.count)
    }

    /// What the default file says of a key does as a variable and as an option, too.
    @Test func everyKeyIsReadFromItsVariableAndItsOption() throws {
        for setting in Setting.all {
            guard let written = setting.written(BrokerSettings()) else { continue }
            let text = written.filter { !"\"[]".contains($0) }
            var fromEnvironment = BrokerSettings()
            try fromEnvironment.apply(environment: [setting.variable: text])
            #expect(setting.written(fromEnvironment) == written, "\(setting.variable)")
            var fromOptions = BrokerSettings()
            try fromOptions.apply(options: [setting.option, text])
            #expect(setting.written(fromOptions) == written, "\(setting.option)")
        }
    }

    @Test func aVariableIsOverTheFileAndAnOptionOverBoth() async throws {
        var settings = try await settings(
            reading: "log-level: error\nshards: 2\nlimits: {receive-maximum: 7, maximum-packet-size: 2MiB}")
        try settings.apply(environment: ["DUNLIN_SHARDS": "3", "DUNLIN_LIMITS_RECEIVE_MAXIMUM": "8", "PATH": "/bin"])
        try settings.apply(options: ["--limits-receive-maximum=9"])
        #expect(settings.logLevel == .error)
        #expect(settings.shardCount == 3)
        #expect(settings.options.limits.receiveMaximum == 9)
        #expect(settings.options.limits.maximumPacketSize == 2 << 20)
    }

    @Test func listsAndFlagsAreWrittenAsOneExpects() throws {
        var settings = BrokerSettings()
        try settings.apply(environment: [
            "DUNLIN_LISTENERS": "127.0.0.1:1884, ws://127.0.0.1:8080", "DUNLIN_ALLOW_ANONYMOUS": "true",
        ])
        #expect(settings.listeners.map(\.description) == ["127.0.0.1:1884", "ws://127.0.0.1:8080"])
        #expect(settings.allowsAnonymous)
        try settings.apply(options: ["--allow-anonymous", "false", "--shards", "2"])
        #expect(!settings.allowsAnonymous)
        try settings.apply(options: ["--allow-anonymous", "--shards", "2"])
        #expect(settings.allowsAnonymous)
    }

    @Test(arguments: [
        ("DUNLIN_SHARDS", "many", "has to be a whole number"), ("DUNLIN_SHARDS", "0", "within 1–256"),
        ("DUNLIN_SHARD", "2", "did you mean DUNLIN_SHARDS?"), ("DUNLIN_ALLOW_ANONYMOUS", "yes", "true or false"),
        ("DUNLIN_LIMITS_CONNECT_TIMEOUT", "10", "unit"), ("DUNLIN_XYZ", "1", "no such variable"),
    ])
    func aWrongVariableIsTold(name: String, text: String, problem: String) {
        var settings = BrokerSettings()
        let error = #expect(throws: InvalidSettings.self) { try settings.apply(environment: [name: text]) }
        #expect(error?.problems.count == 1)
        #expect(error?.description.hasPrefix("\(name): ") == true)
        #expect(error?.description.contains(problem) == true, "\(error?.description ?? "")")
    }

    @Test func whatKubernetesSetsForAServiceIsLeftAlone() throws {
        var settings = BrokerSettings()
        try settings.apply(environment: [
            "DUNLIN_SERVICE_HOST": "10.0.0.1", "DUNLIN_SERVICE_PORT_MQTT": "1883", "DUNLIN_PORT": "tcp://10.0.0.1:1883",
            "DUNLIN_PORT_1883_TCP_ADDR": "10.0.0.1", "DUNLIN_MQTT_SERVICE_HOST": "10.0.0.1", "DUNLIN_CONFIG": "x",
        ])
    }

    @Test(arguments: [
        (["--shard", "2"], "--shard: there is no such option; did you mean --shards?"),
        (["--limits-receive-maximum"], "--limits-receive-maximum: needs a value (1–65535)"),
        (["--limits-receive-maximum=0"], "--limits-receive-maximum: has to be within 1–65535"),
        (["stray"], "stray: there is no such option; see --help"),
    ])
    func aWrongOptionIsTold(arguments: [String], problem: String) {
        var settings = BrokerSettings()
        let error = #expect(throws: InvalidSettings.self) { try settings.apply(options: arguments) }
        #expect(error?.description == problem)
    }
}
