"""One client does one thing after another, then the broker dies and the end of its write-ahead log is cut or damaged: what
the next broker serves has to be what held after some first part of all that was done, and no less than what was safe."""
import asyncio
import os
import shutil
import signal
import struct
import time

from broker import Broker
from client import Client
from killing import watched
from packets import (NEVER, PINGREQ, PINGRESP, PUBACK, PUBCOMP, PUBLISH, PUBREC, PUBREL, SUBACK, UNSUBACK,
                     acknowledgement, publish, subscribe, unsubscribe)
from powercut import NAMES, PowerCut
from retained import look
from world import Failure

TOPICS = [("q/0", 1), ("q/1", 2), ("q/2", 1)]
RETAINED = ["r/0", "r/1", "r/2"]
SESSIONS = ["h0", "h1", "h2"]


class State:
    """What can be seen of a broker: queues by session and topic, the topics that a session has subscribed to, retained
    messages."""

    def __init__(self, other=None):
        self.queues = {key: dict(value) for key, value in other.queues.items()} if other else {}
        self.filters = {key: set(value) for key, value in other.filters.items()} if other else {}
        self.retained = dict(other.retained) if other else {}

    def __eq__(self, other):
        return (self.queues, self.filters, self.retained) == (other.queues, other.filters, other.retained)

    def after(self, step):
        state, (kind, *rest) = State(self), step
        if kind == "begin":
            state.filters[rest[0]], state.queues[rest[0]] = set(), {}
        elif kind == "end":
            del state.filters[rest[0]], state.queues[rest[0]]
        elif kind == "subscribe":
            state.filters[rest[0]].add(rest[1])
        elif kind == "unsubscribe":
            state.filters[rest[0]].remove(rest[1])
        elif kind == "publish":
            topic, _, payload = rest
            for name, topics in state.filters.items():
                if topic in topics:
                    state.queues[name][topic] = state.queues[name].get(topic, ()) + (payload,)
        elif rest[1]:
            state.retained[rest[0]] = rest[1]
        else:
            state.retained.pop(rest[0], None)
        return state

    def describe(self):
        queues = {name: {topic: len(list) for topic, list in queue.items()} for name, queue in self.queues.items()}
        return f"queues {queues}, filters {self.filters}, retained {self.retained}"


