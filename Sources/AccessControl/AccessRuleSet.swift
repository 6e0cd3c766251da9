import MQTTModel

/// All rules, and who belongs to which group.
///
/// The order of the rules means nothing: a `deny` that matches wins, else an `allow` that matches, else the answer is no.
/// So a rule can be read alone, and a line that is added above or below another changes nothing about it.
package struct AccessRuleSet: Sendable {
    /// Those who belong to a group by their user name.
    package struct Group: Sendable, Hashable {
        package var name: String
        package var members: [String]

        package init(name: String, members: [String]) {
            self.name = name
            self.members = members
        }
    }

    package private(set) var rules: [AccessRule]
    package private(set) var groups: [Group]
    private var forEveryone: [Int] = []
    private var forAnonymous: [Int] = []
    private var byUser: [ExactText: [Int]] = [:]
    private var byClient: [ExactText: [Int]] = [:]
    private var byGroup: [ExactText: [Int]] = [:]
    private var groupsOfUser: [ExactText: [ExactText]] = [:]

    package init(rules: [AccessRule] = [], groups: [Group] = []) {
        self.rules = rules
        self.groups = groups
        for (index, rule) in rules.enumerated() {
            switch rule.subject {
            case .everyone: forEveryone.append(index)
            case .anonymous: forAnonymous.append(index)
            case .user(let name): byUser[ExactText(name), default: []].append(index)
            case .client(let identifier): byClient[ExactText(identifier), default: []].append(index)
            case .group(let name): byGroup[ExactText(name), default: []].append(index)
            }
        }
        for group in groups {
            for member in group.members { groupsOfUser[ExactText(member), default: []].append(ExactText(group.name)) }
        }
    }

    /// What the client may do.
    ///
    /// - Parameter granted: rules for this client alone, from whoever has checked it; their subject is not looked at.
    package func permissions(for identity: AccessIdentity, granted: [AccessRule] = []) -> Permissions {
        var permissions = Permissions()
        for index in indices(for: identity) { permissions.add(rules[index], for: identity) }
        for rule in granted { permissions.add(rule, for: identity) }
        return permissions
    }

    private func indices(for identity: AccessIdentity) -> [Int] {
        var indices = forEveryone + byClient[ExactText(identity.clientIdentifier), default: []]
        var groups = identity.groups.map { ExactText($0) }
        if let userName = identity.userName {
            indices += byUser[ExactText(userName), default: []]
            groups += groupsOfUser[ExactText(userName), default: []]
        } else {
            indices += forAnonymous
        }
        var seen: Set<ExactText> = []
        for group in groups where seen.insert(group).inserted { indices += byGroup[group, default: []] }
        return indices
    }
}
