"""The broker under torture: the real binary on a data directory, killed and started again."""
import asyncio
import os
import signal
import subprocess
import time


class Broker:
    def __init__(self, world, binary, directory, durability, shards):
        self.world, self.directory = world, directory
        self.log = open(os.path.join(directory, "broker.log"), "ab")
        self.command = [binary, "serve", "--listen", "127.0.0.1:0", "--data", os.path.join(directory, "data"),
                        "--durability", durability, "--log-level", "debug" if world.verbose else "info"]
        if shards:
            self.command += ["--shards", str(shards)]
        self.process = None
        self.longest_start = 0.0

    async def spawn(self):
        self.process = await asyncio.create_subprocess_exec(
            *self.command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=self.log)

    async def start(self, interruptions=0):
        """Starts it; `interruptions` times it is killed while it starts."""
        for _ in range(interruptions):
            await self.spawn()
            await asyncio.sleep(self.world.random.random() * 0.5)
            await self.end(signal.SIGKILL, "kill -9 while it starts")
        began = time.monotonic()
        await self.spawn()
        try:
            line = await asyncio.wait_for(self.process.stdout.readline(), 120)
        except asyncio.TimeoutError:
            self.world.fail("the broker was not ready after 120 s")
        if b"listening on" not in line:
            await self.process.wait()
            self.world.fail(f"the broker did not start: exit code {self.process.returncode}")
        self.longest_start = max(self.longest_start, time.monotonic() - began)
        self.world.port = int(line.decode().rsplit(":", 1)[1])
        self.world.is_dying, self.world.ready_at = False, time.monotonic()
        self.world.event(f"broker {self.process.pid} ready after {time.monotonic() - began:.2f} s")
        self.world.up.set()

    async def end(self, how, why):
        world = self.world
        if self.process.returncode is not None and not world.is_dying:
            world.fail(f"the broker ended by itself: exit code {self.process.returncode}")
        world.is_dying, world.killed_at = True, time.monotonic()
        world.up.clear()
        world.event(f"{why} of {self.process.pid}")
        try:
            self.process.send_signal(how)
        except ProcessLookupError:
            pass
        try:
            await asyncio.wait_for(self.process.wait(), 30)
        except asyncio.TimeoutError:
            world.fail(f"the broker had not ended 30 s after {why}")
        world.killed_at = time.monotonic()
        if how == signal.SIGTERM and self.process.returncode != 0:
            world.fail(f"the broker ended with code {self.process.returncode} after SIGTERM")
