"""A load of clients with sessions that last: many connections in one loop, packets of one size, so that a batch is
taken apart by slices and costs the generator next to nothing."""
import itertools
import os
import select
import socket
import struct
import time

LASTING = 0xFFFFFFFF


def text(value):
    data = value.encode()
    return struct.pack(">H", len(data)) + data


def packet(first, body):
    length, head = len(body), bytearray([first])
    while True:
        length, low = divmod(length, 128)
        head.append(low | (0x80 if length else 0))
        if not length:
            return bytes(head) + body


def connect(client, expiry, version=5, receive_maximum=65535):
    """CONNECT of 5.0 or 3.1.1 (4), to go on with the session if there is one."""
    if version == 4:
        return packet(0x10, b"\0\4MQTT\4" + (b"\0" if expiry else b"\2") + b"\0\0" + text(client))
    properties = b"\x11" + struct.pack(">I", expiry) + b"\x21" + struct.pack(">H", receive_maximum)
    return packet(0x10, b"\0\4MQTT\5\0\0\0\x08" + properties + text(client))


def subscribe(pattern, qos=1, version=5):
    return packet(0x82, b"\0\1" + b"\0" * (version == 5) + text(pattern) + bytes([qos]))


def publish(topic, identifier, payload, version=5, qos=1, retain=False):
    return packet(
        0x30 | qos << 1 | retain,
        text(topic) + struct.pack(">H", identifier) * (qos > 0) + b"\0" * (version == 5) + payload)


DISCONNECT = b"\xe0\0"


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Failed(Exception):
    pass


def whole_packets(data):
    """The packets at the front of `data`, each its first byte and its body, and the rest."""
    packets, start = [], 0
    while True:
        at, length, shift = start + 1, 0, 0
        while at < len(data):
            byte = data[at]
            at += 1
            length |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                break
        else:
            return packets, data[start:]
        if at + length > len(data):
            return packets, data[start:]
        packets.append((data[start], data[at:at + length]))
        start = at + length


def open_sessions(
        port, clients, expiry=LASTING, keep=False, at_once=500, seconds=300, version=5, receive_maximum=65535):
    """Connects `clients` to the port, or to each of several in turn: of each the identifier, the packets to send behind its CONNECT, each of which is answered, and
    perhaps the number of messages that then have to come. Disconnects them
    again unless `keep`; returns their sockets."""
    waiting, ports = list(reversed(clients)), itertools.cycle([port] if isinstance(port, int) else port)
    poll = select.epoll()
    state, sockets, deadline = {}, [], time.monotonic() + seconds
    while waiting or state:
        while waiting and len(state) < at_once:
            client, packets, *more = waiting.pop()
            one = socket.create_connection(("127.0.0.1", next(ports)), 30)
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            one.sendall(connect(client, expiry, version, receive_maximum) + b"".join(packets))
            state[one.fileno()] = [one, 1 + len(packets) + sum(more), b""]
            poll.register(one, select.EPOLLIN)
        for number, _ in poll.poll(1):
            entry = state[number]
            one = entry[0]
            data = one.recv(1 << 16)
            if not data:
                raise Failed("the broker closed a connection")
            packets, entry[2] = whole_packets(entry[2] + data)
            for first, body in packets:
                if first == 0x20 and body[1] or first == 0x90 and body[-1] > 2:
                    raise Failed(f"refused: {first:#x} {body.hex()}")
            entry[1] -= len(packets)
            if entry[1] <= 0:
                poll.unregister(one)
                del state[number]
                if keep:
                    sockets.append(one)
                else:
                    one.sendall(DISCONNECT)
                    one.close()
        if time.monotonic() > deadline:
            raise Failed(f"{len(state) + len(waiting)} clients got no answer")
    return sockets


class Publisher:
    """Keeps `window` messages unacknowledged, until `count` are sent if there is one."""

    RING = 1000

    def __init__(self, one, topics, payload, window, count=None, version=5, retain=False):
        self.socket, self.left, self.acknowledged = one, count, 0
        ring = [publish(topics[n % len(topics)], n % 65535 + 1, payload, version, retain=retain)
                for n in range(max(self.RING, len(topics)))]
        self.size, self.ring, self.position = len(ring[0]), b"".join(ring), 0
        if any(len(each) != self.size for each in ring):
            raise Failed("topics have to be of one length")
        self.rest = 0
        self.send(window)

    def send(self, count):
        if self.left is not None:
            count = min(count, self.left)
            self.left -= count
        while count > 0:
            total = len(self.ring) // self.size
            some = min(count, total - self.position)
            self.socket.sendall(self.ring[self.position * self.size:(self.position + some) * self.size])
            self.position = (self.position + some) % total
            count -= some

    def readable(self):
        data = self.socket.recv(1 << 16)
        if not data:
            raise Failed("the broker closed a publisher")
        self.rest += len(data)
        done, self.rest = divmod(self.rest, 4)
        self.acknowledged += done
        self.send(done)


class Subscriber:
    """Acknowledges what comes: PUBLISH packets that all have the size of the first."""

    def __init__(self, one, topic, payload, version=5):
        self.socket, self.received, self.rest = one, 0, b""
        self.size = len(publish(topic, 1, payload, version))
        self.at = self.size - len(payload) - 2 - (version == 5)

    def readable(self):
        data = self.socket.recv(1 << 18)
        if not data:
            raise Failed("the broker closed a subscriber")
        data = self.rest + data
        count = len(data) // self.size
        end = count * self.size
        if count:
            if data[0] & 0xF0 != 0x30 or data[end - self.size] & 0xF0 != 0x30:
                raise Failed("something else than a message came")
            answer = bytearray(4 * count)
            answer[0::4], answer[1::4] = b"\x40" * count, b"\2" * count
            answer[2::4], answer[3::4] = data[self.at:end:self.size], data[self.at + 1:end:self.size]
            self.socket.sendall(answer)
            self.received += count
        self.rest = data[end:]


def run(ends, until):
    """Serves publishers and subscribers until `until()` says so."""
    poll = select.epoll()
    by_number = {end.socket.fileno(): end for end in ends}
    for number in by_number:
        poll.register(number, select.EPOLLIN)
    while not until():
        for number, _ in poll.poll(0.05):
            by_number[number].readable()
