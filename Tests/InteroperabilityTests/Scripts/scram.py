"""Connects with MQTT 5.0 and SCRAM-SHA-256, proves itself again, and publishes: an implementation of its own of both.

Arguments: port, user, password. Prints what the broker answered, a line each.
"""

import base64
import hashlib
import hmac
import os
import socket
import struct
import sys

METHOD = b"SCRAM-SHA-256"


def string(data):
    return struct.pack("!H", len(data)) + data


def packet(first, body):
    length, rest = b"", len(body)
    while True:
        byte, rest = rest & 0x7F, rest >> 7
        length += bytes([byte | (0x80 if rest else 0)])
        if not rest:
            return bytes([first]) + length + body


def with_properties(*parts):
    body = b"".join(parts)
    assert len(body) < 16384
    if len(body) < 128:
        return bytes([len(body)]) + body
    return bytes([len(body) & 0x7F | 0x80, len(body) >> 7]) + body


def authentication(data):
    return with_properties(b"\x15" + string(METHOD), b"\x16" + string(data))


class Connection:
    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=20)
        self.buffer = b""

    def send(self, data):
        self.socket.sendall(data)

    def exactly(self, count):
        while len(self.buffer) < count:
            data = self.socket.recv(65536)
            if not data:
                raise EOFError
            self.buffer += data
        result, self.buffer = self.buffer[:count], self.buffer[count:]
        return result

    def read(self):
        first, length, shift = self.exactly(1)[0], 0, 0
        while True:
            byte = self.exactly(1)[0]
            length |= (byte & 0x7F) << shift
            shift += 7
            if not byte & 0x80:
                return first, self.exactly(length)


def authentication_data(body):
    """The Authentication Data among the properties, which begin at `body`."""
    length, start = body[0], 1
    if length & 0x80:
        length, start = length & 0x7F | body[1] << 7, 2
    end, data = start + length, None
    while start < end:
        name = body[start]
        if name in (0x15, 0x16, 0x12, 0x1A, 0x1F):
            size = struct.unpack("!H", body[start + 1:start + 3])[0]
            if name == 0x16:
                data = body[start + 3:start + 3 + size]
            start += 3 + size
        else:
            start += {0x11: 5, 0x27: 5, 0x21: 3, 0x22: 3, 0x13: 3}.get(name, 2)
    return data


class Scram:
    def __init__(self, user, password):
        self.password = password.encode()
        self.bare = b"n=" + user.encode() + b",r=" + base64.b64encode(os.urandom(18))
        self.first = b"n,," + self.bare

    def last(self, server_first):
        values = dict(part.split(b"=", 1) for part in server_first.split(b","))
        salted = hashlib.pbkdf2_hmac("sha256", self.password, base64.b64decode(values[b"s"]), int(values[b"i"]))
        client_key = hmac.digest(salted, b"Client Key", "sha256")
        without_proof = b"c=biws,r=" + values[b"r"]
        message = self.bare + b"," + server_first + b"," + without_proof
        signature = hmac.digest(hashlib.sha256(client_key).digest(), message, "sha256")
        proof = bytes(a ^ b for a, b in zip(client_key, signature))
        self.expected = b"v=" + base64.b64encode(hmac.digest(hmac.digest(salted, b"Server Key", "sha256"), message, "sha256"))
        return without_proof + b",p=" + base64.b64encode(proof)


def main():
    port, user, password = int(sys.argv[1]), sys.argv[2], sys.argv[3]
    connection, scram = Connection(port), Scram(user, password)
    connection.send(packet(0x10, string(b"MQTT") + b"\x05\x02\x00\x00" + authentication(scram.first) + string(b"scram")))
    first, body = connection.read()
    if first == 0x20:
        print(f"CONNACK {body[1]:02X}")
        return
    assert first == 0xF0 and body[0] == 0x18, (first, body)
    connection.send(packet(0xF0, b"\x18" + authentication(scram.last(authentication_data(body[1:])))))
    first, body = connection.read()
    print(f"CONNACK {body[1]:02X}")
    if body[1]:
        return
    print("server proven" if authentication_data(body[2:]) == scram.expected else "server not proven")
    again = Scram(user, password)
    connection.send(packet(0xF0, b"\x19" + authentication(again.first)))
    first, body = connection.read()
    assert first == 0xF0 and body[0] == 0x18, (first, body)
    challenge = authentication_data(body[1:])
    # Everything else goes on meanwhile.
    connection.send(packet(0x32, string(b"own/" + user.encode() + b"/t") + b"\x00\x01\x00x"))
    first, body = connection.read()
    print(f"PUBACK {body[2] if len(body) > 2 else 0:02X}")
    connection.send(packet(0xF0, b"\x18" + authentication(again.last(challenge))))
    first, body = connection.read()
    print(f"AUTH {body[0]:02X}" if first == 0xF0 else f"packet {first:02X}")
    print("server proven" if authentication_data(body[1:]) == again.expected else "server not proven")



if __name__ == "__main__":
    main()
