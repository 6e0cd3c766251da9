"""What only 5.0 has."""
import time

from harness import (V5, Client, connect_properties, equal, publish_properties, will_properties)
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions


def _client(identifier="", **options):
    return Client(identifier, V5, **options)


def properties_of_a_message_are_passed_on():
    with _client() as client:
        client.subscribe("props", 1)
        pairs = [("b", "1"), ("a", "2"), ("b", "3")]
        client.publish("props", b"{}", 1, props=publish_properties(
            PayloadFormatIndicator=1, ContentType="application/json", ResponseTopic="answers/1",
            CorrelationData=b"\x00\x01", MessageExpiryInterval=100, UserProperty=pairs))
        received = client.receive().properties
        equal(received.PayloadFormatIndicator, 1)
        equal(received.ContentType, "application/json")
        equal(received.ResponseTopic, "answers/1")
        equal(received.CorrelationData, b"\x00\x01")
        assert 98 <= received.MessageExpiryInterval <= 100, received.MessageExpiryInterval
        equal(received.UserProperty, pairs)


def requests_are_answered_on_the_response_topic():
    with _client() as asker, _client() as answerer:
        answerer.subscribe("questions", 1)
        asker.subscribe("answers/asker", 1)
        asker.publish("questions", b"6*7", 1, props=publish_properties(
            ResponseTopic="answers/asker", CorrelationData=b"id"))
        question = answerer.receive()
        answerer.publish(question.properties.ResponseTopic, b"42", 1, props=publish_properties(
            CorrelationData=question.properties.CorrelationData))
        answer = asker.receive()
        equal((answer.payload, answer.properties.CorrelationData), (b"42", b"id"))


def an_empty_client_identifier_is_assigned_one():
    with _client() as client:
        assert client.properties.AssignedClientIdentifier


def connack_tells_what_the_broker_can():
    with _client() as client:
        told = client.properties.json()
        for absent_means_yes in ("RetainAvailable", "WildcardSubscriptionAvailable", "SubscriptionIdentifierAvailable",
                                 "SharedSubscriptionAvailable"):
            equal(told.get(absent_means_yes, 1), 1)
        assert told.get("MaximumQoS", 2) == 2
        assert told.get("TopicAliasMaximum", 0) > 0


def topic_aliases_stand_for_topics():
    with _client() as publisher, _client() as subscriber:
        subscriber.subscribe("alias/#", 1)
        publisher.publish("alias/a/long/topic", b"1", 1, props=publish_properties(TopicAlias=1))
        publisher.publish("", b"2", 1, props=publish_properties(TopicAlias=1))
        publisher.publish("alias/other", b"3", 1, props=publish_properties(TopicAlias=1))
        publisher.publish("", b"4", 1, props=publish_properties(TopicAlias=1))
        received = [(m.topic, m.payload) for m in (subscriber.receive() for _ in range(4))]
        equal(received, [("alias/a/long/topic", b"1"), ("alias/a/long/topic", b"2"), ("alias/other", b"3"),
                         ("alias/other", b"4")])


def an_unknown_topic_alias_ends_the_connection():
    with _client() as client:
        client.paho.publish("", b"", 1, properties=publish_properties(TopicAlias=7))
        code, _ = client.wait_disconnected()
        assert code.value in (0x82, 0x94), code


def receive_maximum_holds_further_messages():
    with _client() as publisher, _client(manual=True, connect=connect_properties(ReceiveMaximum=2)) as client:
        client.subscribe("flow", 1)
        client.subscribe("marker")
        for number in range(5):
            publisher.publish("flow", str(number).encode(), 1)
        publisher.publish("marker", b"")
        held = [client.receive() for _ in range(3)]
        equal([m.topic for m in held], ["flow", "flow", "marker"])
        client.paho.ack(held[0].mid, 1)
        third = client.receive()
        equal(third.payload, b"2")
        client.paho.ack(held[1].mid, 1)
        client.paho.ack(third.mid, 1)
        equal(client.receive_payloads(2), [b"3", b"4"])


def maximum_packet_size_of_the_client_is_kept():
    with _client() as publisher, _client(connect=connect_properties(MaximumPacketSize=100)) as client:
        client.subscribe("size", 1)
        publisher.publish("size", bytes(200), 1)
        publisher.publish("size", b"small", 1)
        equal(client.receive().payload, b"small")


def subscription_identifiers_come_with_messages():
    with _client() as client:
        client.subscribe("ids/#", 1, identifier=1)
        client.subscribe("ids/x", 1, identifier=268_435_455)
        client.publish("ids/x", b"", 1)
        found = []
        while sorted(found) != [1, 268_435_455]:
            found += client.receive().properties.SubscriptionIdentifier
            assert len(found) <= 2, found
        client.unsubscribe("ids/x")
        client.publish("ids/x", b"", 1)
        equal(client.receive().properties.SubscriptionIdentifier, [1])


