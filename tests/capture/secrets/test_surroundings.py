"""Secrets by what stands around them, and in the forms that text takes on its way into a record."""

import base64
import json
from collections.abc import Callable
from urllib.parse import quote

import pytest

from ledger.capture.secrets.redactor import Redactor, find_secrets
from ledger.capture.secrets.team_rules import OwnSecrets, wrong_secrets
from tests.capture.secrets.texts import made

SURROUNDINGS = (
    ("python train.py --password {} --lr 0.1", "hunter2x"),
    ("$ train --token {}", "tok-4711-abc"),
    ("+ train --api-key {} --epochs 3", "hunter2x"),
    ("log in with password {} please", "hunter2!"),
    ("the password is {}", "swordfish"),
    ("the password is: {}", "swordfish"),
    ("passphrase: {}", "correct horse battery"),
    ("PASSPHRASE={}", "hunter2x"),
    ("password: |\n  {}\nlr: 0.1", "hunter2x"),
    ("passwords:\n  - {}\n  - other-1\nlr: 0.1", "hunter2x"),
    ("passwords:\n- {}\nlr: 0.1", "hunter2x"),
    ("passwords: &all\n  db: {}\nlr: 0.1", "hunter2x"),
    ("password: &main {}", "hunter2x"),
    ("+passwords:\n+  - {}\n+lr: 0.1", "hunter2x"),
    ('"passwords": ["{}", "b"]', "hunter2x"),
    ("<password>{}</password>", "hunter2x"),
    ('<property name="password">{}</property>', "hunter2x"),
    ("Cookie: sessionid={}; theme=dark", "38afes7a8"),
    ("Set-Cookie: sid={}; Path=/; HttpOnly", "38afes7a8"),
    ("curl -u ada:{} https://example.org", "hunter2x"),
    ("curl --user 'ada:{}' https://example.org", "hunter2x"),
    ("mysql -u ada -p{} runs", "hunter2x"),
    ("sshpass -p {} ssh ada@host", "hunter2x"),
    ("db.example.org:5432:runs:ada:{}", "hunter2x"),
    ("*:*:*:ada:{}", "hunter2x"),
    ('{{"auths": {{"example.org": {{"auth": "{}"}}}}}}', base64.b64encode(b"ada:gandalf").decode()),
    ("    client-key-data: {}", "LS0tLS1CRUdJTiBSU0EgUFJJVkFURSBLRVktLS0tLQpNSUlF"),
    ("https://{}@example.org/x.git", "a1b2c3d4e5"),
    ("X-Api-Key: {}", "hunter2x"),
    ("[db]\npassword = {}", "hunter2x"),
    ('password = "{}"', "hunter2x"),
    ("export DB_PASSWORD={}", "hunter2x"),
    ("DB_PASSWORD={}", "Tr0ub4dor&3"),
    ("PGPASSWORD={} psql", "hunter2x"),
    ('1,"{{""clientSecret"": ""{}""}}",2', "hunter2x"),
    ("- name: DB_PASSWORD\n  value: {}", "hunter2x"),
    ('{{"name": "DB_PASSWORD", "value": "{}"}}', "hunter2x"),
    ("openssl rsa -passin pass:{}", "hunter2x"),
    ("user=ada;pw={};", "hunter2x"),
    ("pass: {}", "hunter2x"),
    ("listener = Listener(address, authkey=b'{}')", "hunter2x"),
    ('huggingface_hub.login(\n    "{}",\n)', "hunter2x"),
    ('imaplib.IMAP4("x").login("ada", password="{}")', "swordfish"),
    ("requests.post(url, json=x, auth=('ada', '{}'))", "swordfish"),
    ("ftp_pw: {}", "hunter2x"),
    ("requirepass {}", "hunter2x"),
    ("ansible_become_pass: {}", "swordfish"),
    ("spark.hadoop.fs.s3a.secret.key={}", "hunter2x"),
    ("fs.s3a.access.key: {}", "AKhunter2x"),
    ("machine example.org\nlogin ada\npassword {}", "hunter2x"),
    ("machine example.org login ada password {}", "hunter2x"),
    ("machine example.org password {}", "hunter2x"),
    ("machine example.org\n\tlogin ada\n\taccount x\n\tpassword {}", "hunter2x"),
    ("echo {} | docker login -u ada --password-stdin", "hunter2x"),
    (
        "PuTTY-User-Key-File-3: ssh-ed25519\nPrivate-Lines: 1\n{}\nPrivate-MAC: 0a",
        "AAAAIBcZ1234567890abcdefghijklmnopqrstuvwxyzAB",
    ),
)


@pytest.mark.parametrize(("around", "secret"), SURROUNDINGS)
def test_a_secret_without_a_shape_is_known_by_what_stands_around_it(around: str, secret: str) -> None:
    text = around.format(secret)
    redacted = Redactor().text(text)
    assert secret not in redacted
    assert all(word not in redacted for word in secret.split(" ") if len(word) > 4)
    assert redacted.count("\n") == text.count("\n")
    assert find_secrets(redacted.encode()) == {}


@pytest.mark.parametrize(
    "text", ["password:\n  type: string\n  description: of the user", "if password:\n    login(1)"]
)
def test_lines_below_a_name_that_say_what_it_is_are_left_alone(text: str) -> None:
    assert Redactor().text(text) == text


