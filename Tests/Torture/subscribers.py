"""Subscribers whose sessions outlive their connections, and the rules that hold for what they get."""
import asyncio
from collections import deque

from packets import (Connection, DISCONNECT, Lost, PINGREQ, PINGRESP, PUBACK, PUBCOMP, PUBLISH, PUBREC, PUBREL, SUBACK,
                     UNSUBACK, acknowledgement, subscribe, unsubscribe)
from world import Client


def matches(pattern, topic):
    names, levels = pattern.split("/"), topic.split("/")
    for at, name in enumerate(names):
        if name == "#":
            return True
        if at >= len(levels) or name not in ("+", levels[at]):
            return False
    return len(names) == len(levels)


class Interest:
    """When a subscription held, in the logical clock. What was published inside has to come; what was acknowledged
    before it was asked for, or published after it was given up, must not."""

    def __init__(self, asked):
        self.asked, self.granted, self.given_up, self.gone = asked, None, None, None


class Subscriber(Client):
    """`group`: the name of a shared subscription. `toggles`: unsubscribes and subscribes again, too."""

    def __init__(self, world, name, version, pattern, qos, group=None, toggles=False, receive_maximum=None, starts=0):
        super().__init__(world, name, version)
        self.pattern, self.qos, self.group, self.toggles = pattern, qos, group, toggles
        self.receive_maximum = receive_maximum if version == 5 else None
        self.starts = starts  # round
        self.receiver = group or name
        self.filter = f"$share/{group}/{pattern}" if group else pattern
        self.received = {}  # identifier -> payload: QoS 2 messages that are not released
        self.interests = []
        self.last = {}  # (publisher, topic) -> number
        self.is_subscribed, self.is_online = False, False
        self.answers = deque()
        world.receivers.append(self)

    async def run(self):
        while self.world.round < self.starts:
            await asyncio.sleep(0.1)
        while not self.world.is_over:
            try:
                present = await self.connect(Connection, receive_maximum=self.receive_maximum)
                self.unacknowledged, self.requests = set(), {}
                self.answers.clear()
                if not present:
                    self.received.clear()
                await self.connected()
            except Lost:
                await self.ended("while subscribing")
            finally:
                self.is_online = False
            if not self.world.is_draining:
                await self.pause(0.8)

    async def connected(self):
        self.is_online = True
        if not self.is_subscribed:
            self.ask()
        self.patience = 0 if self.chance(0.5) else self.random.random() * 0.2
        reading = asyncio.ensure_future(self.read())
        stays = self.random.random() * 3
        began = asyncio.get_running_loop().time()
        try:
            while not reading.done() and not self.world.is_over:
                await asyncio.wait([reading], timeout=0.05 + self.patience * self.random.random())
                self.flush()
                if self.world.is_draining:
                    self.patience = 0
                elif asyncio.get_running_loop().time() - began > stays:
                    return await self.leave(reading)
                elif self.toggles and not self.requests and self.chance(0.1):
                    self.give_up() if self.is_subscribed else self.ask()
                if self.toggles and self.world.is_draining and not self.is_subscribed and not self.requests:
                    self.ask()
            if reading.done():
                reading.result()
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)

    async def leave(self, reading):
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
        if self.chance(0.5):
            self.connection.abort()
        else:
            await self.connection.close()

    # MARK: Subscriptions

    def request(self, kind):
        self.identifier = self.identifier % 65535 + 1
        self.requests[self.identifier] = kind
        return self.identifier

    def ask(self):
        if not self.interests or self.interests[-1].given_up:
            self.interests.append(Interest(self.world.tick()))
        self.connection.send(subscribe(self.version, self.request(SUBACK), [(self.filter, self.qos)]))

    def give_up(self):
        self.interests[-1].given_up = self.interests[-1].given_up or self.world.tick()
        self.is_subscribed = False
        self.connection.send(unsubscribe(self.version, self.request(UNSUBACK), [self.filter]))

    def wants(self, message):
        """Whether the message has to come. What waits when a subscription is given up may come or not."""
        return matches(self.pattern, message.topic) and any(
            interest.granted and interest.granted < message.sent and interest.given_up is None
            for interest in self.interests)

    def may_get(self, message):
        return any(
            not (message.acknowledged and message.acknowledged < interest.asked)
            and not (interest.gone and interest.gone < message.sent)
            for interest in self.interests)

    # MARK: Packets

    async def read(self):
        while True:
            received = await self.connection.receive()
            if received.kind == DISCONNECT:
                if not self.world.is_dying:
                    self.world.fail(f"{self.name} got DISCONNECT {received.reason:#x}")
                raise Lost
            if received.kind == PUBLISH:
                self.message_received(received)
            elif received.kind == PUBREL:
                self.released(received)
            elif received.kind in (SUBACK, UNSUBACK):
                self.granted(received)
            else:
                self.world.fail(f"{self.name} got a packet of type {received.kind}")
            if not self.patience or self.chance(0.1):
                self.flush()

    def granted(self, received):
        if self.requests.pop(received.identifier, None) != received.kind:
            self.world.fail(f"{self.name} got type {received.kind} for {received.identifier}, which is not in use")
        if received.kind == UNSUBACK:
            self.interests[-1].gone = self.interests[-1].gone or self.world.tick()
            return
        if received.reasons != bytes([self.qos]):
            self.world.fail(f"{self.name}: SUBACK {received.reasons.hex()}")
        self.is_subscribed = True
        self.interests[-1].granted = self.interests[-1].granted or self.world.tick()

    def answer(self, kind, identifier):
        self.answers.append((kind, identifier))

    def flush(self):
        while self.answers:
            kind, identifier = self.answers.popleft()
            self.connection.send(acknowledgement(kind, identifier))
            if kind != PUBREC:
                self.unacknowledged.discard(identifier)

    def released(self, received):
        payload = self.received.pop(received.identifier, None)
        if payload is not None:
            self.world.messages[payload].note(self.world, f"{self.name} PUBREL {received.identifier}")
        self.answer(PUBCOMP, received.identifier)

    def message_received(self, received):
        world, message = self.world, self.world.messages.get(received.payload)
        if not received.payload and received.topic.startswith("r/"):  # a retained message is cleared
            if received.qos == 1:
                return self.answer(PUBACK, received.identifier)
            self.received.setdefault(received.identifier, None)
            return self.answer(PUBREC, received.identifier)
        if message is None or message.topic != received.topic:
            world.fail(f"{self.name} got {received.payload[:40]!r} on {received.topic}, which nobody published")
        text = (f"{self.name} got PUBLISH {received.identifier} QoS {received.qos}{' DUP' if received.duplicate else ''}"
                f"{' retained' if received.retain else ''}")
        if received.qos != min(self.qos, message.qos):
            world.fail(f"{text}: wrong QoS", message)
        if received.retain:
            return self.retained_received(received, message, text)
        if not matches(self.pattern, received.topic):
            world.fail(f"{text}, which it has not subscribed to", message)
        self.unacknowledged.add(received.identifier)
        if self.receive_maximum and len(self.unacknowledged) > self.receive_maximum:
            world.fail(f"{text}: more than its Receive Maximum of {self.receive_maximum}", message)
        if received.qos == 2:
            if received.identifier in self.received:
                message.note(world, text + " (again)")
                if self.received[received.identifier] != received.payload:
                    world.fail(f"{text}: another message with an identifier that is not released", message)
                if not received.duplicate:
                    world.fail(f"{text}: sent again without DUP", message)
                return self.answer(PUBREC, received.identifier)
            self.received[received.identifier] = received.payload
        self.deliver(message, text, received)
        self.answer(PUBREC if received.qos == 2 else PUBACK, received.identifier)

    def deliver(self, message, text, received):
        if not self.may_get(message):
            self.world.fail(f"{text} though it had no subscription then", message)
        is_first = self.receiver not in message.delivered
        self.world.delivered(message, self.receiver, text, is_exact=received.qos == 2)
        if is_first and self.group is None and not message.is_will:
            key = message.publisher, message.topic
            # What was published before the subscription may come all the same, when the publisher sends it again.
            if self.last.get(key, 0) > message.number and self.wants(message):
                self.world.fail(f"{text} after number {self.last[key]} of the same publisher and topic", message)
            self.last[key] = max(self.last.get(key, 0), message.number)

    def retained_received(self, received, message, text):
        """A copy that SUBSCRIBE asked for: no part of the flow."""
        message.note(self.world, text)
        if received.qos == 2:
            if self.received.get(received.identifier, received.payload) != received.payload:
                self.world.fail(f"{text}: another message with an identifier that is not released", message)
            self.received[received.identifier] = received.payload
        self.answer(PUBREC if received.qos == 2 else PUBACK, received.identifier)


