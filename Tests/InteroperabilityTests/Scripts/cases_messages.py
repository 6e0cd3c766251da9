"""Messages from a publisher to a subscriber, in every version."""
from harness import Client, equal


def every_qos_arrives_as_the_lower_of_both(version):
    with Client(version=version) as publisher, Client(version=version) as subscriber:
        for granted in (0, 1, 2):
            code = subscriber.subscribe(f"q/{granted}", granted)
            equal(getattr(code, "value", code), granted)
        for granted in (0, 1, 2):
            for published in (0, 1, 2):
                publisher.publish(f"q/{granted}", b"x", published)
                message = subscriber.receive()
                equal((message.topic, message.qos, message.retain), (f"q/{granted}", min(granted, published), False))


def wildcards_match_what_they_should(version):
    with Client(version=version) as client:
        client.subscribe("home/+/temp", 1)
        client.subscribe("yard/#", 1)
        for topic in ("home/kitchen/temp", "home/a/b/temp", "home/temp", "home//temp", "yard", "yard/x/y", "yardx"):
            client.publish(topic, topic.encode(), 1)
        equal(client.receive_payloads(4), [b"home/kitchen/temp", b"home//temp", b"yard", b"yard/x/y"])
        client.expect_nothing_before_marker()


def wildcards_do_not_match_topics_of_the_broker(version):
    with Client(version=version) as client:
        client.subscribe("#", 0)
        client.publish("$private/x", b"hidden", 1)
        client.publish("open", b"seen", 1)
        equal(client.receive().topic, "open")


def a_retained_message_comes_to_a_later_subscriber(version):
    with Client(version=version) as publisher, Client(version=version) as subscriber:
        publisher.publish("state/lamp", b"on", 1, retain=True)
        publisher.publish("state/door", b"open", 2, retain=True)
        publisher.publish("state/door", b"shut", 1, retain=True)
        subscriber.subscribe("state/+", 1)
        received = sorted((m.topic, m.payload, m.retain) for m in (subscriber.receive(), subscriber.receive()))
        equal(received, [("state/door", b"shut", True), ("state/lamp", b"on", True)])
        publisher.publish("state/lamp", b"off", 1, retain=True)
        message = subscriber.receive()
        equal((message.payload, message.retain), (b"off", False))


def an_empty_retained_message_deletes(version):
    with Client(version=version) as publisher, Client(version=version) as subscriber:
        publisher.publish("state/gone", b"here", 1, retain=True)
        publisher.publish("state/gone", b"", 1, retain=True)
        subscriber.subscribe("state/gone", 1)
        subscriber.expect_nothing_before_marker()


def a_thousand_messages_keep_their_order(version):
    payloads = [str(number).encode() for number in range(1000)]
    for qos in (0, 1, 2):
        with Client(version=version) as publisher, Client(version=version) as subscriber:
            subscriber.subscribe("order", qos)
            publisher.publish_many("order", payloads, qos)
            equal(subscriber.receive_payloads(1000), payloads)
            subscriber.expect_nothing_before_marker()


def payloads_are_bytes_of_any_length(version):
    with Client(version=version) as client:
        client.subscribe("bytes/ünï/𝄞", 1)
        for payload in (b"", b"\0\xff", bytes(127), bytes(128), bytes(16_383), bytes(300_000)):
            client.publish("bytes/ünï/𝄞", payload, 1)
            message = client.receive()
            equal((message.topic, len(message.payload), message.payload), ("bytes/ünï/𝄞", len(payload), payload))


def unsubscribing_ends_delivery(version):
    with Client(version=version) as client:
        client.subscribe("once", 1)
        client.publish("once", b"1", 1)
        client.receive()
        client.unsubscribe("once")
        client.publish("once", b"2", 1)
        client.expect_nothing_before_marker()


def subscribing_again_replaces_the_qos(version):
    with Client(version=version) as client:
        client.subscribe("again", 0)
        client.subscribe("again", 2)
        client.publish("again", b"x", 2)
        equal(client.receive().qos, 2)
        client.expect_nothing_before_marker()


def members_of_a_group_share_the_messages(version):
    with Client(version=version) as publisher, Client(version=version) as one, Client(version=version) as other, \
            Client(version=version) as outsider:
        for member in (one, other):
            member.subscribe("$share/group/work", 1)
        outsider.subscribe("work", 1)
        payloads = [str(number).encode() for number in range(20)]
        publisher.publish_many("work", payloads, 1)
        equal(outsider.receive_payloads(20), payloads)
        received = []
        for member in (one, other):
            marker = f"end/{id(member)}"
            member.subscribe(marker, 1)
            member.publish(marker, b"", 1)
            mine = []
            while (message := member.receive()).topic != marker:
                mine.append(message.payload)
            assert mine, "a member of the group got nothing"
            received += mine
        equal(sorted(received, key=int), payloads)