FORMS: dict[str, Callable[[str], str]] = {
    "JSON in JSON": lambda text: json.dumps(json.dumps({"x": text})),
    "JSON in JSON in JSON": lambda text: json.dumps(json.dumps(json.dumps({"x": text}))),
    "URL-encoded": lambda text: f"https://example.org/?q={quote(f'token={text}', safe='')}",
    "base64": lambda text: base64.b64encode(f"export TOKEN={text}\n".encode()).decode(),
    "base64 in base64": lambda text: base64.b64encode(base64.b64encode(f"use {text}".encode())).decode(),
    "base64 in lines": lambda text: base64.encodebytes(f"{'x' * 70}\nexport TOKEN={text}\n".encode()).decode(),
    "base64 in lines of a patch": lambda text: "".join(
        f"+{line}\n" for line in base64.encodebytes(f"{'x' * 70}\nTOKEN={text}\n".encode()).decode().splitlines()
    ),
    "cut by a backslash": lambda text: f"train --x {text[:14]}\\\n    {text[14:]}",
    "with a zero-width space": lambda text: f"{text[:9]}\u200b{text[9:]}",
    "with a soft hyphen": lambda text: f"{text[:9]}\u00ad{text[9:]}",
    "entities": lambda text: f"&lt;b&gt;&quot;{text}&quot;&#103;",
    "coloured": lambda text: f"\x1b[31m{text}\x1b[0m",
    "an escape before it": lambda text: rf"first\n{text}\tlast",
    "Unicode escapes": lambda text: rf'"token\u003d{text}\u0022"',
}


@pytest.mark.parametrize("kind", ["ghp_{a36}", "hvs.{a28}", "gsk_{a52}"])
@pytest.mark.parametrize("form", FORMS)
def test_a_token_is_found_in_every_form_that_text_takes(form: str, kind: str) -> None:
    token = made(kind)
    text = FORMS[form](token)
    redactor = Redactor()
    redacted = redactor.text(text)
    assert redactor.counts
    assert token[10:] not in redacted
    assert token[-12:] not in redacted
    assert redacted.count("\n") == text.count("\n")
    assert find_secrets(redacted.encode()) == {}


BODY = made("{b64}")
PEM = f"-----BEGIN RSA PRIVATE KEY-----\n{BODY}\n{BODY}\n{BODY[:40]}\n-----END RSA PRIVATE KEY-----\n"


@pytest.mark.parametrize(
    "text",
    [
        PEM,
        PEM.replace("\n", " "),
        PEM.replace("\n", ""),
        PEM.replace("\n", "\\n"),
        json.dumps({"key": PEM}),
        json.dumps(json.dumps({"key": PEM})),
        PEM.replace("\n", "")[:100],
        PEM.replace("\n", " ")[:150],
        PEM.replace("\n", "\\n")[:131],
        "".join(f"    {line}\n" for line in PEM.splitlines()),
        "".join(f"> {line}\n" for line in PEM.splitlines()),
        PEM.replace("KEY-----\n", "KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,0A\n\n", 1)[:160],
        base64.b64encode(PEM.encode()).decode(),
        base64.encodebytes(PEM.encode()).decode(),
    ],
)
def test_a_key_goes_however_it_is_wrapped(text: str) -> None:
    redacted = Redactor().text(text)
    for start in range(0, 50, 12):
        assert BODY[start : start + 12] not in redacted
    assert base64.b64encode(BODY.encode()).decode()[8:24] not in redacted
    assert redacted.count("\n") == text.count("\n")


OWN = OwnSecrets(patterns={"acme-key": "acme_[a-z0-9]{12,40}"}, names=["kennwort"], allow=[made("ghp_{a36}")])


def test_a_team_adds_shapes_and_names_of_its_own_and_lets_examples_be() -> None:
    redactor = Redactor(OWN)
    assert redactor.text(f"use {made('acme_{l20}')} now") == "use [redacted: acme-key] now"
    assert redactor.text("kennwort: gandalf") == "kennwort: [redacted: own-secret]"
    assert redactor.params({"Kennwort": "gandalf"}) == {"Kennwort": "[redacted: own-secret]"}
    assert redactor.text(made("ghp_{a36}")) == made("ghp_{a36}")
    assert redactor.text(made("ghp_{a36}", 2)) == "[redacted: github-token]"
    assert redactor.argv(["train", "--kennwort", "gandalf"]) == ["train", "--kennwort", "[redacted: own-secret]"]
    assert find_secrets(b"kennwort: gandalf", OWN) == {"own-secret": 1}
    assert Redactor().text("kennwort: gandalf") == "kennwort: gandalf"


@pytest.mark.parametrize(
    "pattern",
    [
        "(a+)+$",
        "a.*b",
        "[a-z]{10}",
        "ac",
        "acme_[a-z]{1,600}",
        "acme_[a-z]{1,9}[0-9]{1,9}",
        "acme_(x|y)",
        "acme_[a",
        "x" * 200,
        "acme|b",
        "^acme_x",
        "acme_[a-z]+",
    ],
)
def test_a_shape_that_could_take_long_is_refused_with_one_line(pattern: str) -> None:
    (why,) = wrong_secrets(OwnSecrets(patterns={"acme-key": pattern}))
    assert why.startswith("secrets.patterns.acme-key: ")
    assert "\n" not in why
