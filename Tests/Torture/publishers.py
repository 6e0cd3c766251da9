"""Publishers with persistent sessions: what is not acknowledged is sent again, as section 4.4 of the standard says."""
import asyncio

from packets import (Connection, DISCONNECT, Lost, PUBACK, PUBCOMP, PUBREC, PUBREL, acknowledgement, publish)
from world import Client, Message


class Exchange:
    """A message in flight; after PUBREC only PUBREL is sent."""

    def __init__(self, message, retain):
        self.message, self.retain, self.is_received = message, retain, False


class Publisher(Client):
    def __init__(self, world, name, version, topics, window, retain=False):
        super().__init__(world, name, version)
        self.topics, self.window, self.retain = topics, window, retain  # topics: (name, qos)
        self.inflight = {}  # identifier -> Exchange, in the order of sending
        self.number = 0
        self.sent = 0
        self.versions = {topic: [] for topic, _ in topics}  # what was published on each, in order
        self.acknowledged_version = {topic: 0 for topic, _ in topics}

    async def run(self):
        while not self.world.is_over:
            try:
                present = await self.connect(Connection)
                if not present and self.inflight:
                    self.world.fail(f"{self.name} lost its session")
                await self.connected()
            except Lost:
                await self.ended("while publishing")

    async def connected(self):
        connection = self.connection
        for identifier, exchange in self.inflight.items():
            self.send(identifier, exchange, duplicate=True)
        reading = asyncio.ensure_future(self.read())
        try:
            while not reading.done() and not self.world.is_over:
                if self.world.is_publishing:
                    for _ in range(self.random.randint(1, 6)):
                        if len(self.inflight) < self.window:
                            self.publish_next()
                await asyncio.wait([reading], timeout=self.random.random() * 0.06)
                if not self.world.is_draining and self.chance(0.01):
                    self.world.event(f"{self.name} drops its connection")
                    connection.abort()
                    reading.cancel()
                    return
            if reading.done():
                reading.result()
        finally:
            if not reading.done():
                reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)

    def publish_next(self):
        topic, qos = self.random.choice(self.topics)
        self.number += 1
        clears = self.retain and self.chance(0.2)
        payload = f"{self.name} {self.number} ".encode() + b"x" * self.random.randint(0, 200)
        message = Message(self.world, self.name, topic, qos, self.number, payload)
        message.sent = self.world.tick()
        message.on_wire = b"" if clears else payload
        self.versions[topic].append(message)
        message.version = len(self.versions[topic])
        if not clears:
            self.world.pending.append(message)
        while True:
            self.identifier = self.identifier % 65535 + 1
            if self.identifier not in self.inflight:
                break
        exchange = Exchange(message, self.retain)
        self.inflight[self.identifier] = exchange
        self.sent += 1
        self.send(self.identifier, exchange)

    def send(self, identifier, exchange, duplicate=False):
        message = exchange.message
        if exchange.is_received:
            message.note(self.world, f"PUBREL {identifier}")
            self.connection.send(acknowledgement(PUBREL, identifier))
        else:
            message.note(self.world, f"PUBLISH {identifier}{' DUP' if duplicate else ''}")
            self.connection.send(publish(self.version, message.topic, message.on_wire, message.qos, identifier,
                                         duplicate, exchange.retain))

    async def read(self):
        while True:
            received = await self.connection.receive()
            if received.kind == DISCONNECT:
                if not self.world.is_dying:
                    self.world.fail(f"{self.name} got DISCONNECT {received.reason:#x}")
                raise Lost
            exchange = self.inflight.get(received.identifier)
            if received.kind not in (PUBACK, PUBREC, PUBCOMP):
                self.world.fail(f"{self.name} got a packet of type {received.kind}")
            if exchange is None:
                self.world.fail(f"{self.name} got type {received.kind} for {received.identifier}, which is not in use")
            self.answered(received, exchange)

    def answered(self, received, exchange):
        message, identifier = exchange.message, received.identifier
        message.note(self.world, f"{ {PUBACK: 'PUBACK', PUBREC: 'PUBREC', PUBCOMP: 'PUBCOMP'}[received.kind]} {identifier}"
                                 f" {received.reason:#x}")
        is_known_gone = received.kind == PUBCOMP and received.reason == 0x92
        if received.reason >= 0x80 and not is_known_gone:
            self.world.fail(f"{self.name}: reason {received.reason:#x}", message)
        if (received.kind == PUBACK) != (message.qos == 1):
            self.world.fail(f"{self.name}: type {received.kind} for QoS {message.qos}", message)
        if received.kind == PUBCOMP and not exchange.is_received:
            self.world.fail(f"{self.name}: PUBCOMP before PUBREL", message)
        if message.acknowledged is None:
            message.acknowledged = self.world.tick()
            self.acknowledged_version[message.topic] = max(self.acknowledged_version[message.topic], message.version)
        if received.kind == PUBREC:
            exchange.is_received = True
            self.send(identifier, exchange)
        else:
            del self.inflight[identifier]
