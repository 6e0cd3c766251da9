"""Clusters for a benchmark, each of processes on free ports of 127.0.0.1 that are ended by their process id: a flock of Dunlin,
NATS's own MQTT on three servers, and RabbitMQ, where it is installed."""
import contextlib
import importlib.util
import os
import shutil
import signal
import subprocess
import tempfile
import time

import brokers

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
spec = importlib.util.spec_from_file_location("flock", os.path.join(ROOT, "deploy/flock.py"))
flock = importlib.util.module_from_spec(spec)
spec.loader.exec_module(flock)

NATS = os.path.join(ROOT, ".deps/nats/bin/nats-server")
RABBIT = "/usr/lib/rabbitmq/bin/rabbitmq-server"


class Cluster:
    """Where clients connect, and all processes that do the work."""

    def __init__(self, name, ports, processes, replicas):
        self.name, self.ports, self.processes, self.replicas = name, ports, processes, replicas

    @property
    def pids(self):
        """Those that were started and what they have started."""
        found, waiting = [], [process.pid for process in self.processes if process.poll() is None]
        while waiting:
            pid = waiting.pop()
            found.append(pid)
            with contextlib.suppress(OSError):
                for task in os.listdir(f"/proc/{pid}/task"):
                    with open(f"/proc/{pid}/task/{task}/children") as file:
                        waiting += [int(word) for word in file.read().split()]
        return found


def cpu_seconds(pids):
    total = 0
    for pid in pids:
        with contextlib.suppress(OSError), open(f"/proc/{pid}/stat") as file:
            fields = file.read().rsplit(")", 1)[1].split()
            total += int(fields[11]) + int(fields[12])
    return total / os.sysconf("SC_CLK_TCK")


@contextlib.contextmanager
def dunlin(arguments):
    """Three nodes over three nats-servers, as `make flock` has them."""
    nodes = flock.Flock(arguments.broker)
    try:
        nodes.start()
        cluster = Cluster("dunlin", nodes.ports, [*nodes.servers, *nodes.nodes], 3)
        cluster.flock = nodes
        yield cluster
    finally:
        nodes.stop()
        shutil.rmtree(nodes.directory, ignore_errors=True)


def end(processes):
    for process in processes:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
    for process in processes:
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@contextlib.contextmanager
def nats(arguments, size=3):
    """nats-server's own MQTT; as the flock's servers, each message is synced on three disks before it is acknowledged."""
    with tempfile.TemporaryDirectory(dir=arguments.directory) as folder:
        ports, routes, clients = (flock.free_ports(size) for _ in range(3))
        processes = []
        try:
            for index in range(size):
                path = os.path.join(folder, f"{index}.conf")
                others = ", ".join(f"nats://127.0.0.1:{port}" for port in routes)
                with open(path, "w") as file:
                    file.write(f"""
server_name: mqtt-{index}
host: 127.0.0.1
port: {clients[index]}
max_pending: 268435456
jetstream {{ store_dir: "{folder}/store-{index}", sync_interval: always }}
cluster {{ name: mqtt, host: 127.0.0.1, port: {routes[index]}, routes: [{others}] }}
mqtt {{ host: 127.0.0.1, port: {ports[index]}, max_ack_pending: 20000 }}
""")
                log = open(os.path.join(folder, f"{index}.log"), "ab")
                processes.append(subprocess.Popen([NATS, "-c", path], stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                                                  start_new_session=True))
            for port, process in zip(ports, processes):
                flock.wait_for(port, process, "nats-server")
            # Until a leader of its streams is elected it refuses clients.
            time.sleep(5)
            yield Cluster("nats", ports, processes, 3)
        finally:
            end(processes)


@contextlib.contextmanager
def rabbitmq(arguments):
    """One node of RabbitMQ with its MQTT plugin; what a queue holds is on one disk."""
    with tempfile.TemporaryDirectory(dir=arguments.directory) as folder:
        mqtt, amqp, distribution, mapper = flock.free_ports(4)
        with open(os.path.join(folder, "rabbitmq.conf"), "w") as file:
            file.write(f"""
listeners.tcp.1 = 127.0.0.1:{amqp}
mqtt.listeners.tcp.1 = 127.0.0.1:{mqtt}
mqtt.allow_anonymous = true
mqtt.default_user = guest
mqtt.default_pass = guest
mqtt.prefetch = 1000
log.file.level = warning
""")
        with open(os.path.join(folder, "enabled_plugins"), "w") as file:
            file.write("[rabbitmq_mqtt].\n")
        environment = dict(
            os.environ, HOME=folder, RABBITMQ_NODENAME=f"bench{mqtt}@localhost", RABBITMQ_DIST_PORT=str(distribution),
            RABBITMQ_CONFIG_FILE=os.path.join(folder, "rabbitmq"), RABBITMQ_MNESIA_BASE=os.path.join(folder, "data"),
            RABBITMQ_LOG_BASE=os.path.join(folder, "log"), RABBITMQ_ENABLED_PLUGINS_FILE=os.path.join(folder, "enabled_plugins"),
            RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS='-kernel inet_dist_use_interface {127,0,0,1}',
            ERL_EPMD_ADDRESS="127.0.0.1", ERL_EPMD_PORT=str(mapper), RABBITMQ_PID_FILE=os.path.join(folder, "pid"))
        log = open(os.path.join(folder, "output.log"), "ab")
        processes = []
        try:
            for command in (["epmd", "-address", "127.0.0.1", "-port", str(mapper)], [RABBIT]):
                processes.append(subprocess.Popen(command, env=environment, stdout=log, stderr=log,
                                                  stdin=subprocess.DEVNULL, start_new_session=True))
                if len(processes) == 1:
                    flock.wait_for(mapper, processes[0], "epmd")
            flock.wait_for(mqtt, processes[1], "rabbitmq-server", 60)
            time.sleep(1)
            yield Cluster("rabbitmq", [mqtt], processes, 1)
        finally:
            end(reversed(processes))


def available(arguments):
    """By name, those that this machine can start."""
    found = {"dunlin": dunlin, "nats": nats}
    if os.path.exists(RABBIT):
        found["rabbitmq"] = rabbitmq
    if not os.path.exists(NATS):
        brokers.fail("nats-server is not installed; run `make deps`")
    return found
