"""The broker under torture: the real binary on a data directory, killed and started again."""
import asyncio
import os
import signal
import subprocess
import time


class Broker:
    def __init__(self, world, binary, directory, durability, shards, data=None):
        self.world, self.directory = world, directory
        self.data = data or os.path.join(directory, "data")
        self.log_path = os.path.join(directory, "broker.log")
        self.log = open(self.log_path, "ab")
        self.command = [binary, "serve", "--listen", "127.0.0.1:0", "--data", self.data,
                        "--durability", durability, "--log-level", "debug" if world.verbose else "info"]
        if shards:
            self.command += ["--shards", str(shards)]
        self.process = None
        self.longest_start = 0.0
        self.power = None  # a PowerCut: then the broker does not only die

    async def spawn(self):
        if self.power:
            self.power.begin()
        self.process = await asyncio.create_subprocess_exec(
            *self.command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=self.log,
            env=self.power.environment if self.power else None)

    async def start(self, interruptions=0):
        """Starts it; `interruptions` times it is killed while it starts."""
        for _ in range(interruptions):
            await self.spawn()
            await asyncio.sleep(self.world.random.random() * 0.5)
            await self.end(signal.SIGKILL, "kill -9 while it starts")
        if not await self.try_start():
            self.world.fail(f"the broker did not start: exit code {self.process.returncode}")

    async def try_start(self):
        """Returns whether it is ready; if not, it has ended."""
        began = time.monotonic()
        await self.spawn()
        try:
            line = await asyncio.wait_for(self.process.stdout.readline(), 120)
        except asyncio.TimeoutError:
            self.world.fail("the broker was not ready after 120 s")
        if b"listening on" not in line:
            await self.process.wait()
            return False
        self.longest_start = max(self.longest_start, time.monotonic() - began)
        self.world.port = int(line.decode().rsplit(":", 1)[1])
        self.world.is_dying, self.world.ready_at = False, time.monotonic()
        self.world.starts += 1
        self.world.undisturbed()
        self.world.event(f"broker {self.process.pid} ready after {time.monotonic() - began:.2f} s")
        self.world.up.set()
        return True

    async def end(self, how, why):
        world = self.world
        if self.process.returncode is not None and not world.is_dying:
            world.fail(f"the broker ended by itself: exit code {self.process.returncode}")
        world.disturbed("end")
        if not world.is_dying:
            world.is_dying, world.killed_at = True, time.monotonic()
        world.up.clear()
        world.event(f"{why} of {self.process.pid}")
        self.signal(how)
        try:
            await asyncio.wait_for(self.process.wait(), 30)
        except asyncio.TimeoutError:
            world.fail(f"the broker had not ended 30 s after {why}")
        if self.power:
            world.event(f"power cut: {self.power.cut(world.random)}")
        if how == signal.SIGTERM and self.process.returncode != 0:
            world.fail(f"the broker ended with code {self.process.returncode} after SIGTERM")

    async def stop(self, seconds, goes_on):
        """SIGSTOP; after `seconds` it `goes_on`, or is left to be killed."""
        self.world.disturbed("stop")
        self.world.event(f"SIGSTOP of {self.process.pid}")
        self.signal(signal.SIGSTOP)
        await asyncio.sleep(seconds)
        if goes_on:
            self.signal(signal.SIGCONT)
            self.world.undisturbed()
            self.world.event("SIGCONT")

    def signal(self, number):
        try:
            self.process.send_signal(number)
        except ProcessLookupError:
            pass

    async def close(self):
        """Leaves no process behind."""
        if self.process and self.process.returncode is None:
            self.process.kill()
            await self.process.wait()
        self.log.close()
