"""Where a value begins to be a secret: how long, how random, under how sure a name, told with which words."""

import pytest

from ledger.capture.secrets.redactor import Redactor


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("the token is {}", "a1b2c3d4e5"),
        ("log in with token {}", "a1b2c3d4e5f6g7h8"),
        ("the password is {}", "abcd"),
        ("the password hunt2x is in use", "hunt2x"),
        ("API_KEY={}", "123456789012"),
        ("password={}", "12345"),
        ('"passwords": ["{}", "b"]', "swordfish"),
        ("passwords: ['{}']", "swordfish"),
        ('ENV DB_TOKEN "{}"', "a1b2c3d4e5"),
        ("https://ada:{}@example.org/x", "gandalf"),
        ("password: '{}'", "swordfish"),
        ("token: {}", "YWRhOmdhbmRhbGY="),
    ],
)
def test_what_is_enough_of_a_secret_goes(text: str, secret: str) -> None:
    assert secret not in Redactor().text(text.replace("{}", secret))


@pytest.mark.parametrize(
    "text",
    [
        "log in with token a1b2c3d4e5",
        "the password is abc",
        "the password hun2x is in use",
        "API_KEY=12345678901",
        '"tokens": ["swordfish", "eos"]',
        "token: swordfish",
        "auth: YWRhOmdhbmRhbG",
        "\\u, \\x and \\ in a text",
    ],
)
def test_what_is_too_little_stays(text: str) -> None:
    assert Redactor().text(text) == text


@pytest.mark.parametrize(
    ("params", "kept"),
    [
        ({"auth": "basic", "token": "1234567890123"}, True),
        ({"hf_token": True, "api_key": False}, True),
        ({"api_key": 123456789, "password": 7.5}, False),
        ({"password": ""}, True),
        ({"passwords": ["swordfish", 12]}, False),
        ({"token": 7}, True),
    ],
)
def test_a_param_under_a_weak_name_must_look_like_a_secret(params: dict[str, object], kept: bool) -> None:  # noqa: FBT001  # a column of the table
    found = Redactor().params(params)  # type: ignore[arg-type]  # values of params, by eye
    assert (found == params) is kept
    if not kept:
        assert "swordfish" not in str(found)
        assert str(found).count("[redacted: ") == 2


def test_an_option_promises_its_next_argument_and_nothing_else_does() -> None:
    argv = ["x", "--token", "a1b2c3d4", "--use-auth", "yes", "--api-key=abc", "token", "a1b2c3d4", "--password", "--lr"]
    assert Redactor().argv(argv) == [
        *("x", "--token", "[redacted: token]", "--use-auth", "yes", "--api-key=[redacted: api-key]"),
        *("token", "a1b2c3d4", "--password", "--lr"),
    ]


def test_what_is_taken_out_of_an_address_is_counted() -> None:
    redactor = Redactor()
    assert redactor.url("https://ada:pw@example.org/x") == "https://example.org/x"
    assert redactor.url("ssh://git@example.org/x") == "ssh://example.org/x"
    assert redactor.counts == {"url-credentials": 1}


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ('passwords:\n  - "hunter2x"\nlr: 0.1', 'passwords:\n  - "[redacted: password]"\nlr: 0.1'),
        ('password: |\n  correct "horse" battery\nlr: 0.1', "password: |\n  [redacted: password]\nlr: 0.1"),
        ("passwords:\n  db: hunter2x # main\n", "passwords:\n  db: [redacted: password] # main\n"),
        ("openssl rsa -passin pass:gandalf -in x", "openssl rsa -passin pass:[redacted: password] -in x"),
        ("second pass:done, third pass = 3", "second pass:done, third pass = 3"),
        ("Roboflow_Key: a1b2c3d4e5f6g7h8i9j0", "Roboflow_Key: [redacted: roboflow-key]"),
        ("ROBOFLOW key (a1b2c3d4e5f6g7h8i9j0)", "ROBOFLOW key ([redacted: roboflow-key])"),
    ],
)
def test_exactly_the_secret_goes_and_what_stands_around_it_stays(text: str, kept: str) -> None:
    assert Redactor().text(text) == kept
