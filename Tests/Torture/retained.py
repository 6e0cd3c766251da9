"""Retained messages: their only publisher, and what a new subscriber gets."""
import asyncio
import time

from client import Client
from packets import PINGREQ, PINGRESP, PUBLISH, subscribe
from publishers import Publisher


class RetainedPublisher(Publisher):
    """Publishes and clears retained messages; nobody else does on its topics."""

    def __init__(self, world, name, version, topics, window):
        super().__init__(world, name, version, topics, window, expiries=(None, None, None, 1, 600))
        self.versions = {topic: [] for topic, _ in topics}  # what was published on each, in order
        self.acknowledged_version = {topic: 0 for topic, _ in topics}
        world.retained = self

    def make_message(self):
        message = super().make_message()
        message.retain = True
        if self.chance(0.2):
            message.on_wire, message.expiry = b"", None
        self.versions[message.topic].append(message)
        message.version = len(self.versions[message.topic])
        return message

    def acknowledged_first(self, message):
        super().acknowledged_first(message)
        self.acknowledged_version[message.topic] = max(self.acknowledged_version[message.topic], message.version)

    def acknowledged(self):
        return dict(self.acknowledged_version)

    def unchanged(self, before):
        """What has been the retained message of its topic all the time since `before`."""
        for topic, version in before.items():
            if version and version == len(self.versions[topic]):
                message = self.versions[topic][-1]
                if message.on_wire and message.expiry != 1:
                    yield message

    def may_be(self, topic, least):
        """What may be retained now, when `least` was the last acknowledged version before."""
        candidates = self.versions[topic][max(least - 1, 0):]
        found = [message.on_wire for message in candidates
                 if message.expires_at is None or time.monotonic() < message.expires_at + 2]
        # What was sent may have been taken and have expired without an acknowledgement, though it is sent again.
        is_over = any(message.expiry and message.history and time.monotonic() > message.history[0][0] + message.expiry
                      for message in candidates)
        return found + ([b""] if not least or is_over else [])


async def look(world, version, pattern):
    """What a new subscriber of `pattern` gets."""
    client = Client(world, f"retained-{world.tick()}", version)
    await client.connect(clean=True, expiry=0)
    connection, got = client.connection, {}
    connection.send(subscribe(version, 1, [(pattern, 0)]) + PINGREQ)
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
            world.counts["retained"] += 1
    if not is_answered:
        world.fail(f"a new subscriber of {pattern} got no PINGRESP for 30 s")
    await connection.close()
    return got


async def check_retained(world, version):
    """What a new subscriber gets has to be the last acknowledged version, or a later one."""
    publisher = world.retained
    least = publisher.acknowledged()
    got = await look(world, version, "r/#")
    for topic, versions in publisher.versions.items():
        if got.get(topic, b"") not in publisher.may_be(topic, least[topic]):
            world.fail(f"retained on {topic}: {got.get(topic, b'nothing')[:30]!r}, acknowledged was version "
                       f"{least[topic]}", versions[least[topic] - 1] if least[topic] else None)


async def check_retained_wills(world, wills, version):
    """The retained will of each client is the last one that was published, or a later one."""
    before = {client.name: client.last_published for client in wills}
    got = await look(world, version, "w/#")
    for client in wills:
        payload = got.get(f"w/{client.name}")
        least = before[client.name]
        if payload is None:
            if least:
                world.fail(f"no retained will on w/{client.name}", least)
            continue
        message = world.messages.get(payload)
        if message is None or message.publisher != client.name or not message.retain:
            world.fail(f"retained on w/{client.name}: {payload[:40]!r}")
        if least and message.number < least.number:
            world.fail(f"retained on w/{client.name}: {payload[:40]!r}, which is older than {least.payload!r}", message)
        if message.most == 0:
            world.fail(f"retained on w/{client.name}: a will that must not be published", message)