class WriteAheadLog:
    """Where the log is, by the index that SQLite shares between processes and that outlives a kill."""

    def __init__(self, data):
        self.path, self.index = os.path.join(data, NAMES[2]), os.path.join(data, NAMES[1] + "-shm")

    def position(self):
        """(which log, committed frames, frames that may have been moved to the file)"""
        with open(self.index, "rb") as file:
            header = file.read(136)
        frames, = struct.unpack_from("=I", header, 16)
        moved = max(struct.unpack_from("=I", header, 96)[0], struct.unpack_from("=I", header, 128)[0])
        return header[32:40], frames, moved

    def offset(self, frames):
        return 32 + frames * 4120 if frames else 0

    def damage(self, kind, least, random):
        """Nothing before the frame `least` is touched. Returns the frames that are whole, as far as that is known."""
        size = os.path.getsize(self.path)
        start = min(self.offset(least), size)
        at = random.randint(start, size)
        with open(self.path, "r+b") as file:
            if kind == "cut":
                file.truncate(at)
            elif kind == "zeros":
                file.seek(at)
                file.write(bytes(size - at))
            elif kind == "flip" and at < size:
                file.seek(at)
                byte = file.read(1)[0]
                file.seek(at)
                file.write(bytes([byte ^ 1 << random.randrange(8)]))
            elif kind == "rubbish":
                file.seek(size)
                file.write(random.randbytes(random.randint(1, 20_000)))
                at = size
        return max(least, (at - 32) // 4120)


class History:
    def __init__(self, world, options, directory):
        self.world, self.options, self.directory = world, options, directory
        self.broker = Broker(world, options.broker, directory, options.durability, options.shards)
        self.log = WriteAheadLog(self.broker.data)
        self.state, self.number = State(), 0
        self.kinds, self.lost, self.refused, self.steps = {}, 0, 0, 0

    async def run(self):
        await watched(self.world, self.rounds())
        await self.broker.close()

    async def rounds(self):
        began = time.monotonic()
        for number in range(1, self.options.rounds + 1):
            if self.options.seconds and time.monotonic() - began > self.options.seconds:
                break
            self.world.round = number
            kind = self.world.random.choice(["cut", "cut", "flip", "zeros", "rubbish", "power"])
            self.kinds[kind] = self.kinds.get(kind, 0) + 1
            self.broker.power = PowerCut(self.directory, self.broker.data) if kind == "power" else None
            await self.broker.start()
            states, safe = await self.work()
            await self.broker.end(signal.SIGKILL, "kill -9")
            self.log_length = os.path.getsize(self.broker.log_path)
            if kind != "power":
                safe = self.damage(kind, safe)
            else:
                safe = [known for known, _ in safe][-1] if self.options.durability == "commit" else 0
            await self.judge(kind, states, safe)

    # MARK: Working

    async def work(self):
        """Returns all states in turn, and for each that was acknowledged where the log was then."""
        self.clerk = Client(self.world, f"clerk{self.world.round}", 5)
        states, safe = [self.state], [(0, self.log.position())]
        await self.clerk.connect(clean=True, expiry=0)
        count = self.world.random.choice([10, 50, 150])
        try:
            async with asyncio.timeout(self.world.random.random() * count * 0.02 + 0.1):
                for _ in range(count):
                    step = self.choose(states[-1])
                    states.append(states[-1].after(step))
                    await self.do(step)
                    self.steps += 1
                    safe.append((len(states) - 1, self.log.position()))
                    if self.world.chance(0.03):
                        await asyncio.sleep(0.15)  # the broker moves its log when it has nothing else to do
        except TimeoutError:
            pass
        return states, safe

    def choose(self, state):
        random = self.world.random
        self.number += 1
        name, (topic, qos) = random.choice(SESSIONS), random.choice(TOPICS)
        payload = f"{self.number} ".encode() + b"x" * random.choice([0, 100, 5000])
        if random.random() < 0.3:
            return "retain", random.choice(RETAINED), random.choice([payload, payload, b""])
        if name not in state.filters:
            return "begin", name
        if random.random() < 0.2 and topic not in state.filters[name]:
            return "subscribe", name, topic, qos
        if random.random() < 0.1 and topic in state.filters[name] and not state.queues[name].get(topic):
            return "unsubscribe", name, topic
        if random.random() < 0.03:
            return "end", name
        return "publish", topic, qos, payload

    async def do(self, step):
        kind, *rest = step
        if kind == "publish":
            return await self.publish(*rest)
        if kind == "retain":
            return await self.publish(rest[0], 1, rest[1], retain=True)
        client = Client(self.world, rest[0], 5)
        client.session = "none" if kind == "begin" else "exists"
        await client.connect(clean=kind == "end", expiry=0 if kind == "end" else NEVER)
        if kind == "subscribe":
            client.connection.send(subscribe(5, 1, [(rest[1], rest[2])]))
            await self.expect(client.connection, SUBACK)
        elif kind == "unsubscribe":
            client.connection.send(unsubscribe(5, 1, [rest[1]]))
            await self.expect(client.connection, UNSUBACK)
        client.connection.abort()

    async def publish(self, topic, qos, payload, retain=False):
        connection = self.clerk.connection
        connection.send(publish(5, topic, payload, qos, 1, retain=retain))
        await self.expect(connection, PUBACK if qos == 1 else PUBREC)
        if qos == 2:
            connection.send(acknowledgement(PUBREL, 1))
            await self.expect(connection, PUBCOMP)

    async def expect(self, connection, kind):
        while True:
            received = await connection.receive()
            if received.kind == kind:
                self.world.counts["answers"] += 1
                return received

    # MARK: Damage and judgement

    def damage(self, kind, safe):
        """Returns the last state that is safe."""
        generation, frames, moved = self.log.position()
        least = moved
        if self.options.durability == "commit":
            least = max([moved] + [position[1] for _, position in safe if position[0] == generation])
        whole = self.log.damage(kind, least, self.world.random)
        self.world.event(f"{kind}: {whole} of {frames} frames are whole, {moved} were moved")
        # What an earlier log held is in the file.
        return max((state for state, (log, at, _) in safe if log != generation or at <= whole), default=0)

    async def judge(self, kind, states, safe):
        has_log = os.path.exists(self.log.path) and os.path.getsize(self.log.path) > 0
        try:
            await self.broker.start()
        except Failure:
            if not (kind == "power" and self.options.durability == "none" and self.is_refused()):
                raise
            self.forgive()
            self.state = State()
            return
        if has_log:
            self.check_that_it_says_so()
        found = await self.observe(states)
        matching = [number for number, state in enumerate(states) if state == found]
        self.world.event(f"the state after step {matching} of {len(states) - 1}, {safe} were safe")
        is_torn = kind == "power" and self.options.durability == "none"
        if not matching and not is_torn:
            self.world.fail(f"what is there after '{kind}' never held: {found.describe()}; in the end it was "
                            f"{states[-1].describe()}")
        if matching and matching[-1] < safe:
            self.world.fail(f"step {safe} was safe, the state is that after step {matching[-1]} of {len(states) - 1}")
        self.lost += len(states) - 1 - matching[-1] if matching else 0
        await self.forget(found)
        self.broker.power = None
        await self.broker.end(signal.SIGTERM, "SIGTERM")

    def check_that_it_says_so(self):
        with open(self.broker.log_path) as file:
            if "had not been stopped" not in file.read()[self.log_length:]:
                self.world.fail("the broker did not say that it had not been stopped")

    def is_refused(self):
        with open(self.broker.log_path) as file:
            return "is damaged" in file.read()[-2000:] and self.broker.process.returncode == 1

    def forgive(self):
        """With `none` a power cut may damage the file; then the broker says so. It begins anew."""
        self.refused += 1
        self.world.failure = None
        self.world.failed.clear()
        shutil.rmtree(self.broker.data)

    async def observe(self, states):
        """Takes everything that waits, then sees by new messages who has subscribed to what."""
        state, known = State(), set().union(*(queue for each in states for list in each.queues.values()
                                              for queue in list.values()))
        state.retained = await look(self.world, 5, "r/#")
        clients = {name: Client(self.world, name, 5) for name in SESSIONS}
        for name, client in clients.items():
            client.session = "either"
            if await client.connect():
                state.filters[name], state.queues[name] = set(), {}
        for name, client in clients.items():
            for topic, payload in await self.take(client):
                if payload not in known:
                    self.world.fail(f"{name} got {payload[:40]!r} on {topic}, which nobody published")
                state.queues[name][topic] = state.queues[name].get(topic, ()) + (payload,)
        self.clerk = Client(self.world, f"clerk{self.world.round}-after", 5)
        await self.clerk.connect(clean=True, expiry=0)
        for topic, _ in TOPICS:
            await self.publish(topic, 1, b"probe")
        for name, client in clients.items():
            state.filters.get(name, set()).update(topic for topic, _ in await self.take(client))
            client.connection.abort()
        self.clerk.connection.abort()
        return state

    async def take(self, client):
        """What comes until nothing more does, each message once."""
        connection, found, held = client.connection, [], set()
        connection.send(PINGREQ)
        patience = 30
        while True:
            try:
                received = await asyncio.wait_for(connection.receive(), patience)
            except asyncio.TimeoutError:
                return found
            if received.kind == PINGRESP:
                patience = 0.15
            elif received.kind == PUBLISH and received.qos == 1:
                found.append((received.topic, received.payload))
                connection.send(acknowledgement(PUBACK, received.identifier))
            elif received.kind == PUBLISH:
                if received.identifier not in held:
                    found.append((received.topic, received.payload))
                held.add(received.identifier)
                connection.send(acknowledgement(PUBREC, received.identifier))
            elif received.kind == PUBREL:
                held.discard(received.identifier)
                connection.send(acknowledgement(PUBCOMP, received.identifier))

    async def forget(self, found):
        for name in SESSIONS:
            client = Client(self.world, name, 5)
            await client.connect(clean=True, expiry=0)
            await client.connection.close()
        self.state = State()
        self.state.retained = found.retained

    def summary(self):
        kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(self.kinds.items()))
        return (f"{self.world.round} rounds ({kinds}), {self.steps} steps acknowledged, {self.lost} of them and of those "
                f"under way lost where that is allowed, {self.refused} damaged files refused; longest start "
                f"{self.broker.longest_start:.2f} s")
