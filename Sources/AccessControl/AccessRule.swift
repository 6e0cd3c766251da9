/// One line of the rules: who may, or may not, do what with which topics.
package struct AccessRule: Sendable, Hashable {
    package enum Effect: String, Sendable, CaseIterable {
        case allow
        case deny
    }

    /// What is done with a topic. A will is published, a retained message is received.
    package struct Actions: OptionSet, Sendable, Hashable {
        package let rawValue: UInt8
        package init(rawValue: UInt8) { self.rawValue = rawValue }

        /// PUBLISH from the client, and its will.
        package static let write = Actions(rawValue: 1)
        /// SUBSCRIBE: the filter.
        package static let subscribe = Actions(rawValue: 2)
        /// PUBLISH to the client.
        package static let receive = Actions(rawValue: 4)
        package static let read: Actions = [.subscribe, .receive]
        package static let readWrite: Actions = [.read, .write]

        /// The words of a rule file.
        package static let words: [(word: String, actions: Actions)] = [
            ("read", .read), ("write", .write), ("readwrite", .readWrite), ("subscribe", .subscribe),
            ("receive", .receive),
        ]
    }

    package enum Subject: Sendable, Hashable {
        case everyone
        /// Clients that nobody has checked.
        case anonymous
        case user(String)
        case client(String)
        case group(String)
    }

    package var effect: Effect
    package var subject: Subject
    package var actions: Actions
    package var topics: TopicTemplate

    package init(_ effect: Effect, _ subject: Subject, _ actions: Actions, _ topics: TopicTemplate) {
        self.effect = effect
        self.subject = subject
        self.actions = actions
        self.topics = topics
    }
}
