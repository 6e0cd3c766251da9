import BrokerRuntime
import Logging
import NIOCore
import TransportModel

/// From bytes to MQTT.
extension LayeredConnection {
    /// Whether the client has ended what MQTT goes over.
    var isOver: Bool { tls?.isEnded == true || webSocket?.isClosed == true }

    /// What comes after the PROXY protocol header or, without one, first.
    func beginBehindProxy() {
        let transport = serving.listener.address.transport
        if transport.isEncrypted {
            guard let context = serving.tlsContext, let layer = try? TLSLayer(context.context, on: shard.loop) else {
                return fail("there is no TLS context")
            }
            tls = layer
            stage = .tlsHandshake
            layer.begin()
        } else {
            beginBehindTLS()
        }
    }

    private func beginBehindTLS() {
        stage = .upgrade
        if !serving.listener.address.transport.isWebSocket { beginMQTT() }
    }

    private func beginMQTT() {
        stage = .mqtt
        timeout?.cancel()
        timeout = nil
        admission?.handshakeEnded()
        shard.opened(self)
    }

    /// Takes what came from the network through all layers. `raw` is only lent.
    func receive(_ raw: ByteBuffer) {
        var bytes = raw
        if stage == .proxyHeader, !takeProxyHeader(&bytes) { return }
        if stage != .ended, tls != nil {
            guard let plain = decrypt(bytes) else { return }
            bytes = plain
        }
        if stage == .upgrade, !takeUpgrade(&bytes) { return }
        if stage == .mqtt { takeMQTT(bytes) }
    }

    private func takeMQTT(_ bytes: ByteBuffer) {
        guard bytes.readableBytes > 0 || isOver else { return }
        guard let webSocket else {
            shard.received(self, bytes)
            if isOver { end() }
            return
        }
        var payload = owner.takeScratch()
        defer { owner.giveBackScratch(&payload) }
        do throws(WebSocketViolation) {
            if let answer = try webSocket.receive(bytes, into: &payload) { answerControl(answer) }
        } catch {
            shard.logger.info(
                "WebSocket violated", metadata: ["listener": "\(serving.name)", "detail": "\(error.detail)"])
            output.status = error.status
            return close(after: nil)
        }
        if payload.readableBytes > 0 { shard.received(self, payload) }
        if isOver { end() }
    }

    // MARK: PROXY protocol

    /// - Returns: whether the header is through.
    private func takeProxyHeader(_ bytes: inout ByteBuffer) -> Bool {
        gather(&bytes)
        do throws(ProxyHeader.Malformed) {
            let outcome = try bytes.withUnsafeReadableBytes { raw throws(ProxyHeader.Malformed) in
                try ProxyHeader.parse(raw)
            }
            switch outcome {
            case .incomplete:
                incomplete = ByteBuffer(bytes: bytes.readableBytesView)
                return false
            case .header(let header, let byteCount):
                bytes.moveReaderIndex(forwardBy: byteCount)
                if let address = header.address {
                    client.address = address
                    client.port = header.port
                }
            }
        } catch {
            fail(error.reason)
            return false
        }
        do throws(AdmissionGate.Refusal) {
            try admission?.enter(from: client.address)
        } catch {
            fail("too many connections of its address")
            return false
        }
        beginBehindProxy()
        return true
    }

    /// Puts what came before in front.
    private func gather(_ bytes: inout ByteBuffer) {
        guard var whole = incomplete.take() else { return }
        whole.writeImmutableBuffer(bytes)
        bytes = whole
    }

    // MARK: TLS

    /// What the bytes say; nil when it ends or there is nothing to do.
    private func decrypt(_ bytes: ByteBuffer) -> ByteBuffer? {
        guard let tls else { return nil }
        // A copy: NIOSSL keeps what is not a whole record, and the buffer is lent.
        if bytes.readableBytes > 0 { tls.receive(ByteBuffer(bytes: bytes.readableBytesView)) }
        if let answer = tls.takeOutbound() { send(answer) }
        if stage == .tlsHandshake, tls.isEstablished, !finishHandshake(tls) { return nil }
        if stage == .tlsHandshake {
            if tls.isEnded { fail(tls.failure.map { "\($0)" } ?? "the client ended it") }
            return nil
        }
        let plain = tls.takeInbound()
        if tls.isEnded, let failure = tls.failure, plain == nil {
            shard.logger.debug("TLS ended", metadata: ["listener": "\(serving.name)", "error": "\(failure)"])
        }
        return plain ?? ByteBuffer()
    }

    /// - Returns: whether the client is let in.
    private func finishHandshake(_ tls: TLSLayer) -> Bool {
        do throws(CertificateRefusal) {
            // As it is now: the files may have been read again since the handshake began.
            client.certificate = try serving.tlsContext?.names(in: tls.peerCertificate)
        } catch {
            fail(error.rawValue)
            return false
        }
        beginBehindTLS()
        return true
    }

    // MARK: WebSocket

    /// - Returns: whether WebSocket has begun.
    private func takeUpgrade(_ bytes: inout ByteBuffer) -> Bool {
        gather(&bytes)
        switch bytes.withUnsafeReadableBytes({ UpgradeRequest.outcome(of: $0) }) {
        case .incomplete:
            incomplete = ByteBuffer(bytes: bytes.readableBytesView)
            if isOver { end() }
            return false
        case .accepted(let response, let byteCount):
            bytes.moveReaderIndex(forwardBy: byteCount)
            if let encoded = encrypt(ByteBuffer(bytes: response)) { send(encoded) }
            webSocket = WebSocketLayer(maximumFrameSize: serving.options.maximumFrameSize)
            beginMQTT()
            return true
        case .refused(let response, let reason):
            if let encoded = encrypt(ByteBuffer(bytes: response)) { send(encoded) }
            fail(reason)
            return false
        }
    }

    // MARK: Ends

    func handshakeTimedOut() {
        guard stage != .mqtt, stage != .ended else { return }
        serving.gate.count { $0.handshakeTimeouts += 1 }
        end()
    }

    /// Ends a connection that has not come to MQTT.
    func fail(_ reason: String) {
        serving.gate.count { $0.handshakeFailures += 1 }
        shard.logger.info(
            "connection not taken",
            metadata: [
                "listener": "\(serving.name)", "address": "\(client.address.map(\.description) ?? "")",
                "reason": "\(reason)",
            ])
        timeout?.cancel()
        close(after: nil)
    }

    /// Ends the network connection.
    func end() {
        stage = .ended
        context?.close(promise: nil)
    }
}
