"""A network of its own for a flock: each node and each nats-server in a network namespace, all in one that this process
made, so that nothing outside is touched and all of it goes with the process. Links can be cut without a word, as a switch
or a cable does it."""
import os
import shutil
import subprocess
import sys

MARK = "TORTURE_HAS_NETWORK"


def enter():
    """Begins this program again in a namespace; False where the machine does not let it."""
    if os.environ.get(MARK):
        return True
    probe = ["unshare", "--net", "--mount", "sh", "-c", "ip link add x type bridge && mount -t tmpfs none /run"]
    if not shutil.which("unshare") or not shutil.which("ip"):
        return False
    if subprocess.run(probe, stderr=subprocess.DEVNULL).returncode:
        return False
    os.environ[MARK] = "1"
    os.execvp("unshare", ["unshare", "--net", "--mount", "sh", "-c", 'mount -t tmpfs none /run && exec "$0" "$@"',
                          sys.executable, *sys.argv])


def run(*command):
    subprocess.run(command, check=True)


class Network:
    """Behind, nodes and servers are ports of one bridge; a second one is for those who are cut off, together. Before,
    each node has a link of its own to its clients, which is never cut."""

    def __init__(self, nodes, servers):
        run("ip", "link", "set", "lo", "up")
        for bridge in ("flock", "apart"):
            run("ip", "link", "add", bridge, "type", "bridge")
            run("ip", "link", "set", bridge, "up")
        run("ip", "address", "add", "10.98.0.254/24", "dev", "flock")
        for name in self.names("node", nodes) + self.names("nats", servers):
            run("ip", "netns", "add", name)
            run("ip", "-n", name, "link", "set", "lo", "up")
            kind, number = name.split("-")
            self.link(name, f"b-{name}", f"10.98.0.{int(number) + (10 if kind == 'nats' else 0)}/24")
            run("ip", "link", "set", f"b-{name}", "master", "flock")
            if kind == "node":
                self.link(name, f"f-{name}", f"10.99.{number}.2/24")
                run("ip", "address", "add", f"10.99.{number}.1/24", "dev", f"f-{name}")
        self.hosts = [f"10.99.{number + 1}.2" for number in range(nodes)]
        self.server_hosts = [f"10.98.0.{number + 11}" for number in range(servers)]

    @staticmethod
    def names(kind, count):
        return [f"{kind}-{number + 1}" for number in range(count)]

    def link(self, name, port, address):
        """A cable from here to the namespace."""
        run("ip", "link", "add", port, "type", "veth", "peer", "name", "eth", "netns", name)
        run("ip", "-n", name, "link", "set", "eth", "name", port)
        run("ip", "-n", name, "address", "add", address, "dev", port)
        run("ip", "-n", name, "link", "set", port, "up")
        run("ip", "link", "set", port, "up")

    def command(self, name, command):
        """What runs the command in the namespace of that name, if there is one."""
        return ["ip", "netns", "exec", name, *command] if name.startswith(("node-", "nats-")) else command

    def cut(self, names):
        """They reach each other and nobody else."""
        for name in names:
            run("ip", "link", "set", f"b-{name}", "master", "apart")

    def heal(self, names):
        for name in names:
            run("ip", "link", "set", f"b-{name}", "master", "flock")
