"""Publishers with persistent sessions: what is not acknowledged is sent again, as section 4.4 of the standard says."""
import asyncio
import time

from client import Client
from packets import DISCONNECT, NAMES, Lost, PUBACK, PUBCOMP, PUBREC, PUBREL, acknowledgement, publish
from world import Message


class Exchange:
    """A message in flight; after PUBREC only PUBREL is sent."""

    def __init__(self, message):
        self.message, self.is_received = message, False


class Publisher(Client):
    """`sizes`: the least and the most bytes of a payload. `expiries`: from which a 5.0 publisher takes a message's."""

    def __init__(self, world, name, version, topics, window, sizes=(0, 200), expiries=(None,)):
        super().__init__(world, name, version)
        self.topics, self.window, self.sizes, self.expiries = topics, window, sizes, expiries  # topics: (name, qos)
        self.inflight = {}  # identifier -> Exchange, in the order of sending
        self.number = 0

    async def run(self):
        while not self.world.is_over:
            try:
                present = await self.connect()
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
                    reading.cancel()
                    if self.chance(0.3):
                        self.keeps_open()
                    else:
                        self.closed()
                        connection.abort()
                    return
            if reading.done():
                reading.result()
        finally:
            if not reading.done():
                reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)

    def make_message(self):
        topic, qos = self.random.choice(self.topics)
        self.number += 1
        payload = f"{self.name} {self.number} ".encode() + b"x" * self.random.randint(*self.sizes)
        message = Message(self.world, self.name, topic, qos, self.number, payload)
        message.on_wire, message.retain = payload, False
        message.expiry = self.random.choice(self.expiries)
        if message.expiry is not None and message.expiry < 60:
            message.least = 0
        return message

    def publish_next(self):
        message = self.make_message()
        message.sent = self.world.tick()
        if message.on_wire:
            self.world.pending.append(message)
        while True:
            self.identifier = self.identifier % 65535 + 1
            if self.identifier not in self.inflight:
                break
        exchange = Exchange(message)
        self.inflight[self.identifier] = exchange
        self.send(self.identifier, exchange)

    def send(self, identifier, exchange, duplicate=False):
        message = exchange.message
        if exchange.is_received:
            message.note(self.world, f"PUBREL {identifier}")
            self.connection.send(acknowledgement(PUBREL, identifier))
        else:
            message.attempts += 1
            message.note(self.world, f"PUBLISH {identifier}{' DUP' if duplicate else ''}, expiry {message.expiry}")
            self.connection.send(publish(self.version, message.topic, message.on_wire, message.qos, identifier,
                                         duplicate, message.retain, message.expiry))

    async def read(self):
        while True:
            received = await self.connection.receive()
            if received.kind == DISCONNECT:
                self.told_to_go(received)
            self.world.counts[NAMES[received.kind]] += 1
            exchange = self.inflight.get(received.identifier)
            if received.kind not in (PUBACK, PUBREC, PUBCOMP):
                self.world.fail(f"{self.name} got {NAMES[received.kind]}")
            if exchange is None:
                self.world.fail(f"{self.name} got {NAMES[received.kind]} for {received.identifier}, not in use")
            self.answered(received, exchange)

    def answered(self, received, exchange):
        message, identifier = exchange.message, received.identifier
        message.note(self.world, f"{NAMES[received.kind]} {identifier} {received.reason:#x}")
        is_known_gone = received.kind == PUBCOMP and received.reason == 0x92
        if received.reason >= 0x80 and not is_known_gone:
            self.world.fail(f"{self.name}: reason {received.reason:#x}", message)
        if (received.kind == PUBACK) != (message.qos == 1):
            self.world.fail(f"{self.name}: {NAMES[received.kind]} for QoS {message.qos}", message)
        if received.kind == PUBCOMP and not exchange.is_received:
            self.world.fail(f"{self.name}: PUBCOMP before PUBREL", message)
        if message.acknowledged is None:
            self.acknowledged_first(message)
        if received.kind == PUBREC:
            exchange.is_received = True
            self.send(identifier, exchange)
        else:
            del self.inflight[identifier]

    def acknowledged_first(self, message):
        message.acknowledged = self.world.tick()
        if message.expiry is not None:
            message.expires_at = time.monotonic() + message.expiry
