import BrokerConfiguration
import BrokerTransport
import TransportModel

extension BrokerSettings {
    /// What is wrong with the files that the listeners with TLS need: missing, no certificate, no key, not its key.
    func certificateProblems(file: String?) -> [SettingsProblem] {
        listeners.filter { $0.address.transport.isEncrypted }.compactMap { listener in
            // Which are missing altogether is told already.
            guard listener.options.certificate != nil, listener.options.key != nil else { return nil }
            do throws(TLSContext.Problem) {
                _ = try TLSContext(listener.options)
                return nil
            } catch {
                return problem(with: listener, error.option, file, error.text)
            }
        }
    }
}
