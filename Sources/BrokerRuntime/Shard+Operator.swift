package import BrokerCore
package import MQTTModel
import NIOCore

/// A part of a list, and where it goes on; nil at the end.
package struct Page<Element: Sendable>: Sendable {
    package var elements: [Element]
    package var next: Int?

    package init(_ elements: [Element] = [], next: Int? = nil) {
        self.elements = elements
        self.next = next
    }
}

/// What an operator sees and does. All of it on the shard's loop, in steps small enough for the clients not to notice.
extension Shard {
    /// Places of a table that one step looks at.
    package static let inspectionStep = 4096

    /// Sessions from `place` on that `isWanted`, at most `limit`; fewer, even none, when many had to be passed over.
    package func sessions(
        from place: Int, limit: Int, where isWanted: (SessionDescription) -> Bool
    ) -> Page<SessionDescription> {
        var page = collect(limit) { body in
            core.inspectSessions(from: place, visiting: Shard.inspectionStep) { isWanted($0) ? body($0) : true }
        }
        for position in page.elements.indices {
            guard let id = page.elements[position].connection, let index = slot(of: id) else { continue }
            page.elements[position].address = slots[index].connection?.remoteAddress
        }
        return page
    }

    /// The same for subscriptions; more than `limit` when a session's go over it.
    package func subscriptions(
        from place: Int, limit: Int, where isWanted: (SubscriptionDescription) -> Bool
    ) -> Page<SubscriptionDescription> {
        collect(limit) { body in
            core.inspectSubscriptions(from: place, visiting: Shard.inspectionStep) { isWanted($0) ? body($0) : true }
        }
    }

    /// The same for retained messages, of which every shard has all.
    package func retainedMessages(
        from place: Int, limit: Int, where isWanted: (ApplicationMessage) -> Bool
    ) -> Page<ApplicationMessage> {
        collect(limit) { body in
            core.inspectRetained(from: place, visiting: Shard.inspectionStep) { isWanted($0) ? body($0) : true }
        }
    }

    /// What waits in the sessions from `place` on; the next place.
    package func backlog(from place: Int) -> (backlog: SessionBacklog, next: Int?) {
        loop.assertInEventLoop()
        return core.backlog(from: place, visiting: Shard.inspectionStep)
    }

    private func collect<Element>(
        _ limit: Int, _ inspect: (_ body: (Element) -> Bool) -> Int?
    ) -> Page<Element> {
        loop.assertInEventLoop()
        var page = Page<Element>()
        page.next = inspect { element in
            page.elements.append(element)
            return page.elements.count < limit
        }
        return page
    }

    /// The session of one client.
    package func session(of clientIdentifier: String) -> SessionDescription? {
        loop.assertInEventLoop()
        return core.description(of: clientIdentifier)
    }

    /// Ends the connection of a client.
    ///
    /// - Returns: whether there was one.
    package func disconnect(
        _ clientIdentifier: String, _ reasonCode: ReasonCode, serverReference: String? = nil
    ) -> Bool {
        loop.assertInEventLoop()
        guard let connection = core.connection(of: clientIdentifier) else { return false }
        readClock()
        submit(.disconnectRequested(connection, reasonCode, serverReference: serverReference))
        return true
    }

    /// Refuses every CONNECT from now on, or no longer.
    package func redirectClients(_ redirection: Redirection?) {
        loop.assertInEventLoop()
        self.redirection = redirection
    }

    /// Ends at most `count` connections, whichever.
    ///
    /// - Returns: how many were ended, and how many are left.
    package func disconnectSome(
        _ count: Int, _ reasonCode: ReasonCode, serverReference: String?
    ) -> (ended: Int, left: Int) {
        loop.assertInEventLoop()
        readClock()
        var ended = 0
        for index in slots.indices where ended < count {
            guard let id = slots[index].connection?.id else { continue }
            ended += 1
            submit(.disconnectRequested(id, reasonCode, serverReference: serverReference))
        }
        return (ended, connectionCount)
    }

    /// What the broker says under `$SYS` is this now.
    package func statusChanged(_ messages: [ApplicationMessage]) {
        loop.assertInEventLoop()
        guard !isShuttingDown else { return }
        readClock()
        submit(.statusChanged(messages))
    }

    /// The node is without its flock, or has it again.
    package func isolationChanged(to isIsolated: Bool) {
        loop.assertInEventLoop()
        guard !isShuttingDown else { return }
        readClock()
        submit(.isolationChanged(isIsolated))
    }

    // MARK: Bans

    /// Ends the connections of those whom a ban is about, from `place` on.
    package func disconnect(matching subject: BanList.Subject, from place: Int) -> (ended: Int, next: Int?) {
        loop.assertInEventLoop()
        let page: Page<ConnectionID> =
            switch subject {
            case .clientIdentifier(let client): connections(from: place) { ExactText($0.clientIdentifier) == client }
            case .userName(let user): connections(from: place) { $0.userName.map { ExactText($0) } == user }
            case .address(let address): connections(from: place, at: address)
            }
        readClock()
        for connection in page.elements {
            submit(.disconnectRequested(connection, .administrativeAction, serverReference: nil))
        }
        return (page.elements.count, page.next)
    }

    private func connections(
        from place: Int, where isWanted: (SessionDescription) -> Bool
    ) -> Page<ConnectionID> {
        let page = sessions(from: place, limit: .max) { $0.connection != nil && isWanted($0) }
        return Page(page.elements.compactMap(\.connection), next: page.next)
    }

    private func connections(from place: Int, at address: String) -> Page<ConnectionID> {
        let end = min(place + Shard.inspectionStep, slots.count)
        var found: [ConnectionID] = []
        for index in min(place, end)..<end {
            guard let connection = slots[index].connection, let id = connection.id else { continue }
            if connection.remoteAddress == address { found.append(id) }
        }
        return Page(found, next: end < slots.count ? end : nil)
    }

    /// Whether the client is kept out, for its identifier, its address, or one of the names that it says or has proven.
    func isBanned(_ clientIdentifier: String, _ userNames: [String?], _ connection: Connection?) -> Bool {
        guard !bans.isEmpty else { return false }
        if bans.ban(of: .clientIdentifier(ExactText(clientIdentifier))) != nil { return true }
        for case let name? in userNames where bans.ban(of: .userName(ExactText(name))) != nil { return true }
        guard let address = connection?.remoteAddress else { return false }
        return bans.ban(of: .address(address)) != nil
    }
}
