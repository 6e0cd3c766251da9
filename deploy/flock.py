#!/usr/bin/env python3
"""A flock on this machine, for trying it out: three nats-servers, three nodes and HAProxy before them, on 127.0.0.1 alone.
It prints the address for clients and ends everything it has started, by process, with Ctrl-C."""
import argparse
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def wait_for(port, process, what, seconds=30, host="127.0.0.1"):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if process.poll() is not None:
            raise SystemExit(f"{what} has ended with {process.returncode}; {process.log} says why")
        with socket.socket() as probe:
            probe.settimeout(1)
            if probe.connect_ex((host, port)) == 0:
                return
        time.sleep(0.05)
    raise SystemExit(f"{what} does not listen on port {port}; {process.log} may say why")


def check(broker, port):
    """Ends with what is missing, and what to do about it, before anything is started."""
    nats = os.path.join(ROOT, ".deps/nats/bin/nats-server")
    if not os.access(broker, os.X_OK):
        raise SystemExit(f"there is no {broker}: run `make build`")
    if not os.access(nats, os.X_OK):
        raise SystemExit(f"there is no {nats}: run `make deps`")
    if not shutil.which("haproxy", path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin"):
        raise SystemExit("haproxy is not installed: run `make deps`")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise SystemExit(f"127.0.0.1:{port} cannot be had ({error.strerror}): choose another port, "
                             "`make flock FLOCK_PORT=11883`")


class Flock:
    """Its processes; each can be killed and started again."""

    def __init__(self, broker, size=3, servers=3, proxied=False):
        self.broker, self.proxied = broker, proxied
        self.directory = tempfile.mkdtemp(prefix="dunlin-flock-")
        self.nats_ports, self.routes = free_ports(servers), free_ports(servers)
        self.ports, self.admin_ports = free_ports(size), free_ports(size)
        self.token = os.path.join(self.directory, "token")
        with open(self.token, "w", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
            file.write("a-token-for-this-machine-alone\n")
        self.servers, self.nodes, self.proxy = [None] * servers, [None] * size, None
        self.server_hosts, self.hosts = ["127.0.0.1"] * servers, ["127.0.0.1"] * size

    def spawn(self, name, command, environment=None):
        path = os.path.join(self.directory, name + ".log")
        with open(path, "ab") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                                       start_new_session=True, env=dict(os.environ, **(environment or {})))
        process.log = path
        return process

    def start_server(self, index):
        routes = [f"nats://{self.server_hosts[place]}:{port}" for place, port in enumerate(self.routes)
                  if place != index]
        kind = "cluster" if len(self.servers) > 1 else "single"
        self.servers[index] = self.spawn(
            f"nats-{index + 1}",
            [os.path.join(ROOT, ".deps/nats/bin/nats-server"), "-c", os.path.join(ROOT, f"deploy/nats/{kind}.conf")],
            {"NATS_NAME": f"nats-{index + 1}", "NATS_HOST": self.server_hosts[index], "NATS_PORT": str(self.nats_ports[index]),
             "NATS_CLUSTER_PORT": str(self.routes[index]), "NATS_ROUTES": f"[{', '.join(routes)}]",
             "NATS_STORE": os.path.join(self.directory, f"store-{index + 1}")})

    def start_node(self, index):
        host = self.hosts[index]
        command = [self.broker, "serve", "--listen", f"{host}:{self.ports[index]}", "--node", f"node-{index + 1}",
                   "--admin", f"{host}:{self.admin_ports[index]}", "--admin-token-file", self.token]
        for server, port in zip(self.server_hosts, self.nats_ports):
            command += ["--nats", f"nats://{server}:{port}"]
        if host != "127.0.0.1":
            command += ["--allow-anonymous"]
        if self.proxied:
            command += ["--listener-defaults-proxy-from", "127.0.0.1"]
        self.nodes[index] = self.spawn(f"node-{index + 1}", command)

    def wait_for_node(self, index, seconds=60):
        wait_for(self.ports[index], self.nodes[index], f"node {index + 1}", seconds, self.hosts[index])

    def start(self):
        for index in range(len(self.servers)):
            self.start_server(index)
        for host, port, process in zip(self.server_hosts, self.nats_ports, self.servers):
            wait_for(port, process, "nats-server", host=host)
        for index in range(len(self.nodes)):
            self.start_node(index)
        for index in range(len(self.nodes)):
            self.wait_for_node(index)

    def start_proxy(self, port):
        environment = {"MQTT_ADDRESS": f"127.0.0.1:{port}"}
        for index in range(3):
            environment[f"NODE_{index + 1}"] = f"127.0.0.1:{self.ports[index]}"
            environment[f"ADMIN_HOST_{index + 1}"] = "127.0.0.1"
            environment[f"ADMIN_PORT_{index + 1}"] = str(self.admin_ports[index])
        program = shutil.which("haproxy", path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
        self.proxy = self.spawn(
            "haproxy", [program, "-W", "-db", "-f", os.path.join(ROOT, "deploy/haproxy/haproxy.cfg")], environment)
        wait_for(port, self.proxy, "HAProxy")

    def processes(self):
        for kind, processes in [("node", self.nodes), ("nats", self.servers)]:
            for index, process in enumerate(processes):
                yield f"{kind}-{index + 1}", process

    def describe(self, port):
        """For whoever has started it: where it is, what it consists of, and how to look at it."""
        lines = [f"A flock of three nodes: mqtt://127.0.0.1:{port}; logs and data: {self.directory}"]
        for index, node in enumerate(self.nodes):
            lines.append(f"  node-{index + 1}: process {node.pid}, administration 127.0.0.1:{self.admin_ports[index]}")
        for index, server in enumerate(self.servers):
            lines.append(f"  nats-{index + 1}: process {server.pid}, nats://127.0.0.1:{self.nats_ports[index]}")
        look = f"{self.broker} ctl nodes --admin 127.0.0.1:{self.admin_ports[0]} --token-file {self.token}"
        lines += [f"Look at it with: {look}", "Ctrl-C ends all of it."]
        return "\n".join(lines)

    def stop(self):
        """Ends what it has started, nodes first."""
        for process in [self.proxy, *self.nodes]:
            if process and process.poll() is None:
                process.send_signal(signal.SIGCONT)
                process.terminate()
        for process in [self.proxy, *self.nodes, *self.servers]:
            if not process:
                continue
            if process in self.servers:
                process.send_signal(signal.SIGCONT)
                process.terminate()
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--broker", default=os.path.join(ROOT, ".build/release/dunlin"))
    parser.add_argument("--port", type=int, default=1883, help="for clients, on 127.0.0.1; 0: any")
    options = parser.parse_args()
    port = options.port or free_ports(1)[0]
    check(options.broker, port)
    flock = Flock(options.broker, proxied=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        flock.start()
        flock.start_proxy(port)
        print(flock.describe(port), flush=True)
        told = set()
        # It outlives one of its processes: that is what it is for.
        while flock.proxy.poll() is None:
            for name, process in flock.processes():
                if process.poll() is not None and name not in told:
                    told.add(name)
                    print(f"{name} has ended; {flock.directory}/{name}.log says why", file=sys.stderr, flush=True)
            time.sleep(1)
        print(f"HAProxy has ended; {flock.directory}/haproxy.log says why", file=sys.stderr)
    except KeyboardInterrupt:
        print("ending")
    finally:
        flock.stop()


if __name__ == "__main__":
    main()
