"""Sessions, wills and takeovers, in every version."""
from harness import V5, Client, connect_properties, equal, eventually


def _keep(version, seconds=600):
    """What a CONNECT says so that the session outlives its connection."""
    return {"connect": connect_properties(SessionExpiryInterval=seconds)} if version == V5 else {}


def session_present_tells_the_truth(version):
    keep = _keep(version)
    with Client("teller", version, clean=True, **keep) as client:
        equal(client.flags.session_present, False)
        client.disconnect()
    with Client("teller", version, clean=False, **keep) as client:
        # 3.1 has no such flag; 3.1 and 3.1.1 drop a session that began clean.
        equal(client.flags.session_present, version == V5)
        client.disconnect()
    with Client("teller", version, clean=False, **keep) as client:
        equal(client.flags.session_present, version != 3)
        client.disconnect()
    with Client("teller", version, clean=True) as client:
        equal(client.flags.session_present, False)


def messages_wait_for_an_absent_client_in_order(version):
    keep = _keep(version)
    with Client(version=version) as publisher:
        with Client("absent", version, clean=False, **keep) as client:
            client.subscribe("mail/1", 2)
            client.disconnect()
        for number in range(50):
            publisher.publish("mail/1", f"1-{number}".encode(), 1)
            publisher.publish("mail/1", f"2-{number}".encode(), 2)
            publisher.publish("mail/1", b"0", 0)
        with Client("absent", version, clean=False, **keep) as client:
            # QoS 0 messages may wait or not; the others have to, each QoS in its order.
            received = _all_until_marker(client)
            for qos in (1, 2):
                prefix = f"{qos}-".encode()
                equal([p for p in received if p.startswith(prefix)], [b"%d-%d" % (qos, n) for n in range(50)])


def _all_until_marker(client):
    client.subscribe("marker/end", 2)
    client.publish("marker/end", b"", 2)
    received = []
    while (message := client.receive()).topic != "marker/end":
        received.append(message.payload)
    return received


def an_unacknowledged_message_comes_again(version):
    keep = _keep(version)
    with Client(version=version) as publisher:
        with Client("careless", version, clean=False, manual=True, **keep) as client:
            client.subscribe("again", 1)
            publisher.publish("again", b"x", 1)
            equal(client.receive().dup, False)
        with Client("careless", version, clean=False, **keep) as client:
            message = client.receive()
            equal((message.payload, message.dup, message.qos), (b"x", True, 1))


def a_clean_session_forgets(version):
    keep = _keep(version)
    with Client(version=version) as publisher:
        with Client("forgetful", version, clean=False, **keep) as client:
            client.subscribe("mail/2", 1)
            client.disconnect()
        publisher.publish("mail/2", b"lost", 1)
        with Client("forgetful", version, clean=True) as client:
            publisher.publish("mail/2", b"lost too", 1)
            client.expect_nothing_before_marker()


def the_same_client_identifier_takes_over(version):
    with Client("twin", version) as first, Client("twin", version) as second:
        # Paho reads a reason code only when properties follow it; the mosquitto clients' test looks at 0x8E.
        first.wait_disconnected()
        second.expect_nothing_before_marker()


def a_takeover_carries_the_session_on(version):
    keep = _keep(version)
    with Client(version=version) as publisher, Client("heir", version, clean=False, **keep) as first:
        first.subscribe("estate", 1)
        with Client("heir", version, clean=False, **keep) as second:
            first.wait_disconnected()
            publisher.publish("estate", b"x", 1)
            equal(second.receive().payload, b"x")


def a_will_is_published_when_the_connection_is_lost(version):
    with Client(version=version) as watcher:
        watcher.subscribe("wills/+", 2)
        for qos in (0, 1, 2):
            will = {"topic": f"wills/{qos}", "payload": b"gone", "qos": qos, "retain": qos == 1}
            with Client(version=version, will=will):
                pass
            message = watcher.receive()
            equal((message.topic, message.payload, message.qos), (f"wills/{qos}", b"gone", qos))
        with Client(version=version) as late:
            late.subscribe("wills/+", 2)
            message = late.receive()
            equal((message.topic, message.retain), ("wills/1", True))
            late.expect_nothing_before_marker()


def a_goodbye_discards_the_will(version):
    with Client(version=version) as watcher:
        watcher.subscribe("wills/polite", 1)
        with Client(version=version, will={"topic": "wills/polite", "payload": b"gone", "qos": 1}) as client:
            client.disconnect()
        watcher.expect_nothing_before_marker()


def a_takeover_publishes_the_will(version):
    with Client(version=version) as watcher:
        watcher.subscribe("wills/replaced", 1)
        will = {"topic": "wills/replaced", "payload": b"gone", "qos": 1}
        with Client("replaced", version, will=will), Client("replaced", version):
            equal(watcher.receive().payload, b"gone")


def keep_alive_is_held_to(version):
    with Client(version=version) as watcher:
        watcher.subscribe("wills/silent", 1)
        silent = Client(version=version, will={"topic": "wills/silent", "payload": b"gone", "qos": 1}, keepalive=1)
        # Paho's thread ends and with it its PINGREQs; the connection stays open until the broker closes it.
        silent.paho._thread_terminate = True
        eventually(lambda: not silent.paho._thread or not silent.paho._thread.is_alive(), "paho's thread ends")
        equal(watcher.receive().payload, b"gone")
