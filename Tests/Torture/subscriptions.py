"""What a subscription is owed: when it held, with which QoS, and what must not come for it."""


def matches(pattern, topic):
    names, levels = pattern.split("/"), topic.split("/")
    for at, name in enumerate(names):
        if name == "#":
            return True
        if at >= len(levels) or name not in ("+", levels[at]):
            return False
    return len(names) == len(levels)


class Grant:
    """A QoS that was asked for, and the time of the SUBACK, in the logical clock."""

    def __init__(self, qos, asked):
        self.qos, self.asked, self.granted = qos, asked, None


class Interest:
    """When a subscription held. What was published inside has to come; what was acknowledged before it was asked for,
    or published after it was given up, must not."""

    def __init__(self, asked):
        self.asked, self.granted, self.given_up, self.gone = asked, None, None, None
        self.grants = []

    def may_cover(self, message):
        return (not (message.acknowledged and message.acknowledged < self.asked)
                and not (self.gone and self.gone < message.sent))

    def covers(self, message):
        return bool(self.granted and self.granted < message.sent and self.given_up is None)

    def qualities(self, message):
        """Each QoS that may be the one of the delivery."""
        found = set()
        for at, grant in enumerate(self.grants):
            later = [next.granted for next in self.grants[at + 1:] if next.granted]
            if message.acknowledged and message.acknowledged < grant.asked or later and later[0] < message.sent:
                continue
            found.add(min(grant.qos, message.qos))
        return found


class Subscription:
    """A subscription of a session, over all the times that it is made and given up. `group`: of a shared one.
    `identifier`: its Subscription Identifier, by which a delivery says whose it is."""

    def __init__(self, client, pattern, qos, group=None, identifier=None):
        self.client, self.pattern, self.qos, self.group, self.identifier = client, pattern, qos, group, identifier
        self.filter = f"$share/{group}/{pattern}" if group else pattern
        self.is_owed = True
        client.world.subscriptions.append(self)
        self.reset(0)

    def reset(self, session):
        """A new session knows nothing of it."""
        own = f"{self.client.name}#{session}" if session else self.client.name
        self.receiver = self.group or (f"{own}/{self.identifier}" if self.identifier else own)
        self.is_subscribed, self.interests, self.last = False, [], {}  # last: (publisher, topic, QoS) -> number
        self.copies = set()  # payloads of retained messages that have to come
        self.asked_count, self.copies_got = 0, {}

    # MARK: Changes

    def ask(self, qos, tick):
        if not self.interests or self.interests[-1].given_up:
            self.interests.append(Interest(tick))
        self.qos = qos
        self.asked_count += 1
        grant = Grant(qos, tick)
        self.interests[-1].grants.append(grant)
        return grant

    def granted(self, grant, tick):
        self.is_subscribed = True
        grant.granted = tick
        self.interests[-1].granted = self.interests[-1].granted or tick

    def give_up(self, tick):
        self.interests[-1].given_up = self.interests[-1].given_up or tick
        self.is_subscribed = False
        self.copies.clear()

    def gone(self, tick):
        self.interests[-1].gone = self.interests[-1].gone or tick

    # MARK: Judgements

    def matches(self, topic):
        return matches(self.pattern, topic)

    def wants(self, message):
        """Whether the message has to come. What waits when a subscription is given up may come or not."""
        return self.is_owed and self.matches(message.topic) and any(
            interest.covers(message) and 0 not in interest.qualities(message) for interest in self.interests)

    def may_get(self, message):
        return any(interest.may_cover(message) for interest in self.interests)

    def qualities(self, message):
        return set().union(*(interest.qualities(message) for interest in self.interests))
