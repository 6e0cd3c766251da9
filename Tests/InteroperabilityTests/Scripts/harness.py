"""What the cases share: a paho client whose callbacks fill queues, so that a case waits for what happened and not for
time to pass."""
import contextlib
import os
import queue
import socket
import threading
import time

import paho.mqtt.client as mqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

PATIENCE = 10.0     # seconds until a case gives up waiting for something that has to come
V31, V311, V5 = mqtt.MQTTv31, mqtt.MQTTv311, mqtt.MQTTv5
PORT = 0
# tcp, tls, ws or wss; the authority that signed the broker's certificate, and the client's own certificate and key.
TRANSPORT = os.environ.get("DUNLIN_TEST_TRANSPORT", "tcp")
AUTHORITY = os.environ.get("DUNLIN_TEST_AUTHORITY")
CERTIFICATE = os.environ.get("DUNLIN_TEST_CERTIFICATE")
KEY = os.environ.get("DUNLIN_TEST_KEY")


def properties(packet, **values):
    """Properties of a packet type; a list of pairs is repeated, one property each."""
    result = Properties(packet)
    for name, value in values.items():
        for one in value if isinstance(value, list) else [value]:
            setattr(result, name, one)
    return result


def connect_properties(**values):
    return properties(PacketTypes.CONNECT, **values)


def publish_properties(**values):
    return properties(PacketTypes.PUBLISH, **values)


def will_properties(**values):
    return properties(PacketTypes.WILLMESSAGE, **values)


def subscribe_properties(**values):
    return properties(PacketTypes.SUBSCRIBE, **values)


class Client:
    """A connection of a paho client. Leaving its `with` block ends it without DISCONNECT if it is still there."""

    def __init__(self, identifier="", version=V311, clean=True, connect=None, will=None, manual=False, keepalive=60):
        self.version = version
        self.messages = queue.Queue()
        self.connected = queue.Queue()
        self.disconnected = queue.Queue()
        self.granted = {}
        self.answered = threading.Condition()
        options = {} if version == V5 else {"clean_session": clean}
        self.paho = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id=identifier, protocol=version,
                                transport="websockets" if TRANSPORT in ("ws", "wss") else "tcp",
                                manual_ack=manual, reconnect_on_failure=False, **options)
        if TRANSPORT in ("tls", "wss"):
            self.paho.tls_set(ca_certs=AUTHORITY, certfile=CERTIFICATE, keyfile=KEY)
        self.paho.max_queued_messages_set(0)
        if will:
            self.paho.will_set(**will)
        self.paho.on_connect = lambda _c, _u, flags, code, props: self.connected.put((flags, code, props))
        self.paho.on_disconnect = lambda _c, _u, _f, code, props: self.disconnected.put((code, props))
        self.paho.on_message = lambda _c, _u, message: self.messages.put(message)
        self.paho.on_subscribe = lambda _c, _u, mid, codes, _p: self.answer(mid, codes)
        self.paho.on_unsubscribe = lambda _c, _u, mid, codes, _p: self.answer(mid, codes)
        self.paho.on_publish = lambda _c, _u, mid, code, _p: self.answer(mid, code)
        start = {"clean_start": clean, "properties": connect} if version == V5 else {}
        self.paho.connect("localhost" if TRANSPORT in ("tls", "wss") else "127.0.0.1", PORT, keepalive, **start)
        self.paho.loop_start()
        self.flags, self.code, self.properties = self.connected.get(timeout=PATIENCE)

    def __enter__(self):
        assert not self.code.is_failure, f"the broker refused: {self.code}"
        return self

    def __exit__(self, *_):
        self.cut()

    def answer(self, identifier, codes):
        with self.answered:
            self.granted[identifier] = codes
            self.answered.notify_all()

    def wait_answer(self, identifier):
        """The reason codes of the answer to a SUBSCRIBE, UNSUBSCRIBE or PUBLISH."""
        with self.answered:
            if not self.answered.wait_for(lambda: identifier in self.granted, PATIENCE):
                raise AssertionError(f"no answer to packet {identifier}")
            return self.granted.pop(identifier)

    def subscribe(self, topic, qos=0, options=None, identifier=None):
        props = subscribe_properties(SubscriptionIdentifier=identifier) if identifier else None
        if self.version == V5:
            options = options or SubscribeOptions(qos=qos)
            _, mid = self.paho.subscribe(topic, options=options, properties=props)
        else:
            _, mid = self.paho.subscribe(topic, qos)
        return self.wait_answer(mid)[0]

    def unsubscribe(self, topic):
        _, mid = self.paho.unsubscribe(topic)
        codes = self.wait_answer(mid)
        return codes[0] if codes else None

    def publish(self, topic, payload=b"", qos=0, retain=False, props=None):
        """Publishes and, above QoS 0, waits for the broker's answer; its reason code."""
        info = self.paho.publish(topic, payload, qos, retain, props)
        assert info.rc == mqtt.MQTT_ERR_SUCCESS, f"paho did not publish: {info.rc}"
        return self.wait_answer(info.mid)

    def publish_many(self, topic, payloads, qos):
        """Publishes without waiting in between, then waits for all answers."""
        infos = [self.paho.publish(topic, payload, qos) for payload in payloads]
        for info in infos:
            self.wait_answer(info.mid)

    def receive(self):
        """The next message; fails when none comes."""
        try:
            return self.messages.get(timeout=PATIENCE)
        except queue.Empty:
            raise AssertionError("no message came") from None

    def receive_payloads(self, count):
        return [self.receive().payload for _ in range(count)]

    def expect_nothing_before_marker(self):
        """No message is under way: a message that this client publishes to itself is the next to come."""
        marker = f"marker/{id(self)}"
        self.subscribe(marker)
        self.publish(marker, b"marker")
        message = self.receive()
        assert message.topic == marker, f"an unexpected message came: {message.topic} {message.payload!r}"

    def wait_disconnected(self):
        try:
            return self.disconnected.get(timeout=PATIENCE)
        except queue.Empty:
            raise AssertionError("the broker did not close the connection") from None

    def disconnect(self, reason=None, props=None):
        """DISCONNECT, and the end of the connection."""
        if reason is None:
            self.paho.disconnect()
        else:
            self.paho.disconnect(reasoncode=reason, properties=props)
        self.wait_disconnected()
        self.paho.loop_stop()

    def cut(self):
        """The connection ends without DISCONNECT."""
        sock = self.paho.socket()
        # Under WebSocket there is another.
        sock = getattr(sock, "_socket", sock)
        if sock:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        self.paho.loop_stop()
        if sock:
            with contextlib.suppress(OSError):
                sock.close()


def equal(found, wanted):
    assert found == wanted, f"found {found!r}, wanted {wanted!r}"


def eventually(condition, what):
    """For what no client is told of: asks until it is so."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f"not in {PATIENCE} s: {what}"
        time.sleep(0.05)
