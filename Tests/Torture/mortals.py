"""Clients with wills that end their connections without a DISCONNECT, or lose them."""
import asyncio
import time

from packets import (PUBCOMP, PUBLISH, PUBREC, PUBREL, SUBACK, Lost, acknowledgement, subscribe)


class Mortal:
    """Each connection that got its CONNACK has a will of its own; its client never says goodbye."""

    def __init__(self, world, name):
        self.world, self.name, self.number, self.accepted = world, name, 0, []

    async def run(self):
        while not self.world.is_over:
            self.number += 1
            number = self.number
            will = (f"w/{self.name}", str(number).encode(), 2, False, 0)
            connection = await self.world.try_session(self.name, clean=True, will=will)
            if not connection:
                await asyncio.sleep(0.1)
                continue
            self.accepted.append(number)
            end = time.monotonic() + self.world.random.random() * 5
            try:
                while time.monotonic() < end and not self.world.is_over:
                    await asyncio.wait_for(connection.receive(), end - time.monotonic() + 0.01)
            except (Lost, asyncio.TimeoutError):
                pass
            self.world.event(f"{self.name} cuts the connection with will {number}")
            connection.abort()
            if self.world.random.random() < 0.7:
                await asyncio.sleep(self.world.random.random() * 2)


class Undertaker:
    """A lasting session that gets all wills, each once."""

    def __init__(self, world, mortals):
        self.world, self.mortals, self.got, self.unreleased, self.is_subscribed = world, mortals, {}, set(), False

    async def run(self):
        is_known = False
        while True:
            connection = await self.world.session("undertaker", is_known)
            is_known = True
            try:
                if not self.is_subscribed:
                    connection.send(subscribe(4, 1, [("w/#", 2)]))
                end = time.monotonic() + self.world.random.random() * 8
                while time.monotonic() < end:
                    self.take(connection, await asyncio.wait_for(connection.receive(), end - time.monotonic() + 0.01))
            except (Lost, asyncio.TimeoutError):
                pass
            connection.abort()

    def take(self, connection, packet):
        if packet.kind == SUBACK:
            self.is_subscribed = True
        elif packet.kind == PUBREL:
            self.unreleased.discard(packet.identifier)
            connection.send(acknowledgement(PUBCOMP, packet.identifier))
        elif packet.kind == PUBLISH:
            if packet.identifier not in self.unreleased:
                self.unreleased.add(packet.identifier)
                key = (packet.topic[2:], int(packet.payload))
                self.got[key] = self.got.get(key, 0) + 1
                self.world.event(f"will {key}")
                self.world.count("wills")
                if self.got[key] > 1:
                    raise self.world.broken(f"the will {key} came twice")
            connection.send(acknowledgement(PUBREC, packet.identifier))

    def missing(self):
        return [(one.name, number) for one in self.mortals for number in one.accepted
                if (one.name, number) not in self.got]