async def check_retained(world, publisher, version):
    """What a new subscriber gets has to be the last acknowledged version, or a later one."""
    client = Client(world, f"retained-{world.tick()}", version)
    await client.connect(Connection, clean=True, keeps=False)
    connection = client.connection
    least = dict(publisher.acknowledged_version)
    got = {}
    connection.send(subscribe(version, 1, [("r/#", 0)]) + PINGREQ)
    is_answered, clock = False, asyncio.get_running_loop().time
    deadline = clock() + 30
    while deadline > clock():
        try:
            received = await asyncio.wait_for(connection.receive(), deadline - clock())
        except asyncio.TimeoutError:
            break
        if received.kind == PINGRESP:
            is_answered, deadline = True, clock() + 0.3
        if received.kind == PUBLISH and received.retain:
            if received.topic in got:
                world.fail(f"two retained messages on {received.topic}")
            got[received.topic] = received.payload
    if not is_answered:
        world.fail("a new subscriber of r/# got no PINGRESP for 30 s")
    await connection.close()
    for topic, versions in publisher.versions.items():
        candidates = versions[max(least[topic] - 1, 0):]
        may_be = [message.on_wire for message in candidates] + ([b""] if not least[topic] else [])
        if got.get(topic, b"") not in may_be:
            world.fail(f"retained on {topic}: {got.get(topic, b'nothing')[:30]!r}, acknowledged was version "
                       f"{least[topic]}", versions[least[topic] - 1] if least[topic] else None)
