"""Clients with wills: cut by themselves, by the broker's death, or saying goodbye; and clients whose sessions come
and go."""
import asyncio
import time

from packets import Connection, DISCONNECT, Lost
from world import Client, Message


class WillClient(Client):
    def __init__(self, world, name, version):
        super().__init__(world, name, version)
        self.number = 0
        self.is_idle = False
        self.waiting = None  # the last will, while its delay may still be ended by a reconnect

    async def run(self):
        while not self.world.is_over:
            self.is_idle = self.world.is_draining
            if self.is_idle:
                await asyncio.sleep(0.05)
                continue
            await self.live()
            await self.pause(1.5)

    def make_will(self):
        self.number += 1
        delay = self.random.choice([0, 0, 1, 2]) if self.version == 5 else 0
        payload = f"{self.name} {self.number} will".encode()
        message = Message(self.world, self.name, f"w/{self.name}", self.random.choice([1, 2]), self.number, payload)
        message.is_will, message.delay = True, delay
        message.sent = self.world.tick()
        message.least, message.most = 0, 1
        message.on_wire = payload
        return message

    async def live(self):
        will = self.make_will()
        keeps = will.delay > 0 or self.chance(0.5)
        self.world.pending.append(will)
        previous = self.waiting
        if previous and self.chance(0.6):
            await self.published(previous)
        try:
            await self.world.up.wait()
            if previous and not any(previous.delivered.values()):
                previous.least = 0  # unless this CONNECT comes too late
                previous.note(self.world, f"{self.name} connects again: its will may be given up")
            will.note(self.world, f"{self.name} CONNECT, delay {will.delay}, version {self.version}, keeps {keeps}")
            await self.connect(Connection, keeps=keeps, will=(will.topic, will.payload, will.qos, False, will.delay))
        except Lost:
            will.note(self.world, "no CONNACK")
            self.waiting = None
            return
        if previous and previous.least == 0 and time.monotonic() < previous.not_before - 0.3:
            if not previous.delivered:
                previous.most = 0
                previous.note(self.world, f"{self.name} is back before the delay was over: no will")
        will.note(self.world, "CONNACK")
        will.least = 1
        await self.stay(will)
        self.waiting = will if will.delay else None

    async def stay(self, will):
        """Until the broker dies, or this client has had enough."""
        reading = self.connection.receiving()
        limit = 30 if self.chance(0.6) else self.random.random() * 2
        began = time.monotonic()
        while not reading.done() and time.monotonic() - began < limit and not self.world.is_draining:
            await asyncio.wait([reading], timeout=0.1)
        if reading.done():
            is_told = reading.exception() is None and reading.result().kind == DISCONNECT
            self.connection.abort()
            will.not_before = self.world.killed_at + will.delay
            will.note(self.world, f"{self.name} lost the broker")
            if not self.world.is_dying and not is_told:
                await self.ended("with a will")
            return
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
        will.not_before = time.monotonic() + will.delay
        if self.chance(0.5):
            will.note(self.world, f"{self.name} drops its connection")
            self.connection.abort()
        else:
            await self.say_goodbye(will)

    async def say_goodbye(self, will):
        will.note(self.world, f"{self.name} DISCONNECT")
        will.least = 0
        await self.connection.close()
        # The standard has no acknowledgement of DISCONNECT: a broker that dies at once may not know of it.
        before = self.world.killed_at
        await asyncio.sleep(1)
        if self.world.killed_at == before and not self.world.is_dying:
            will.most = 0
            will.note(self.world, "was closed: no will")
            if will.delivered:
                self.world.fail("a will was published after DISCONNECT", will)

    async def published(self, will):
        while not will.delivered and not self.world.is_draining and not self.world.is_over:
            await asyncio.sleep(0.1)


class Guest(Client):
    """Connects with and without a lasting session; Session Present has to tell which it was."""

    async def run(self):
        while not self.world.is_over:
            keeps = self.chance(0.6)
            try:
                await self.connect(Connection, clean=self.version == 5 and self.chance(0.2), keeps=keeps)
                reading = self.connection.receiving()
                await asyncio.wait([reading], timeout=self.random.random() * 2)
                if reading.done():
                    reading.result()
                    raise Lost
                reading.cancel()
                await asyncio.gather(reading, return_exceptions=True)
                if self.chance(0.5):
                    self.connection.abort()
                    if not keeps:
                        self.session = "either"  # the next CONNECT may come before the end of this connection
                else:
                    await self.connection.close()
            except Lost:
                if self.connection:
                    self.connection.abort()
            await self.pause(0.3)
