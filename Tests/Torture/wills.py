"""Clients with wills: cut by themselves, by the broker's death, taken over, or saying goodbye."""
import asyncio
import time

from client import Client
from packets import DISCONNECT, Lost, NEVER
from world import Message


class WillClient(Client):
    def __init__(self, world, name, version):
        super().__init__(world, name, version)
        self.number = 0
        self.is_idle = False
        self.waiting = None  # the last will, while its delay may still be ended by a reconnect
        self.wills = []

    @property
    def last_published(self):
        """The last retained will that somebody got."""
        return next((will for will in reversed(self.wills) if will.retain and will.delivered), None)

    async def run(self):
        while not self.world.is_over:
            self.is_idle = self.world.is_draining and not self.left_open
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
        message.is_will, message.delay, message.retain = True, delay, self.chance(0.4)
        # The will is published when the session ends, though its delay is not over.
        message.keeps = 1 if delay > 1 and self.chance(0.3) else NEVER if delay or self.chance(0.5) else 0
        message.waits = min(delay, message.keeps)
        message.sent = self.world.tick()
        message.least, message.most = 0, 1
        self.wills.append(message)
        return message

    async def live(self):
        will = self.make_will()
        self.world.pending.append(will)
        previous = self.waiting
        if previous and self.chance(0.6):
            await self.published(previous)
        try:
            await self.world.up.wait()
            if previous and not any(previous.delivered.values()):
                previous.least = 0  # unless this CONNECT comes too late
                previous.note(self.world, f"{self.name} connects again: its will may be given up")
            will.note(self.world, f"{self.name} CONNECT, delay {will.delay}, version {self.version}, expiry {will.keeps}, "
                                  f"retain {will.retain}")
            await self.connect(
                expiry=will.keeps, will=(will.topic, will.payload, will.qos, will.retain, will.delay))
        except Lost:
            if self.left_open:
                self.left_open.abort()
                self.left_open = None
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
        self.waiting = will if will.waits else None

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
            will.not_before = self.world.killed_at + will.waits
            will.note(self.world, f"{self.name} lost the broker")
            if not self.world.is_dying and not is_told:
                await self.ended("with a will")
            self.closed()
            return
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
        will.not_before = time.monotonic() + will.waits
        how = self.random.random()
        if how < 0.2:
            will.note(self.world, f"{self.name} leaves its connection to a takeover")
            self.keeps_open()
        elif how < 0.6:
            will.note(self.world, f"{self.name} drops its connection")
            self.closed()
            self.connection.abort()
        else:
            self.closed()
            await self.say_goodbye(will)

    async def say_goodbye(self, will):
        will.note(self.world, f"{self.name} DISCONNECT")
        will.least = 0
        # The standard has no acknowledgement of DISCONNECT: a broker that dies at once may not know of it, or is dead.
        before, was_dying = self.world.killed_at, self.world.is_dying or not self.world.up.is_set()
        await self.connection.close()
        await asyncio.sleep(1)
        if self.world.killed_at == before and not was_dying and not self.world.is_dying:
            will.most = 0
            will.note(self.world, "was closed: no will")
            if will.delivered:
                self.world.fail("a will was published after DISCONNECT", will)

    async def published(self, will):
        while not will.delivered and not self.left_open and not self.world.is_draining and not self.world.is_over:
            await asyncio.sleep(0.1)
