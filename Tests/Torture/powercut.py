"""What a power cut leaves of the store's files: what the disk has confirmed, and of the rest anything."""
import os
import struct
import subprocess

NAMES = {1: "dunlin.sqlite", 2: "dunlin.sqlite-wal", 3: "dunlin.sqlite-journal"}
CREATED, WRITTEN, TRUNCATED, SYNCED, REMOVED = 1, 2, 3, 4, 5
RECORD = struct.Struct("=IIIIQ")
SECTOR = 512


def build(directory):
    """Compiles powercut.c. Returns the library."""
    library = os.path.join(directory, "powercut.so")
    source = os.path.join(os.path.dirname(os.path.abspath(__file__)), "powercut.c")
    subprocess.run(["cc", "-O1", "-shared", "-fPIC", "-o", library, source], check=True)
    return library


class File:
    def __init__(self, data=b""):
        self.data, self.pending = bytearray(data), []

    def apply(self, change, mask=None):
        """`mask`: which sectors of a write have reached the disk."""
        operation, offset, data = change
        if operation == TRUNCATED:
            if offset < len(self.data):
                del self.data[offset:]
            else:
                self.data.extend(bytes(offset - len(self.data)))
            return
        for at in range(0, len(data), SECTOR):
            if mask and not mask():
                continue
            start, part = offset + at, data[at:at + SECTOR]
            if start > len(self.data):
                self.data.extend(bytes(start - len(self.data)))
            self.data[start:start + len(part)] = part

    def sync(self):
        for change in self.pending:
            self.apply(change)
        self.pending.clear()

    def cut(self, random):
        """Returns what the cut has spared of what was not confirmed."""
        kind = random.choice(["nothing", "all", "beginning", "some", "some"])
        count = len(self.pending)
        if kind == "beginning":
            count = random.randint(0, count)
        chance = random.random()
        for at, change in enumerate(self.pending):
            if kind == "nothing" or at > count:
                break
            if kind == "some":
                self.apply(change, lambda: random.random() < chance) if random.random() < 0.8 else None
            elif at < count or kind == "all":
                self.apply(change)
            else:
                self.apply(change, lambda: random.random() < 0.5)
        self.pending.clear()
        return kind


class PowerCut:
    """The store's directory as the disk has it, from the journal of one run of the broker."""

    def __init__(self, directory, data):
        self.library, self.data = build(directory), data
        self.journal = os.path.join(directory, "journal")
        self.environment = {**os.environ, "LD_PRELOAD": self.library, "TORTURE_JOURNAL": self.journal}
        self.unconfirmed, self.cuts = 0, 0

    def begin(self):
        """Before the broker starts: what is there now is on the disk."""
        self.files = {}
        for number, name in NAMES.items():
            path = os.path.join(self.data, name)
            if os.path.exists(path):
                with open(path, "rb") as file:
                    self.files[number] = File(file.read())
        open(self.journal, "wb").close()

    def records(self):
        with open(self.journal, "rb") as file:
            while len(header := file.read(RECORD.size)) == RECORD.size:
                operation, number, length, _, offset = RECORD.unpack(header)
                data = file.read(length)
                if len(data) < length:
                    return
                yield operation, number, offset, data

    def replay(self):
        for operation, number, offset, data in self.records():
            if operation == REMOVED:
                self.files.pop(number, None)
                continue
            file = self.files.setdefault(number, File())
            if operation == SYNCED:
                file.sync()
            elif operation != CREATED:
                file.pending.append((operation, offset, data))

    def cut(self, random):
        """After the broker has died: leaves in the directory what a power cut could have left. Says what that was."""
        self.replay()
        told = []
        for number, name in NAMES.items():
            path = os.path.join(self.data, name)
            if number not in self.files:
                if os.path.exists(path):
                    os.remove(path)
                continue
            file = self.files[number]
            count = len(file.pending)
            kind = file.cut(random)
            if count:
                told.append(f"{kind} of {count} unconfirmed changes of {name}")
            self.unconfirmed += count
            with open(path, "wb") as target:
                target.write(file.data)
        shared = os.path.join(self.data, NAMES[1] + "-shm")
        if os.path.exists(shared):
            os.remove(shared)
        self.cuts += 1
        return ", ".join(told) or "everything was confirmed"
