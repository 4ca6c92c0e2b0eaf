"""A link hears those whose keys it knows, and only so much of them."""

import time
from collections.abc import Iterator
from contextlib import closing

import pytest

from ledger.wire.caller import Caller
from ledger.wire.curve import KeyPair, derived_pair, new_pair
from ledger.wire.listener import MESSAGE_BYTES, QUEUE_MESSAGES, Heard, Listener

OURS, THEIRS = (derived_pair("s" * 32, "group", role) for role in ("rank 0", "other ranks"))


@pytest.fixture
def listener() -> Iterator[Listener]:
    with closing(Listener("tcp://127.0.0.1:*", OURS, lambda key: key == THEIRS.public)) as made:
        yield made


def heard_by(listener: Listener, seconds: float = 10.0) -> Heard | None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if (heard := listener.receive(0.1)) is not None:
            return heard
    return None


def caller_to(listener: Listener, key: bytes = OURS.public, pair: KeyPair = THEIRS) -> "closing[Caller]":
    return closing(Caller(listener.address, key, pair))


def test_a_message_of_a_known_key_is_heard_and_answered(listener: Listener) -> None:
    with caller_to(listener) as caller:
        assert caller.send([b"start", b"x"])
        heard = heard_by(listener)
        assert heard is not None
        assert heard.frames == [b"start", b"x"]
        listener.send(heard.address, [b"welcome"])
        assert caller.receive(10) == [b"welcome"]


@pytest.mark.parametrize("wrong", ["own key", "key of the listener", "another training"])
def test_a_stranger_is_not_heard(listener: Listener, wrong: str) -> None:
    other = derived_pair("s" * 32, "other group", "other ranks")
    pair = {"own key": new_pair(), "another training": other}.get(wrong, THEIRS)
    with caller_to(listener, new_pair().public if wrong == "key of the listener" else OURS.public, pair) as stranger:
        stranger.send([b"start"])
        assert heard_by(listener, 1.0) is None
    with caller_to(listener) as caller:
        caller.send([b"start"])
        assert heard_by(listener) is not None


def test_a_message_that_is_too_large_is_not_read_and_the_next_is(listener: Listener) -> None:
    with caller_to(listener) as caller:
        caller.send([b"x" * (MESSAGE_BYTES + 1)])
        assert heard_by(listener, 1.0) is None
    with caller_to(listener) as caller:
        caller.send([b"small"])
        heard = heard_by(listener)
        assert heard is not None
        assert heard.frames == [b"small"]


def test_a_message_of_too_many_parts_is_left_alone(listener: Listener) -> None:
    with caller_to(listener) as caller:
        caller.send([b"part"] * 9)
        caller.send([b"small"])
        heard = heard_by(listener)
        assert heard is not None
        assert heard.frames == [b"small"]


def test_who_sends_without_a_listener_never_waits_and_holds_little() -> None:
    with closing(Caller("tcp://127.0.0.1:1", OURS.public, THEIRS)) as caller:
        began = time.monotonic()
        sent = sum(caller.send([b"x" * 1000]) for _ in range(10 * QUEUE_MESSAGES))
        assert sent <= QUEUE_MESSAGES
        assert time.monotonic() - began < 5
    caller.wake()  # after its end: does nothing


def test_an_address_that_cannot_be_is_an_error_of_the_system(listener: Listener) -> None:
    with pytest.raises(OSError, match="cannot listen"):
        Listener(listener.address, OURS, lambda _key: True)
    with pytest.raises(OSError, match="cannot connect: `nowhere`"):
        Caller("nowhere", OURS.public, THEIRS)


def test_keys_are_the_same_on_both_sides_and_others_for_every_purpose() -> None:
    pairs = {derived_pair(secret, group, "rank 0") for secret in ("a" * 32, "b" * 32) for group in "xy"}
    assert len(pairs) == 4
    assert derived_pair("a" * 32, "x", "rank 0") in pairs
    assert derived_pair("a" * 32, "ab", "c") != derived_pair("a" * 32, "a", "bc")
