"""The kill loop: everybody keeps at it while the broker is killed at random moments and started again on its data."""
import asyncio
import signal
import time
import traceback

from broker import Broker
from powercut import PowerCut
from publishers import Publisher
from retained import RetainedPublisher, check_retained, check_retained_wills
from sessions import Guest, Passing
from subscribers import Subscriber
from wills import WillClient
from world import Failure


class Clients:
    def __init__(self, world):
        self.publishers = [
            Publisher(world, "p0", 4, [("t/a", 1)], 12), Publisher(world, "p1", 5, [("t/a", 1), ("t/c", 1)], 20),
            Publisher(world, "p2", 4, [("t/b", 2)], 12), Publisher(world, "p3", 5, [("t/b", 2), ("t/d", 2)], 20),
            Publisher(world, "p4", 5, [("t/a", 1), ("t/b", 2)], 8),
            Publisher(world, "p-brief", 5, [("t/e", 1), ("t/f", 2)], 4, expiries=(1, 2, 600)),
            Publisher(world, "p-large", 4, [("l/a", 1), ("l/b", 2)], 4, sizes=(10_000, 60_000)),
            RetainedPublisher(world, "p-retained", 5, [(f"r/{n}", 1 + n % 2) for n in range(8)], 8),
        ]
        self.subscribers = [
            Subscriber(world, "s-all-2", 4, [("t/#", 2)]), Subscriber(world, "s-all-1", 5, [("t/#", 1)]),
            Subscriber(world, "s-few", 5, [("t/+", 2)], receive_maximum=2), Subscriber(world, "s-b", 4, [("t/b", 2)]),
            Subscriber(world, "s-late", 5, [("t/#", 2)], starts=3), Subscriber(world, "s-r0", 4, [("r/0", 1)]),
            Subscriber(world, "s-r1", 5, [("r/1", 2)]), Subscriber(world, "s-w2", 5, [("w/#", 2)]),
            Subscriber(world, "s-w1", 4, [("w/+", 1)]),
            Subscriber(world, "s-toggle-4", 4, [("t/b", 2)], {"toggles"}),
            Subscriber(world, "s-toggle-5", 5, [("t/#", 2)], {"toggles"}, receive_maximum=5),
            Subscriber(world, "s-toggle-r", 5, [("r/#", 2)], {"toggles"}),
            Subscriber(world, "s-toggle-r1", 4, [("r/+", 1)], {"toggles"}),
            Subscriber(world, "s-replace-4", 4, [("t/b", 2)], {"replaces"}),
            Subscriber(world, "s-replace-5", 5, [("t/#", 2)], {"replaces"}),
            Subscriber(world, "s-stall-4", 4, [("l/#", 2)], {"stalls"}),
            Subscriber(world, "s-stall-5", 5, [("l/#", 2)], {"stalls"}, receive_maximum=3),
            Subscriber(world, "m-own", 5, [("t/b", 2), ("t/+", 2, "h")]),
            Subscriber(world, "m-two", 4, [("t/+", 2, "h")]),
            Subscriber(world, "m-toggle", 5, [("t/+", 2, "g")], {"toggles"}),
        ] + [Subscriber(world, f"m{n}", 4 + n % 2, [("t/+", 2, "g")]) for n in range(3)] + [
            Passing(world, "pass-4", 4, [("t/#", 2)]), Passing(world, "pass-5", 5, [("t/#", 2)]),
            Passing(world, "pass-r", 5, [("r/#", 2), ("t/a", 1)]), Passing(world, "pass-1", 5, [("t/+", 1)]),
        ]
        self.wills = [WillClient(world, f"w{n}", 4 + (n > 1)) for n in range(5)]
        self.guests = [Guest(world, f"guest{n}", 4 + n % 2) for n in range(2)]

    @property
    def busy(self):
        found = [client.name for client in self.publishers if client.inflight]
        found += [client.name for client in self.subscribers if client.is_busy]
        return found + [client.name for client in self.wills if not client.is_idle]


def missing(world):
    """A message that has not reached somebody whom it has to reach."""
    for message in world.pending:
        if message.least == 0 and not (message.is_will and message.delivered):
            continue
        for subscription in world.subscriptions:
            if not message.delivered[subscription.receiver] and subscription.wants(message):
                return message, subscription
    return None


