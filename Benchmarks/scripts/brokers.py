"""Starts brokers for a benchmark, each on a free port of 127.0.0.1, and ends them by their process id."""
import contextlib
import os
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

BROKER_CPU, GENERATOR_CPU = "0", "1"
# Those of this process when it began: a script may bind itself to one.
CPUS = os.sched_getaffinity(0)


def fail(text):
    sys.exit(f"Error: {text}")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def pinned(command, cpu):
    """The command on one CPU, where the machine has the choice."""
    return ["taskset", "-c", cpu, *command] if len(CPUS) > 1 and int(cpu) in CPUS else command


def generator_cpu():
    return GENERATOR_CPU if len(CPUS) > 1 and int(GENERATOR_CPU) in CPUS else None


def build_load_generator(folder):
    """Builds mqttload outside its folder, which may be read-only; the paths of it and of run-suite."""
    suite = os.path.join(folder, "run-suite")
    if not os.path.exists(suite):
        fail(f"there is no load generator in {folder}. It is kept beside the repository, in ../shared/loadgen; "
             "name another place with LOADGEN=FOLDER.")
    out = os.path.abspath(".build/loadgen")
    os.makedirs(out, exist_ok=True)
    made = subprocess.run(["make", "-s", "-C", folder, f"OUT={out}"], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True)
    if made.returncode:
        fail(f"the load generator does not build:\n{made.stdout}")
    return os.path.join(out, "mqttload"), suite


def raise_file_limit():
    """A connection is a file: as many as this user may have."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def wait_until_listening(process, port, seconds=20):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if process.poll() is not None:
            return False
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return True
        time.sleep(0.05)
    return False


@contextlib.contextmanager
def running(name, command, port):
    """A broker that listens on the port, for as long as the block lasts."""
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(pinned(command, BROKER_CPU), stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            if not wait_until_listening(process, port):
                log.seek(0)
                fail(f"{name} does not listen on port {port}:\n{log.read().decode(errors='replace')}")
            yield process.pid
            if process.poll() is not None:
                log.seek(0)
                fail(f"{name} ended by itself:\n{log.read().decode(errors='replace')[-4000:]}")
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@contextlib.contextmanager
def dunlin(executable, options=()):
    """Dunlin with its defaults, but for `options`; yields port and process id."""
    if not os.access(executable, os.X_OK):
        fail(f"{executable} is not there; run `make build`")
    port = free_port()
    command = [executable, "serve", "--listen", f"127.0.0.1:{port}", "--log-level", "error", *options]
    with running("dunlin", command, port) as pid:
        yield port, pid


@contextlib.contextmanager
def mosquitto(persistence=None):
    """Mosquitto with its defaults, without log; yields port and process id. `persistence` is a folder for what it keeps,
    which it then writes on every change."""
    executable = shutil.which("mosquitto", path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")
    if not executable:
        fail("mosquitto is not installed; run `make deps`")
    port = free_port()
    with tempfile.NamedTemporaryFile("w", suffix=".conf") as file:
        file.write(f"listener {port} 127.0.0.1\nallow_anonymous true\nlog_type none\n")
        if persistence:
            file.write(f"persistence true\npersistence_location {persistence}/\nautosave_on_changes true\n"
                       "autosave_interval 1\nmax_queued_messages 0\n")
        else:
            file.write("persistence false\n")
        file.flush()
        os.chmod(file.name, 0o644)
        with running("mosquitto", [executable, "-c", file.name], port) as pid:
            yield port, pid
