"""Subscribers whose sessions outlive their connections, and the rules that hold for what they get."""
import asyncio
import time
from collections import deque

from client import Client
from packets import (DISCONNECT, NAMES, NEVER, Lost, PUBACK, PUBCOMP, PUBLISH, PUBREC, PUBREL, SUBACK, UNSUBACK,
                     acknowledgement, subscribe, unsubscribe)
from subscriptions import Subscription


class Subscriber(Client):
    """`habits`: toggles (unsubscribes and subscribes again), replaces (subscribes again with another QoS), stalls
    (does not read for a while)."""

    def __init__(self, world, name, version, filters, habits=(), receive_maximum=None, starts=0):
        """`filters`: (pattern, QoS) or (pattern, QoS, group)."""
        super().__init__(world, name, version)
        self.habits = set(habits)
        self.receive_maximum = receive_maximum if version == 5 else None
        self.starts = starts  # round
        self.subscriptions = [
            Subscription(self, *each, identifier=at + 1 if len(filters) > 1 else None)
            for at, each in enumerate(filters)]
        self.received = {}  # identifier -> payload: QoS 2 messages that are not released
        self.requests, self.unacknowledged = {}, set()
        self.answers = deque()
        self.sessions = 0

    @property
    def is_subscribed(self):
        return all(subscription.is_subscribed for subscription in self.subscriptions)

    @property
    def is_busy(self):
        """In the middle of something that has to come to an end."""
        return bool(self.received) or any(subscription.copies for subscription in self.subscriptions)

    async def run(self):
        while self.world.round < self.starts:
            await asyncio.sleep(0.1)
        while not self.world.is_over:
            try:
                await self.live()
            except Lost:
                await self.ended("while subscribing")
            if not self.world.is_draining:
                await self.away()

    async def away(self):
        await self.pause(0.8)

    async def live(self):
        present = await self.connect(**self.options(), receive_maximum=self.receive_maximum)
        self.unacknowledged, self.requests = set(), {}
        self.answers.clear()
        if not present:
            self.session_began()
        await self.connected()

    def options(self):
        return {"expiry": NEVER}

    def session_began(self):
        self.received.clear()
        for subscription in self.subscriptions:
            subscription.reset(self.sessions)
        self.sessions += 1

    async def connected(self):
        for subscription in self.subscriptions:
            if not subscription.is_subscribed:
                self.ask(subscription)
        self.patience = 0 if self.chance(0.5) else self.random.random() * 0.2
        self.stall_until = 0
        reading = asyncio.ensure_future(self.read())
        stays, began = self.random.random() * 3, time.monotonic()
        try:
            while not reading.done() and not self.world.is_over:
                await asyncio.wait([reading], timeout=0.05 + self.patience * self.random.random())
                self.flush()
                if self.world.is_draining:
                    self.patience = self.stall_until = 0
                    self.ask_again()
                elif time.monotonic() - began > stays:
                    return await self.leave(reading)
                else:
                    self.follow_habits()
            if reading.done():
                reading.result()
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)

    def ask_again(self):
        for subscription in self.subscriptions:
            if not subscription.is_subscribed and not self.requests:
                self.ask(subscription)

    def follow_habits(self):
        if "stalls" in self.habits and self.chance(0.02):
            self.stall_until = time.monotonic() + self.random.random() * 3
        if self.requests or not self.chance(0.1):
            return
        subscription = self.random.choice(self.subscriptions)
        if "replaces" in self.habits and subscription.is_subscribed:
            self.ask(subscription, self.random.choice([0, 1, 2, 2]))
        elif "toggles" in self.habits:
            self.give_up(subscription) if subscription.is_subscribed else self.ask(subscription)

    async def leave(self, reading):
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
        how = self.random.random()
        if how < 0.2:
            self.keeps_open()
        elif how < 0.6:
            self.closed()
            self.connection.abort()
        else:
            self.closed()
            await self.connection.close()

    # MARK: Subscriptions

    def request(self, kind, subscription, grant=None):
        self.identifier = self.identifier % 65535 + 1
        self.requests[self.identifier] = (kind, subscription, grant)
        return self.identifier

    def ask(self, subscription, qos=None):
        grant = subscription.ask(subscription.qos if qos is None else qos, self.world.tick())
        grant.retained = self.world.retained.acknowledged() if subscription.group is None else None
        identifier = self.request(SUBACK, subscription, grant)
        self.connection.send(subscribe(
            self.version, identifier, [(subscription.filter, grant.qos)], subscription.identifier))

    def give_up(self, subscription):
        subscription.give_up(self.world.tick())
        self.connection.send(unsubscribe(self.version, self.request(UNSUBACK, subscription), [subscription.filter]))

    # MARK: Packets

    async def read(self):
        while True:
            received = await self.connection.receive()
            if received.kind == DISCONNECT:
                self.told_to_go(received)
            self.world.counts[NAMES[received.kind]] += 1
            if received.kind == PUBLISH:
                self.message_received(received)
            elif received.kind == PUBREL:
                self.released(received)
            elif received.kind in (SUBACK, UNSUBACK):
                self.granted(received)
            else:
                self.world.fail(f"{self.name} got {NAMES[received.kind]}")
            if not self.patience or self.chance(0.1):
                self.flush()
            if time.monotonic() < self.stall_until:
                await asyncio.sleep(min(self.stall_until - time.monotonic(), 0.5))

    def granted(self, received):
        kind, subscription, grant = self.requests.pop(received.identifier, (None, None, None))
        if kind != received.kind:
            self.world.fail(f"{self.name} got {NAMES[received.kind]} for {received.identifier}, which is not in use")
        if received.kind == UNSUBACK:
            self.world.event(f"{self.name} UNSUBACK {subscription.filter}", self.name)
            return subscription.gone(self.world.tick())
        if received.reasons != bytes([grant.qos]):
            self.world.fail(f"{self.name}: SUBACK {received.reasons.hex()}")
        self.world.event(f"{self.name} SUBACK {subscription.filter} QoS {grant.qos}", self.name)
        subscription.granted(grant, self.world.tick())
        if grant.retained is not None and grant.qos > 0:
            for message in self.world.retained.unchanged(grant.retained):
                if subscription.matches(message.topic) and message.payload not in subscription.copies_got:
                    subscription.copies.add(message.payload)

    def answer(self, kind, identifier):
        self.answers.append((kind, identifier))

    def flush(self):
        while self.answers:
            kind, identifier = self.answers.popleft()
            self.connection.send(acknowledgement(kind, identifier))
            if kind != PUBREC:
                self.unacknowledged.discard(identifier)

    def released(self, received):
        payload = self.received.pop(received.identifier, None)
        if payload is not None:
            self.world.messages[payload].note(self.world, f"{self.name} PUBREL {received.identifier}")
        self.answer(PUBCOMP, received.identifier)

    # MARK: Messages

    def message_received(self, received):
        world, message = self.world, self.world.messages.get(received.payload)
        if not received.payload and received.topic.startswith("r/"):  # a retained message is cleared
            return self.take(received, None)
        if message is None or message.topic != received.topic:
            world.fail(f"{self.name} got {received.payload[:40]!r} on {received.topic}, which nobody published")
        text = (f"{self.name} got PUBLISH {received.identifier} QoS {received.qos}{' DUP' if received.duplicate else ''}"
                f"{' retained' if received.retain else ''}")
        subscription = self.subscription(received, message, text)
        if not subscription.matches(received.topic):
            world.fail(f"{text}, which it has not subscribed to", message)
        if message.is_refused:
            world.fail(f"{text}, which was refused", message)
        if received.duplicate and not received.retain and message.sent > self.connected_at:
            world.fail(f"{text}: DUP, though it was published after this client had connected", message)
        is_new = self.take(received, message, text)
        if received.retain:
            self.copy_received(subscription, received, message, text, is_new)
        elif is_new:
            self.deliver(subscription, message, text, received)

    def subscription(self, received, message, text):
        if len(self.subscriptions) == 1:
            return self.subscriptions[0]
        if len(received.subscriptions) != 1:
            self.world.fail(f"{text} with the subscription identifiers {received.subscriptions}", message)
        return self.subscriptions[received.subscriptions[0] - 1]

    def take(self, received, message, text=""):
        """Answers it. Returns whether it is none that this client has and has not released."""
        world = self.world
        if received.qos == 0:
            return True
        self.unacknowledged.add(received.identifier)
        if self.receive_maximum and len(self.unacknowledged) > self.receive_maximum:
            world.fail(f"{text}: more than its Receive Maximum of {self.receive_maximum}", message)
        if received.qos == 1:
            self.answer(PUBACK, received.identifier)
            return True
        self.answer(PUBREC, received.identifier)
        payload = message.payload if message else None
        if received.identifier not in self.received:
            self.received[received.identifier] = payload
            return True
        if self.received[received.identifier] != payload:
            world.fail(f"{text}: another message with an identifier that is not released", message)
        if not received.duplicate:
            world.fail(f"{text}: sent again without DUP", message)
        if message:
            message.note(world, text + " (again)")
        return False

    def deliver(self, subscription, message, text, received):
        world, receiver = self.world, subscription.receiver
        if not subscription.may_get(message):
            world.fail(f"{text} though it had no subscription then", message)
        if received.qos not in subscription.qualities(message):
            world.fail(f"{text}: wrong QoS", message)
        self.check_expiry(received, message, text)
        is_first = not message.delivered[receiver]
        if received.qos == 1 and not is_first and subscription.group is None:
            self.check_repeated(receiver, message, text, received)
        message.places[receiver] = self.broker_start, self.connections
        world.delivered(message, receiver, text, is_exact=received.qos == 2)
        if is_first and subscription.group is None and not message.is_will:
            self.check_order(subscription, message, text, received.qos)

    def check_repeated(self, receiver, message, text, received):
        """A QoS 1 message once more, by the broker that has sent it the first time: after a reconnect, with DUP."""
        start, connection = message.places[receiver]
        if message.attempts > 1 or message.is_will or start != self.broker_start:
            return
        if connection == self.connections:
            self.world.fail(f"{text}: twice on one connection", message)
        if not received.duplicate:
            self.world.fail(f"{text}: sent again without DUP", message)

    def check_expiry(self, received, message, text):
        if message.expiry is None:
            return
        if self.version == 5 and (received.expiry is None or received.expiry > message.expiry):
            self.world.fail(f"{text}: expires in {received.expiry} s, published with {message.expiry} s", message)
        if message.expires_at is None or self.world.was_stopped(within=4):
            return
        late = time.monotonic() - message.expires_at - self.world.lag
        if late > 3 and not received.duplicate:
            self.world.fail(f"{text}: {late:.1f} s after it had expired", message)
        # Whole seconds are rounded up twice, by a restart and by the subtraction.
        if late + (received.expiry or 0) > 4 and self.version == 5 and not received.duplicate:
            self.world.fail(f"{text}: says that it expires in {received.expiry} s, it does in {-late:.1f} s", message)

    def check_order(self, subscription, message, text, qos):
        """Of what comes with one QoS [MQTT-4.6.0-5]: one with a lower may pass another that waits for the disk."""
        key = message.publisher, message.topic, qos
        before = subscription.last.get(key, 0)
        # What was published before the subscription may come all the same, when the publisher sends it again.
        # The first copy of two may have expired, while what came between them has not.
        is_let_off = message.expiry is not None and message.attempts > 1
        if before > message.number and subscription.wants(message) and not is_let_off:
            self.world.fail(f"{text} after number {before} of the same publisher and topic", message)
        subscription.last[key] = max(before, message.number)

    def copy_received(self, subscription, received, message, text, is_new):
        """A copy that SUBSCRIBE asked for: no part of the flow."""
        message.note(self.world, text)
        subscription.copies.discard(message.payload)
        if received.qos != min(message.qos, 2) and received.qos not in {
                min(grant.qos, message.qos) for interest in subscription.interests for grant in interest.grants}:
            self.world.fail(f"{text}: wrong QoS", message)
        if received.qos == 2 and is_new:
            got = subscription.copies_got
            got[message.payload] = got.get(message.payload, 0) + 1
            if got[message.payload] > subscription.asked_count:
                self.world.fail(f"{text}: for the {got[message.payload]}th time, it has subscribed "
                                f"{subscription.asked_count} times", message)
