"""Clients whose sessions come and go; Session Present has to tell which it was, and nothing may outlive its session."""
import asyncio

from client import Client
from packets import Lost, NEVER
from subscribers import Subscriber


class Passing(Subscriber):
    """A subscriber that starts clean now and then, or whose session ends some seconds after its connection, also while
    the broker is down."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.is_fickle = True

    def options(self):
        if self.version == 4:
            return {"expiry": self.random.choice([0, NEVER, NEVER])}
        return {"expiry": self.random.choice([0, 1, 1, 2, 2, NEVER]), "clean": self.chance(0.15)}

    async def away(self):
        await self.pause(self.random.choice([0.5, 4]))


class Guest(Client):
    """Connects with and without a lasting session."""

    async def run(self):
        while not self.world.is_over:
            keeps = self.chance(0.6)
            try:
                await self.connect(clean=self.version == 5 and self.chance(0.2), expiry=NEVER if keeps else 0)
                reading = self.connection.receiving()
                await asyncio.wait([reading], timeout=self.random.random() * 2)
                if reading.done():
                    reading.result()
                    raise Lost
                reading.cancel()
                await asyncio.gather(reading, return_exceptions=True)
                self.closed()
                if self.chance(0.5):
                    self.connection.abort()
                    if not keeps:
                        self.session = "either"  # the next CONNECT may come before the end of this connection
                else:
                    await self.connection.close()
            except Lost:
                self.closed()
                if self.connection:
                    self.connection.abort()
            await self.pause(0.3)