def no_local_keeps_own_messages_away():
    with _client() as client, _client() as other:
        client.subscribe("chat", options=SubscribeOptions(qos=1, noLocal=True))
        client.publish("chat", b"mine", 1)
        other.publish("chat", b"theirs", 1)
        equal(client.receive().payload, b"theirs")


def retain_as_published_keeps_the_flag():
    with _client() as client:
        client.subscribe("rap/yes", options=SubscribeOptions(qos=1, retainAsPublished=True))
        client.subscribe("rap/no", options=SubscribeOptions(qos=1, retainAsPublished=False))
        client.publish("rap/yes", b"x", 1, retain=True)
        equal(client.receive().retain, True)
        client.publish("rap/no", b"x", 1, retain=True)
        equal(client.receive().retain, False)


def retain_handling_says_when_retained_messages_come():
    with _client() as client:
        client.publish("rh", b"x", 1, retain=True)
        client.subscribe("rh", options=SubscribeOptions(qos=1, retainHandling=2))
        client.expect_nothing_before_marker()
        client.subscribe("rh", options=SubscribeOptions(qos=1, retainHandling=1))
        client.expect_nothing_before_marker()
        client.subscribe("rh", options=SubscribeOptions(qos=1, retainHandling=0))
        equal(client.receive().retain, True)
        client.unsubscribe("rh")
        client.subscribe("rh", options=SubscribeOptions(qos=1, retainHandling=1))
        equal(client.receive().retain, True)


def an_expired_message_is_not_delivered():
    keep = connect_properties(SessionExpiryInterval=600)
    with _client() as publisher:
        with _client("late", clean=False, connect=keep) as client:
            client.subscribe("expiry", 1)
            client.disconnect()
        publisher.publish("expiry", b"short", 1, props=publish_properties(MessageExpiryInterval=1))
        publisher.publish("expiry", b"long", 1, props=publish_properties(MessageExpiryInterval=1000))
        time.sleep(2.1)     # the rule is about time that passes
        with _client("late", clean=False, connect=keep) as client:
            message = client.receive()
            equal(message.payload, b"long")
            assert 990 <= message.properties.MessageExpiryInterval <= 998, message.properties.MessageExpiryInterval


def a_session_expires():
    with _client("brief", clean=False, connect=connect_properties(SessionExpiryInterval=1)) as client:
        client.disconnect()
    time.sleep(2.1)         # the rule is about time that passes
    with _client("brief", clean=False) as client:
        equal(client.flags.session_present, False)


def disconnect_may_change_the_session_expiry():
    with _client("leaver", clean=False, connect=connect_properties(SessionExpiryInterval=600)) as client:
        expiry = Properties(PacketTypes.DISCONNECT)
        expiry.SessionExpiryInterval = 0
        client.disconnect(ReasonCode(PacketTypes.DISCONNECT, identifier=0), expiry)
    with _client("leaver", clean=False) as client:
        equal(client.flags.session_present, False)


def a_will_waits_for_its_delay():
    will = {"topic": "wills/delayed", "payload": b"gone", "qos": 1, "properties": will_properties(
        WillDelayInterval=1, UserProperty=("k", "v"))}
    with _client() as watcher:
        watcher.subscribe("wills/delayed", 1)
        with _client("delayed", clean=False, will=will, connect=connect_properties(SessionExpiryInterval=600)):
            pass
        cut = time.monotonic()
        message = watcher.receive()
        equal((message.payload, message.properties.UserProperty), (b"gone", [("k", "v")]))
        assert time.monotonic() - cut > 0.7, "the will came before its delay was over"


def a_return_within_the_delay_cancels_the_will():
    will = {"topic": "wills/back", "payload": b"gone", "qos": 1,
            "properties": will_properties(WillDelayInterval=1)}
    keep = connect_properties(SessionExpiryInterval=600)
    with _client() as watcher:
        watcher.subscribe("wills/back", 1)
        with _client("back", clean=False, will=will, connect=keep):
            pass
        with _client("back", clean=False, connect=keep) as client:
            time.sleep(1.5)     # the rule is about time that passes
            client.disconnect()
        watcher.expect_nothing_before_marker()


def disconnect_with_will_publishes_it():
    with _client() as watcher:
        watcher.subscribe("wills/asked", 1)
        with _client(will={"topic": "wills/asked", "payload": b"gone", "qos": 1}) as client:
            client.disconnect(ReasonCode(PacketTypes.DISCONNECT, identifier=4))
        equal(watcher.receive().payload, b"gone")


def answers_carry_reason_codes():
    with _client() as client:
        # No matching subscribers: a broker may say so, or not.
        assert client.publish("nobody/listens", b"", 1).value in (0x00, 0x10)
        assert client.publish("nobody/listens", b"", 2).value in (0x00, 0x10)
        equal(client.unsubscribe("never/subscribed").value, 0x11)
        client.subscribe("somebody", 1)
        equal(client.publish("somebody", b"", 1).value, 0x00)
        equal(client.unsubscribe("somebody").value, 0x00)
