"""A data directory on a small file system that is full now and then: nothing acknowledged is lost, publishers are told,
and when space returns the broker goes on by itself."""
import asyncio
import errno
import os
import signal
import subprocess
import sys
import time

from broker import Broker
from client import Client
from killing import drain, watched
from packets import CONNACK, Connection, Lost, PUBLISH, connect, publish, subscribe
from publishers import Publisher
from retained import RetainedPublisher, check_retained
from subscribers import Subscriber
from world import Failure

MEGABYTES = 48
QUOTA_EXCEEDED = 0x97


def in_own_mounts():
    """Starts this program again where what it mounts is seen by nobody else, and is gone when it ends.
    - Returns: why that is not possible."""
    if os.environ.get("TORTURE_MOUNTS") == "own":
        return None
    command = ["unshare", "--mount"] + ([] if os.geteuid() == 0 else ["--map-root-user"])
    try:
        probe = subprocess.run(command + ["mount", "-t", "tmpfs", "none", "/mnt"], capture_output=True, text=True)
    except OSError as error:
        return str(error)
    if probe.returncode != 0:
        return probe.stderr.strip()
    os.environ["TORTURE_MOUNTS"] = "own"
    os.execvp(command[0], command + [sys.executable] + sys.argv)


class Tolerant:
    """What a client puts up with while the disk is full: its connection is closed."""

    @property
    def is_let_off(self):
        return self.world.is_full or time.monotonic() < self.world.freed_at + 2

    def told_to_go(self, disconnect):
        if self.is_let_off:
            raise Lost
        super().told_to_go(disconnect)

    async def ended(self, why):
        if self.is_let_off:
            self.closed()
            self.connection.abort()
            return await self.pause(0.2)
        await super().ended(why)


class PatientSubscriber(Tolerant, Subscriber):
    pass


class PatientPublisher(Tolerant, Publisher):
    def answered(self, received, exchange):
        message = exchange.message
        if received.reason != QUOTA_EXCEEDED or exchange.is_received:
            if message.attempts == 1:
                self.world.accepted_at = time.monotonic()
            return super().answered(received, exchange)
        message.note(self.world, "refused")
        if not self.world.is_full and time.monotonic() > self.world.freed_at + 5:
            self.world.fail(f"{self.name}: refused though there is room", message)
        self.world.counts["refused"] += 1
        # One that was sent again may have been taken the first time.
        message.is_refused = message.attempts == 1
        if message in self.world.pending:
            self.world.pending.remove(message)
        del self.inflight[received.identifier]


class PatientRetainedPublisher(PatientPublisher, RetainedPublisher):
    """One version at a time: a refused one leaves the one before."""

    def answered(self, received, exchange):
        super().answered(received, exchange)
        if exchange.message.is_refused:
            self.versions[exchange.message.topic].remove(exchange.message)
            for number, message in enumerate(self.versions[exchange.message.topic]):
                message.version = number + 1


class Clients:
    def __init__(self, world):
        sizes = (0, 4_000)
        self.publishers = [
            PatientPublisher(world, "p0", 4, [("t/a", 1)], 8, sizes),
            PatientPublisher(world, "p1", 5, [("t/a", 1)], 8, sizes),
            PatientPublisher(world, "p2", 4, [("t/b", 2)], 8, sizes),
            PatientPublisher(world, "p3", 5, [("t/b", 2)], 8, sizes),
        ]
        self.retained = PatientRetainedPublisher(world, "p-retained", 5, [(f"r/{n}", 1) for n in range(4)], 1)
        self.publishers.append(self.retained)
        self.subscribers = [
            PatientSubscriber(world, "s-1", 5, [("t/#", 1)]), PatientSubscriber(world, "s-2", 4, [("t/#", 2)]),
            PatientSubscriber(world, "s-5", 5, [("t/+", 2)], receive_maximum=5),
        ]

    @property
    def busy(self):
        found = [client.name for client in self.publishers if client.inflight]
        return found + [client.name for client in self.subscribers if client.is_busy]


