"""What everybody knows: the messages and what has happened to each, the broker's state, and the first failure."""
import asyncio
import random
import time


class Message:
    """One publication, known by its payload. Times are those of the logical clock of the world."""

    def __init__(self, world, publisher, topic, qos, number, payload):
        self.publisher, self.topic, self.qos, self.number, self.payload = publisher, topic, qos, number, payload
        self.sent = self.acknowledged = None
        self.delivered = {}  # receiver -> times
        self.least, self.most = 1, None  # of a will: how often it may be delivered
        self.not_before = 0.0  # of a will: seconds of the monotonic clock
        self.is_will = False
        self.history = []
        world.messages[payload] = self

    def note(self, world, text):
        self.history.append((time.monotonic(), world.tick(), text))


class Failure(Exception):
    """A promise was broken."""


class World:
    def __init__(self, seed, verbose=False):
        self.seed = seed
        self.random = random.Random(seed)
        self.verbose = verbose
        self.messages, self.pending = {}, []  # pending: those not yet checked against every receiver
        self.receivers = []
        self.time, self.start, self.round = 0, time.monotonic(), 0
        self.port, self.up, self.is_dying = None, asyncio.Event(), True
        self.killed_at, self.ready_at = 0.0, 0.0
        self.is_publishing, self.is_draining, self.is_over = True, False, False
        self.failure, self.failed = None, asyncio.Event()
        self.events = []
        self.duplicates = 0
        self.progress = time.monotonic()

    def check(self):
        """Ends whoever goes on after a failure."""
        if self.failure is not None:
            raise Failure(self.failure[0])

    def tick(self):
        self.time += 1
        return self.time

    def event(self, text):
        self.check()
        self.events.append((time.monotonic(), self.tick(), text))
        if self.verbose:
            print(f"{time.monotonic() - self.start:9.3f} {text}", flush=True)

    def fail(self, text, message=None):
        """Keeps the first failure; whoever found it goes no further."""
        if self.failure is None:
            self.failure = (text, message, self.round)
            self.failed.set()
        raise Failure(text)

    def chance(self, probability):
        return self.random.random() < probability

    def child(self, name):
        """A random source of its own, so that one client's timing does not change what another does."""
        return random.Random(f"{self.seed} {name}")

    def delivered(self, message, receiver, text, is_exact):
        """Notes a delivery. `is_exact`: there may be only one."""
        self.progress = time.monotonic()
        message.note(self, text)
        count = message.delivered.get(receiver, 0) + 1
        message.delivered[receiver] = count
        if count > 1:
            self.duplicates += 1
            if is_exact:
                self.fail(f"{receiver} got a QoS 2 message {count} times", message)
        if message.is_will:
            if message.most is not None and count > message.most and is_exact:
                self.fail(f"{receiver} got a will that must not be published", message)
            if time.monotonic() < message.not_before - 0.2:
                early = message.not_before - time.monotonic()
                self.fail(f"{receiver} got a will {early:.1f} s before its delay was over", message)

    def report(self):
        text, message, number = self.failure
        lines = [f"FAILED: {text}", f"seed {self.seed}, round {number}"]
        first = self.events[-12][0] if len(self.events) > 12 else self.start
        rows = []
        if message is not None:
            lines.append(f"message {message.payload[:40]!r} from {message.publisher} on {message.topic}, QoS {message.qos}")
            rows += message.history
            first = min([first] + [row[0] for row in message.history])
        rows += [row for row in self.events if row[0] >= first - 1]
        lines += [f"{when - self.start:9.3f}  {what}" for when, _, what in sorted(rows)]
        return "\n".join(lines)


class Client:
    """A client with its random source, and the truth about its session as far as the client can know it."""

    def __init__(self, world, name, version):
        self.world, self.name, self.version = world, name, version
        self.random = world.child(name)
        self.session = "none"  # none, exists, either
        self.connection = None
        self.identifier = 0

    def chance(self, probability):
        return self.random.random() < probability

    def pause(self, longest):
        return asyncio.sleep(self.random.random() * longest)

    async def connect(self, opened, clean=False, keeps=True, **options):
        """Connects when the broker is up and checks Session Present. `keeps`: the session outlives the connection.
        - Returns: whether a session was there."""
        from packets import CONNACK, NEVER, Lost, connect
        await self.world.up.wait()
        is_clean = clean or (self.version == 4 and not keeps)
        connection = await opened.open(self.version, self.world.port)
        before = self.session
        self.session = "either" if (before != "none" or keeps) else "none"
        if before == "exists" and keeps and not is_clean:
            self.session = "exists"
        expiry = options.pop("expiry", NEVER if keeps else 0)
        connection.send(connect(self.version, self.name, is_clean, expiry=expiry, **options))
        try:
            answer = await asyncio.wait_for(connection.receive(), 60)
        except asyncio.TimeoutError:
            self.world.fail(f"{self.name} got no CONNACK for 60 s")
        if answer.kind != CONNACK or answer.reason:
            if self.world.is_dying:
                connection.abort()
                raise Lost
            self.world.fail(f"{self.name}: CONNECT was answered by type {answer.kind}, reason {answer.reason:#x}")
        may_be = {"none": (False,), "exists": (True,), "either": (False, True)}[before]
        expected = (False,) if is_clean else may_be
        if answer.present not in expected:
            self.world.fail(f"{self.name}: Session Present is {answer.present}, the session before: {before}, "
                            f"clean start {is_clean}")
        self.session = "exists" if keeps else "none"
        if not keeps and self.version == 5:
            self.session = "none"
        self.connection = connection
        return answer.present

    async def ended(self, why):
        """The connection ended though this client did not want it: only right if the broker is dying."""
        if not self.world.is_dying:
            await asyncio.sleep(0.3)
        if not self.world.is_dying and self.world.killed_at < asyncio.get_running_loop().time() - 3:
            self.world.fail(f"the broker closed the connection of {self.name}: {why}")
        if self.connection:
            self.connection.abort()
        await self.pause(0.05)
