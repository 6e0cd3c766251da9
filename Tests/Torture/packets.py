"""The few packets of MQTT 3.1.1 and 5.0 that the torture clients speak, and a connection that carries them."""
import asyncio
import struct

CONNACK, PUBLISH, PUBACK, PUBREC, PUBREL, PUBCOMP = 2, 3, 4, 5, 6, 7
SUBACK, UNSUBACK, PINGRESP, DISCONNECT = 9, 11, 13, 14
NAMES = {CONNACK: "CONNACK", PUBLISH: "PUBLISH", PUBACK: "PUBACK", PUBREC: "PUBREC", PUBREL: "PUBREL",
         PUBCOMP: "PUBCOMP", SUBACK: "SUBACK", UNSUBACK: "UNSUBACK", PINGRESP: "PINGRESP", DISCONNECT: "DISCONNECT"}
NEVER = 0xFFFFFFFF


class Lost(Exception):
    """The network connection has ended."""


def string(text):
    data = text.encode() if isinstance(text, str) else text
    return struct.pack("!H", len(data)) + data


def variable(value):
    out = bytearray()
    while True:
        value, byte = value >> 7, value & 0x7F
        out.append(byte | (0x80 if value else 0))
        if not value:
            return bytes(out)


def packet(kind, flags, body):
    return bytes([kind << 4 | flags]) + variable(len(body)) + body


def properties(version, data=b""):
    return variable(len(data)) + data if version == 5 else b""


def connect(version, client, clean, expiry=NEVER, receive_maximum=None, will=None):
    """`will` is (topic, payload, qos, retain, delay in seconds)."""
    flags = 0x02 if clean else 0
    if will:
        flags |= 0x04 | will[2] << 3 | (0x20 if will[3] else 0)
    props = b""
    if expiry:
        props += b"\x11" + struct.pack("!I", expiry)
    if receive_maximum:
        props += b"\x21" + struct.pack("!H", receive_maximum)
    body = string("MQTT") + bytes([version, flags]) + struct.pack("!H", 0) + properties(version, props) + string(client)
    if will:
        delay = b"\x18" + struct.pack("!I", will[4]) if will[4] else b""
        body += properties(version, delay) + string(will[0]) + string(will[1])
    return packet(1, 0, body)


def publish(version, topic, payload, qos, identifier, duplicate=False, retain=False, expiry=None):
    props = b"" if expiry is None else b"\x02" + struct.pack("!I", expiry)
    body = string(topic) + (struct.pack("!H", identifier) if qos else b"") + properties(version, props) + payload
    return packet(PUBLISH, (8 if duplicate else 0) | qos << 1 | (1 if retain else 0), body)


def acknowledgement(kind, identifier):
    return packet(kind, 2 if kind == PUBREL else 0, struct.pack("!H", identifier))


def subscribe(version, packet_identifier, filters, identifier=None):
    """`identifier`: the Subscription Identifier of 5.0."""
    props = b"\x0b" + variable(identifier) if identifier else b""
    body = struct.pack("!H", packet_identifier) + properties(version, props)
    return packet(8, 2, body + b"".join(string(name) + bytes([qos]) for name, qos in filters))


def unsubscribe(version, identifier, filters):
    body = struct.pack("!H", identifier) + properties(version)
    return packet(10, 2, body + b"".join(string(name) for name in filters))


PINGREQ = packet(12, 0, b"")


def disconnect(version, reason=0):
    return packet(DISCONNECT, 0, bytes([reason]) if version == 5 and reason else b"")


class Received:
    """A packet from the broker, taken apart as far as the torture needs it."""

    def __init__(self, version, first, body):
        self.kind = first >> 4
        self.duplicate, self.qos, self.retain = bool(first & 8), first >> 1 & 3, bool(first & 1)
        self.identifier, self.reason, self.present, self.reasons = 0, 0, False, b""
        self.expiry, self.subscriptions = None, []
        if self.kind == CONNACK:
            self.present, self.reason = bool(body[0] & 1), body[1]
        elif self.kind == PUBLISH:
            length = struct.unpack_from("!H", body)[0]
            self.topic, at = body[2:2 + length].decode(), 2 + length
            if self.qos:
                self.identifier, at = struct.unpack_from("!H", body, at)[0], at + 2
            self.payload = body[self.read_properties(body, at):] if version == 5 else body[at:]
        elif self.kind in (PUBACK, PUBREC, PUBREL, PUBCOMP):
            self.identifier = struct.unpack_from("!H", body)[0]
            self.reason = body[2] if len(body) > 2 else 0
        elif self.kind in (SUBACK, UNSUBACK):
            self.identifier = struct.unpack_from("!H", body)[0]
            self.reasons = body[self.read_properties(body, 2):] if version == 5 else body[2:]
        elif self.kind == DISCONNECT:
            self.reason = body[0] if body else 0

    def read_properties(self, body, at):
        """Those that a broker sends to the torture clients: message expiry, subscription identifiers, reason strings."""
        length, at = read_variable(body, at)
        end = at + length
        while at < end:
            kind, at = body[at], at + 1
            if kind == 0x02:
                self.expiry, at = struct.unpack_from("!I", body, at)[0], at + 4
            elif kind == 0x0B:
                identifier, at = read_variable(body, at)
                self.subscriptions.append(identifier)
            elif kind == 0x1F:
                at += 2 + struct.unpack_from("!H", body, at)[0]
            else:
                raise ValueError(f"property {kind:#x} in a packet of type {self.kind}")
        return end


def read_variable(body, at):
    value, shift = 0, 0
    while True:
        byte = body[at]
        value, at, shift = value | (byte & 0x7F) << shift, at + 1, shift + 7
        if not byte & 0x80:
            return value, at


class Connection:
    """A network connection. Every way in which it can end is `Lost`."""

    def __init__(self, version, reader, writer):
        self.version, self.reader, self.writer = version, reader, writer

    @classmethod
    async def open(cls, version, port, host="127.0.0.1"):
        try:
            return cls(version, *await asyncio.open_connection(host, port))
        except OSError as error:
            raise Lost from error

    def send(self, data):
        if self.writer.is_closing():
            raise Lost
        self.writer.write(data)

    async def receive(self):
        try:
            first, length, shift = (await self.reader.readexactly(1))[0], 0, 0
            while True:
                byte = (await self.reader.readexactly(1))[0]
                length, shift = length | (byte & 0x7F) << shift, shift + 7
                if not byte & 0x80:
                    break
            return Received(self.version, first, await self.reader.readexactly(length))
        except (OSError, EOFError) as error:
            raise Lost from error

    def receiving(self):
        """A task that receives; it may be left alone."""
        task = asyncio.ensure_future(self.receive())
        task.add_done_callback(lambda done: done.cancelled() or done.exception())
        return task

    def abort(self):
        """Without a DISCONNECT: the will is published."""
        self.writer.transport.abort()

    async def close(self, reason=0):
        """With a DISCONNECT; waits for the broker to close."""
        try:
            self.send(disconnect(self.version, reason))
            # Not packets: whoever read them before may have been in the middle of one.
            while await self.reader.read(1 << 16):
                pass
        except (Lost, OSError):
            pass
        self.abort()
