"""What everybody knows: the messages and what has happened to each, the broker's state, and the first failure."""
import asyncio
import random
import time
from collections import Counter


class Message:
    """One publication, known by its payload. Times are those of the logical clock of the world."""

    def __init__(self, world, publisher, topic, qos, number, payload):
        self.publisher, self.topic, self.qos, self.number, self.payload = publisher, topic, qos, number, payload
        self.sent = self.acknowledged = None
        self.attempts = 0  # how often its publisher has sent it
        self.expiry, self.expires_at = None, None  # seconds; of the monotonic clock, once acknowledged
        self.delivered = Counter()  # by receiver
        self.delivered_exactly = Counter()  # those with QoS 2
        self.places = {}  # receiver -> (start of the broker, connection) of the last delivery
        self.least, self.most = 1, None  # of a will: how often it may be delivered
        self.not_before = 0.0  # of a will: seconds of the monotonic clock
        self.is_will = self.is_refused = False
        self.history = []
        world.messages[payload] = self

    def note(self, world, text):
        self.history.append((time.monotonic(), world.tick(), text))


class Failure(Exception):
    """A promise was broken."""


class World:
    def __init__(self, seed, verbose=False, allowed=()):
        self.seed = seed
        self.random = random.Random(seed)
        self.verbose = verbose
        self.allowed = set(allowed)  # names of known holes
        self.messages, self.pending = {}, []  # pending: those not yet checked against every receiver
        self.subscriptions = []
        self.time, self.start, self.round = 0, time.monotonic(), 0
        self.port, self.up, self.is_dying = None, asyncio.Event(), True
        self.starts = 0  # of the broker
        self.killed_at, self.ready_at = 0.0, 0.0
        self.disturbances = []  # [kind, when it began, when the broker worked again or None]
        self.is_publishing, self.is_draining, self.is_over = True, False, False
        self.failure, self.failed = None, asyncio.Event()
        self.events = []
        self.lags = []  # (when, seconds)
        self.counts = Counter()
        self.progress = time.monotonic()

    def check(self):
        """Ends whoever goes on after a failure."""
        if self.failure is not None:
            raise Failure(self.failure[0])

    def tick(self):
        self.time += 1
        return self.time

    def event(self, text, who=None):
        """`who`: a client whom alone it concerns."""
        self.check()
        self.events.append((time.monotonic(), self.tick(), text, who))
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

    async def watch_lag(self):
        """How late this program itself is, on a machine that has much to do."""
        while not self.is_over:
            before = time.monotonic()
            await asyncio.sleep(0.05)
            lag = time.monotonic() - before - 0.05
            self.lags = [each for each in self.lags if each[0] > before - 5] + [(before, lag)]

    @property
    def lag(self):
        """Seconds, at most, of the last few."""
        return max((lag for _, lag in self.lags), default=0.0)

    # MARK: Disturbances

    def disturbed(self, kind):
        self.disturbances.append([kind, time.monotonic(), None])

    def undisturbed(self):
        for disturbance in self.disturbances:
            disturbance[2] = disturbance[2] or time.monotonic()

    def was_stopped(self, within):
        """Whether the broker was held up during the last seconds, so that what it did then comes late."""
        return any(kind == "stop" and (ended or time.monotonic()) > time.monotonic() - within
                   for kind, _, ended in self.disturbances)

    def latest_knowledge(self, closed_at):
        """When the broker has known at the latest that a connection was closed at `closed_at`."""
        latest = closed_at
        for kind, began, ended in self.disturbances:
            # A second, in which it had time to write it down.
            if (ended or time.monotonic()) > closed_at and began < latest + 1:
                latest = ended or time.monotonic()
        return latest

    # MARK: Deliveries

    def delivered(self, message, receiver, text, is_exact):
        """Notes a delivery. `is_exact`: there may be only one."""
        self.progress = time.monotonic()
        message.note(self, text)
        message.delivered[receiver] += 1
        self.counts["deliveries"] += 1
        if message.delivered[receiver] > 1:
            self.counts["repeated"] += 1
        if is_exact:
            message.delivered_exactly[receiver] += 1
            if message.delivered_exactly[receiver] > 1 or message.is_will and message.delivered[receiver] > 1:
                self.fail(f"{receiver} got a QoS 2 message {message.delivered[receiver]} times", message)
        if message.is_will:
            if message.most is not None and message.delivered[receiver] > message.most and is_exact:
                self.fail(f"{receiver} got a will that must not be published", message)
            if time.monotonic() < message.not_before - 0.2:
                early = message.not_before - time.monotonic()
                self.fail(f"{receiver} got a will {early:.1f} s before its delay was over", message)

    def report(self):
        text, message, number = self.failure
        lines = [f"FAILED: {text}", f"seed {self.seed}, round {number}"]
        general = [row for row in self.events if row[3] is None]
        first = general[-12][0] if len(general) > 12 else self.start
        rows = []
        if message is not None:
            lines.append(f"message {message.payload[:40]!r} from {message.publisher} on {message.topic}, QoS {message.qos}")
            rows += message.history
            first = min([first] + [row[0] for row in message.history])
        rows += [row[:3] for row in self.events if row[0] >= first - 1 and (row[3] is None or row[3] in text)]
        lines += [f"{when - self.start:9.3f}  {what}" for when, _, what in sorted(rows)]
        return "\n".join(lines)

    def summary(self):
        """What was checked."""
        names = ["CONNACK", "SUBACK", "UNSUBACK", "PUBACK", "PUBREC", "PUBCOMP"]
        answers = ", ".join(f"{self.counts[name]} {name}" for name in names)
        wills = sum(1 for message in self.messages.values() if message.is_will)
        return (f"{len(self.messages) - wills} messages, {wills} wills, {self.counts['deliveries']} deliveries "
                f"({self.counts['repeated']} repeated with QoS 1); acknowledgements checked: {answers}")