class FullDisk:
    def __init__(self, world, options, directory):
        self.world, self.options = world, options
        self.mount = os.path.join(directory, "disk")
        self.filler = os.path.join(self.mount, "filler")
        os.mkdir(self.mount)
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={MEGABYTES}m", "none", self.mount], check=True)
        data = os.path.join(self.mount, "data")
        self.broker = Broker(world, options.broker, directory, options.durability, options.shards, data)
        world.is_full, world.freed_at, world.accepted_at = False, 0.0, 0.0
        self.clients = Clients(world)
        self.longest_recovery, self.killed, self.failed_starts = 0.0, 0, 0

    async def run(self):
        world, tasks = self.world, []
        try:
            await self.broker.start()
            tasks = [asyncio.ensure_future(watched(world, client.run())) for client in self.clients.subscribers]
            while not all(client.is_subscribed for client in self.clients.subscribers):
                if world.failure:
                    return
                await asyncio.sleep(0.05)
            tasks += [asyncio.ensure_future(watched(world, client.run())) for client in self.clients.publishers]
            tasks += [main := asyncio.ensure_future(watched(world, self.rounds())),
                      failed := asyncio.ensure_future(world.failed.wait())]
            await asyncio.wait([main, failed], return_when=asyncio.FIRST_COMPLETED)
        except Failure:
            pass
        finally:
            world.is_over = True
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self.broker.close()
            subprocess.run(["umount", self.mount], check=False)

    async def rounds(self):
        world, began = self.world, time.monotonic()
        for number in range(1, self.options.rounds + 1):
            if self.options.seconds and time.monotonic() - began > self.options.seconds:
                break
            world.round = number
            await asyncio.sleep(0.2 + world.random.random() * 0.5)
            await self.fill(world.random.choice([0, 0, 100_000, 1_000_000]))
            if world.chance(0.6):
                await self.die()
            if self.broker.process.returncode is None:
                await self.see_that_the_rest_works()
            await self.free()
            await self.see_recovery()
            if number % 2 == 0:
                await drain(world, self.clients)
                await check_retained(world, world.random.choice([4, 5]))
        await drain(world, self.clients)
        await check_retained(world, 5)
        if world.round > 3 and not world.counts["times refused"]:
            world.fail("nobody was ever refused, though the disk was full")

    async def fill(self, spared):
        """Until publishers are refused, or the broker gets along for seconds with the room that it has."""
        world, before = self.world, self.world.counts["refused"]
        world.is_full = True
        world.event(f"the disk is filled up to {spared} bytes")
        deadline = time.monotonic() + 4
        while world.counts["refused"] < before + 3 and time.monotonic() < deadline:
            world.check()
            # Again and again, for the broker makes room.
            status = os.statvfs(self.mount)
            self.write(max(0, status.f_bavail * status.f_frsize - spared))
            spared = max(0, spared - 10_000)
            await asyncio.sleep(0.02)
        is_refusing = world.counts["refused"] >= before + 3
        world.counts["times refused"] += is_refusing
        world.event(f"publishers are {'refused' if is_refusing else 'taken all the same'}: {self.sizes()}")

    def sizes(self):
        files = [os.path.join(folder, name) for folder, _, names in os.walk(self.mount) for name in names]
        return ", ".join(f"{os.path.basename(path)} {os.path.getsize(path)}" for path in files)

    def write(self, count):
        with open(self.filler, "ab", buffering=0) as file:
            try:
                while count > 0:
                    count -= file.write(bytes(min(count, 65536)))
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise

    async def die(self):
        """With SIGKILL, while the disk is full; it has to start again on it, or say why it does not."""
        self.killed += 1
        await self.broker.end(signal.SIGKILL, "kill -9 on a full disk")
        if not await self.broker.try_start():
            self.failed_starts += 1
            self.world.event("the broker does not start on a full disk")

    async def see_that_the_rest_works(self):
        """QoS 0 needs no disk."""
        world = self.world
        reader = await self.opened("q0-reader")
        reader.send(subscribe(5, 1, [("q0/x", 0)]))
        writer = await self.opened("q0-writer")
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            writer.send(publish(5, "q0/x", b"now", 0, 0))
            try:
                if (await asyncio.wait_for(reader.receive(), 1)).kind == PUBLISH:
                    break
            except asyncio.TimeoutError:
                pass
        else:
            world.fail("no QoS 0 message got through on a full disk")
        await reader.close()
        await writer.close()
        await self.see_that_a_session_is_refused()

    async def opened(self, name):
        client = Client(self.world, f"{name}{self.world.round}", 5)
        await client.connect(clean=True, expiry=0)
        return client.connection

    async def see_that_a_session_is_refused(self):
        """A session that has to last is begun, or refused with a reason."""
        connection = await Connection.open(5, self.world.port)
        connection.send(connect(5, f"new{self.world.round}", True))
        try:
            answer = await asyncio.wait_for(connection.receive(), 10)
        except Lost:
            self.world.fail("a CONNECT was answered by nothing on a full disk")
        if answer.kind != CONNACK or answer.reason not in (0, QUOTA_EXCEEDED):
            self.world.fail(f"a CONNECT was answered by type {answer.kind}, reason {answer.reason:#x} on a full disk")
        self.world.counts["sessions refused"] += answer.reason == QUOTA_EXCEEDED
        connection.abort()

    async def free(self):
        os.remove(self.filler)
        self.world.freed_at, self.world.is_full = time.monotonic(), False
        self.world.event("there is room again")
        if self.broker.process.returncode is not None:
            await self.broker.start()

    async def see_recovery(self):
        """By itself, without a restart."""
        world, freed_at = self.world, self.world.freed_at
        while world.accepted_at < freed_at:
            world.check()
            if time.monotonic() > freed_at + 10:
                world.fail("no message was taken within 10 s after there was room again")
            await asyncio.sleep(0.02)
        self.longest_recovery = max(self.longest_recovery, world.accepted_at - freed_at)

    def summary(self):
        counts = self.world.counts
        return (f"{self.world.round} times full, publishers refused in {counts['times refused']}, {self.killed} times killed "
                f"then, {self.failed_starts} starts in vain, {counts['refused']} messages and {counts['sessions refused']} "
                f"sessions refused, longest recovery {self.longest_recovery:.2f} s; {self.world.summary()}")