async def drain(world, clients):
    """Nothing new is published, everybody is connected: everything has to arrive, and nothing more."""
    world.is_publishing, world.is_draining = False, True
    world.event("drain")
    world.progress = time.monotonic()
    while True:
        world.check()
        busy, lack = clients.busy, missing(world)
        if not busy and lack is None and time.monotonic() - world.progress > 0.3:
            break
        if time.monotonic() - world.progress > 30:
            if lack:
                world.fail(f"not delivered to {lack[1].receiver} 30 s after the last delivery", lack[0])
            held = [world.messages.get(payload) for client in clients.subscribers
                    for payload in list(client.received.values())
                    + [payload for subscription in client.subscriptions for payload in subscription.copies]]
            world.fail(f"30 s after the last delivery still in the middle of an exchange: {', '.join(busy)}",
                       next(iter(held), None))
        await asyncio.sleep(0.05)
    for message in world.pending:
        if message.is_will:
            message.most = 1 if message.delivered else 0
    world.pending.clear()
    world.event("drained")
    world.is_publishing, world.is_draining = True, False


class KillLoop:
    def __init__(self, world, options, directory):
        self.world, self.options = world, options
        self.broker = Broker(world, options.broker, directory, options.durability, options.shards)
        self.clients = Clients(world)
        if options.scenario == "power-cut":
            self.broker.power = PowerCut(directory, self.broker.data)
        self.ends = {"kill -9": 0, "SIGTERM": 0, "SIGSTOP": 0}

    async def run(self):
        world, clients, tasks = self.world, self.clients, []
        try:
            await self.broker.start()
            tasks = [asyncio.ensure_future(watched(world, client.run())) for client in clients.subscribers]
            while not all(client.is_subscribed for client in clients.subscribers if not client.starts):
                if world.failure:
                    return
                await asyncio.sleep(0.05)
            tasks += [asyncio.ensure_future(watched(world, client.run()))
                      for client in clients.publishers + clients.wills + clients.guests]
            main = asyncio.ensure_future(watched(world, self.rounds()))
            tasks.append(main)
            failed = asyncio.ensure_future(world.failed.wait())
            tasks.append(failed)
            await asyncio.wait([main, failed], return_when=asyncio.FIRST_COMPLETED)
        except Failure:
            pass
        finally:
            world.is_over = True
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self.broker.close()

    async def rounds(self):
        world, options, began = self.world, self.options, time.monotonic()
        for number in range(1, options.rounds + 1):
            if options.seconds and time.monotonic() - began > options.seconds:
                break
            world.round = number
            await asyncio.sleep(world.random.choice([0.02, 0.1, 0.3, 1, 2.5]) * world.random.random())
            await self.end_and_start()
            if world.chance(0.3):
                await self.check_retained()
            if number % options.drain_every == 0:
                await drain(world, self.clients)
                await self.check_retained()
        await drain(world, self.clients)
        await self.check_retained()

    async def end_and_start(self):
        world, broker = self.world, self.broker
        if world.chance(0.15):
            goes_on = self.options.terminate or world.chance(0.5)
            self.ends["SIGSTOP"] += 1
            await broker.stop(world.random.random() * 1.5, goes_on)
            if goes_on:
                await asyncio.sleep(world.random.random() * 0.5)
        terminates = self.options.terminate or world.chance(0.15) and not self.is_stopped
        how, name = (signal.SIGTERM, "SIGTERM") if terminates else (signal.SIGKILL, "kill -9")
        self.ends[name] += 1
        await broker.end(how, name)
        # Now and then long enough for what is due in seconds: wills, sessions, messages.
        longest = 4 if world.chance(0.15) else 0.3
        await asyncio.sleep(world.random.random() * longest)
        await broker.start(0 if terminates else world.random.choice([0, 0, 0, 0, 1, 2]))

    @property
    def is_stopped(self):
        disturbances = self.world.disturbances
        return bool(disturbances) and disturbances[-1][2] is None

    async def check_retained(self):
        world = self.world
        await check_retained(world, world.random.choice([4, 5]))
        await check_retained_wills(world, self.clients.wills, world.random.choice([4, 5]))

    def summary(self):
        ends = ", ".join(f"{count} {name}" for name, count in self.ends.items())
        if self.broker.power:
            ends += f", {self.broker.power.cuts} power cuts with {self.broker.power.unconfirmed} unconfirmed changes"
        return (f"{self.world.round} rounds ({ends}), {self.world.summary()}, {self.world.counts['retained']} retained "
                f"messages, {self.world.counts['expired']} expired sessions; longest start "
                f"{self.broker.longest_start:.2f} s")


async def watched(world, work):
    """A mistake of this program is no success."""
    try:
        await work
    except (Failure, asyncio.CancelledError):
        pass
    except Exception:
        try:
            world.fail("the torture itself: " + traceback.format_exc())
        except Failure:
            pass
