"""A client with its random source, and the truth about its session as far as the client can know it."""
import asyncio
import time

from packets import CONNACK, NAMES, NEVER, Connection, Lost, connect


class Client:
    def __init__(self, world, name, version):
        self.world, self.name, self.version = world, name, version
        self.random = world.child(name)
        self.session = "none"  # none, exists, either
        self.expiry = NEVER  # seconds, of the last connection
        self.is_fickle = False  # its sessions come and go
        self.is_lost = False  # the next CONNECT has to start clean
        self.closed_at = time.monotonic()
        self.connection = self.left_open = None  # left_open: a connection that the next CONNECT takes over
        self.connections, self.broker_start = 0, 0  # how many; to which start of the broker the last one is
        self.connected_at = 0  # when CONNACK came, in the logical clock
        self.identifier = 0

    @property
    def is_let_off(self):
        """Whether the broker has a reason to refuse it now."""
        return False

    def chance(self, probability):
        return self.random.random() < probability

    def pause(self, longest):
        return asyncio.sleep(self.random.random() * longest)

    async def connect(self, clean=False, expiry=NEVER, **options):
        """Connects when the broker is up and checks Session Present. `expiry`: seconds that the session outlives the
        connection; in 3.1.1 there are only 0 and NEVER.
        - Returns: whether a session was there."""
        world = self.world
        await world.up.wait()
        is_clean = clean or self.is_lost or (self.version == 4 and expiry == 0)
        if self.version == 4 and is_clean:
            expiry = 0
        keeps = expiry > 0
        connection = await Connection.open(self.version, world.port)
        self.takes_over()
        before, latest_end = self.session, world.latest_knowledge(self.closed_at) + self.expiry
        earliest_end, asked_at = self.closed_at + self.expiry, time.monotonic()
        self.session = "either" if (before != "none" or keeps) else "none"
        if before == "exists" and keeps and not is_clean and NEVER in (self.expiry, expiry) and self.expiry == expiry:
            self.session = "exists"
        self.broker_start = world.starts
        # Without CONNACK it cannot know whose session it finds the next time.
        self.is_lost = self.is_fickle and (is_clean or before != "exists" or self.expiry != NEVER)
        connection.send(connect(self.version, self.name, is_clean, expiry=expiry, **options))
        try:
            answer = await asyncio.wait_for(connection.receive(), 60)
        except asyncio.TimeoutError:
            world.fail(f"{self.name} got no CONNACK for 60 s")
        if answer.kind != CONNACK or answer.reason:
            if world.is_dying or self.is_let_off:
                connection.abort()
                raise Lost
            world.fail(f"{self.name}: CONNECT was answered by {NAMES[answer.kind]}, reason {answer.reason:#x}")
        world.counts["CONNACK"] += 1
        self.connected_at = world.tick()
        if before == "exists" and 0 < self.expiry < NEVER:
            before = self.expired(asked_at, earliest_end, latest_end)
        expected = (False,) if is_clean else {"none": (False,), "exists": (True,), "either": (False, True)}[before]
        if answer.present not in expected:
            world.fail(f"{self.name}: Session Present is {answer.present}, the session before: {before}, clean start "
                       f"{is_clean}, expiry {self.expiry} s, {asked_at - self.closed_at:.1f} s after its connection")
        world.event(f"{self.name} connected, session present {answer.present}, clean {is_clean}, expiry {expiry}", self.name)
        self.session, self.expiry = "exists" if keeps else "none", expiry
        self.connection, self.is_lost = connection, False
        self.connections += 1
        if self.left_open:
            self.left_open.abort()
            self.left_open = None
        return answer.present

    def expired(self, asked_at, earliest_end, latest_end):
        """Time that is counted in whole seconds may be up a second late."""
        if time.monotonic() < earliest_end - 0.3:
            return "exists"
        if asked_at > latest_end + 2 + self.world.lag:
            self.world.counts["expired"] += 1
            return "none"
        return "either"

    def keeps_open(self):
        """Leaves the connection as it is: the next CONNECT takes the session over."""
        self.world.event(f"{self.name} leaves its connection open", self.name)
        self.left_open, self.closed_at = self.connection, time.monotonic()

    def takes_over(self):
        if self.left_open:
            ends = (began for kind, began, _ in self.world.disturbances if kind == "end" and began > self.closed_at)
            self.closed_at = next(ends, time.monotonic())

    def closed(self):
        """Its connection has ended: by this client now, or with the broker."""
        self.world.event(f"{self.name} closes", self.name)
        self.closed_at = self.world.killed_at if self.world.is_dying else time.monotonic()

    def told_to_go(self, disconnect):
        """DISCONNECT came."""
        if not self.world.is_dying:
            self.world.fail(f"{self.name} got DISCONNECT {disconnect.reason:#x}")
        raise Lost

    async def ended(self, why):
        """The connection ended though this client did not want it: only right if the broker is dying."""
        if not self.world.is_dying:
            await asyncio.sleep(0.3)
        if not self.world.is_dying and self.world.killed_at < time.monotonic() - 3:
            self.world.fail(f"the broker closed the connection of {self.name}: {why}")
        self.closed_at = min(time.monotonic(), self.world.killed_at)
        if self.left_open:
            self.left_open.abort()
            self.left_open = None
        if self.connection:
            self.connection.abort()
        await self.pause(0.05)
