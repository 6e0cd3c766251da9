"""Whether what clients were told about their sessions can be explained: a history of CONNECTs to one client identifier, each of
which takes effect at one moment between its sending and its CONNACK."""
import math

# An attempt without an answer may take effect for so long after its connection has ended.
GRACE = 5


class Attempt:
    """A CONNECT. `present` is what CONNACK says, None when there was none."""

    def __init__(self, begin, clean, lasting, text=""):
        self.begin, self.clean, self.lasting, self.text = begin, clean, lasting, text
        self.end, self.present = math.inf, None

    def answered(self, end, present):
        self.end, self.present = end, present

    def lost(self, end):
        self.end = end + GRACE

    def __str__(self):
        answer = "no answer" if self.present is None else f"Session Present {int(self.present)}"
        return (f"{self.begin:.4f}–{self.end:.4f} {'clean' if self.clean else 'resuming'}, "
                f"{'lasting' if self.lasting else 'ending'}: {answer} {self.text}")


class World:
    """One way in which it may have gone so far: which of the answered attempts under way have taken effect, whether there is a
    session to resume, and which of those without an answer were needed for that."""

    def __init__(self, done=frozenset(), has_session=False, used=frozenset()):
        self.done, self.has_session, self.used = done, has_session, used

    def taken(self, number, attempt):
        return World(self.done | {number}, attempt.lasting, self.used)

    def helped(self, number, attempt):
        return World(self.done, attempt.lasting, self.used | {number})


class Worlds:
    """Of those that differ only in what they have used, the ones that have used least."""

    def __init__(self, worlds=()):
        self.by_outcome = {}
        for world in worlds:
            self.add(world)

    def add(self, world):
        others = self.by_outcome.setdefault((world.done, world.has_session), [])
        if any(other.used <= world.used for other in others):
            return False
        others[:] = [other for other in others if not world.used <= other.used] + [world]
        return True

    def __iter__(self):
        return iter([world for worlds in self.by_outcome.values() for world in worlds])


def contradiction(attempts):
    """The first attempt whose answer no order of them explains; None if there is none.

    All that counts of what came before is whether there is a session to resume: one is there after an attempt that is
    accepted and lasting, and none after one whose session ends with its connection, for the next attempt ends that. An attempt
    without an answer may have taken effect at any moment, or not at all; that it has is only supposed where it is needed."""
    events = sorted([(one.begin, 0, number) for number, one in enumerate(attempts)]
                    + [(one.end, 1, number) for number, one in enumerate(attempts) if one.end < math.inf])
    pending, helpers, worlds = set(), set(), Worlds([World()])
    for _, is_end, number in events:
        attempt = attempts[number]
        group = helpers if attempt.present is None else pending
        if not is_end:
            group.add(number)
            continue
        if attempt.present is None:
            # It may have taken effect behind any that are under way.
            for world in reached(worlds, None, pending, helpers, attempts):
                if number not in world.used and world.has_session != attempt.lasting:
                    worlds.add(world.helped(number, attempt))
            worlds = Worlds(World(one.done, one.has_session, one.used - {number}) for one in worlds)
        else:
            worlds = Worlds(World(one.done - {number}, one.has_session, one.used)
                            for one in reached(worlds, number, pending, helpers, attempts))
        group.discard(number)
        if not worlds.by_outcome:
            return attempt
    return None


def reached(worlds, number, pending, helpers, attempts):
    """Those in which the attempt has taken effect, among others perhaps that are under way; without one, all there can be."""
    found, seen, waiting = Worlds(), Worlds(worlds), list(worlds)
    while waiting:
        world = waiting.pop()
        if number is None:
            found.add(world)
        elif number in world.done:
            found.add(world)
            continue
        for other in pending - world.done:
            attempt = attempts[other]
            if attempt.clean:
                before = None if attempt.present else world
            elif attempt.present == world.has_session:
                before = world
            else:
                # The one that can help for the shortest time.
                able = [one for one in helpers - world.used if attempts[one].lasting == attempt.present]
                helper = min(able, key=lambda one: (attempts[one].end, one), default=None)
                before = None if helper is None else world.helped(helper, attempts[helper])
            if before and seen.add(following := before.taken(other, attempt)):
                waiting.append(following)
    return found


def check_the_checker():
    def history(*rows):
        made = []
        for begin, end, clean, lasting, present in rows:
            attempt = Attempt(begin, clean, lasting)
            if present is not None:
                attempt.answered(end, present)
            made.append(attempt)
        return contradiction(made)

    assert history((0, 1, False, True, False), (2, 3, False, True, True), (4, 5, True, True, False)) is None
    assert history((0, 1, False, True, True)) is not None
    assert history((0, 1, False, True, False), (2, 3, False, True, False)) is not None
    assert history((0, 1, False, False, False), (2, 3, False, True, True)) is not None
    assert history((0, 1, True, True, False), (2, 3, True, True, True)) is not None
    # Two at once: either order, but one of them is the first.
    assert history((0, 5, False, True, True), (1, 4, False, True, False)) is None
    assert history((0, 5, False, True, False), (1, 4, False, True, False)) is not None
    # One that was never answered may have taken effect, or not.
    assert history((0, 1, False, True, None), (2, 3, False, True, True), (4, 5, False, True, True)) is None
    assert history((0, 1, False, True, None), (2, 3, False, True, False)) is None
