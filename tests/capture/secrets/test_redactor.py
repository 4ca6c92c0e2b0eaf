"""What is taken out, what is left alone, and that it takes no time."""

import random
import string
import time
from pathlib import Path
from subprocess import run

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.capture.secrets.names import secret_name
from ledger.capture.secrets.redactor import Redactor

LETTERS = "aB3" * 40

PICTURE = random.Random(1).randbytes(3000)  # noqa: S311  # bytes of a picture, not of a key

TOKENS = {
    "github-token": f"ghp_{LETTERS[:36]}",
    "gitlab-token": f"glpat-{LETTERS[:20]}",
    "aws-access-key": "AKIA" + "Q7" * 8,
    "google-api-key": f"AIza{LETTERS[:35]}",
    "slack-token": f"xoxb-{LETTERS[:30]}",
    "anthropic-key": f"sk-ant-{LETTERS[:40]}",
    "huggingface-token": f"hf_{LETTERS[:34]}",
    "stripe-key": f"sk_live_{LETTERS[:24]}",
    "npm-token": f"npm_{LETTERS[:36]}",
    "pypi-token": f"pypi-{LETTERS[:60]}",
    "jwt": f"eyJ{LETTERS[:20]}.eyJ{LETTERS[:20]}.{LETTERS[:30]}",
    "azure-secret": f"abc8Q~{LETTERS[:32]}",
}

KEY = (
    "-----BEGIN RSA PRIVATE KEY-----\n"
    + "".join(f"MII{LETTERS[:61]}\n" for _ in range(5))
    + "-----END RSA PRIVATE KEY-----"
)


@pytest.mark.parametrize(("kind", "token"), TOKENS.items())
@pytest.mark.parametrize("around", ["{}", "using {} now", '"{}"', "x={},", "+{}", "\x1b[31m{}\x1b[0m"])
def test_a_token_of_a_known_shape_is_replaced_wherever_it_stands(kind: str, token: str, around: str) -> None:
    redactor = Redactor()
    redacted = redactor.text(around.format(token))
    assert token not in redacted
    assert redactor.counts == {kind: 1}


@pytest.mark.parametrize(
    "text",
    [
        "Authorization: Bearer abc.def-ghi_jkl0",
        '{"Authorization": "Basic dXNlcjpodW50ZXIy"}',
        "https://bob:hunter2@example.org/x",
        "postgres://bob:p@ss:w@db:5432/x",
        "PASSWORD=swordfish",
        "export DB_PASS='sword fish'",
        '"api_key": "hunter2"',
        "client_secret: hunter2",
        "aws secret: wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        "WANDB_API_KEY 0123456789abcdef0123456789abcdef01234567",
        "wandb login 0123456789abcdef0123456789abcdef01234567",
        "--password=swordfish",
        "AccountKey=" + "Zm9v" * 20 + "==;EndpointSuffix=core.windows.net",
        "https://x.blob.core.windows.net/a?sv=1&sig=abcdefghijklmnop%3D",
        "machine api.wandb.ai\n  login user\n  password 0123456789abcdef0123456789abcdef01234567",
        r"{\"password\": \"hunter2\"}",
        'password = "it\\"s hunter2"',
        "password=hunter2\r\nnext",
        "-----BEGIN PRIVATE KEY-----\\nMIIabc\\n-----END PRIVATE KEY-----\\n",
    ],
)
def test_a_secret_under_a_telling_name_is_replaced(text: str) -> None:
    redactor = Redactor()
    redacted = redactor.text(text)
    assert "[redacted: " in redacted
    for secret in ("hunter2", "swordfish", "sword fish", "wJalr", "0123456789abcdef", "p@ss", "Zm9v", "MIIabc", "dXNl"):
        assert secret not in redacted
    assert redacted.count("\n") == text.count("\n")


@pytest.mark.parametrize(
    "text",
    [
        "commit 0123456789abcdef0123456789abcdef01234567",
        "blake3:" + "0a" * 32,
        "123e4567-e89b-12d3-a456-426614174000",
        "max_tokens=512 num_tokens: 8192 tokens/s=1200 token_dim=64",
        "tokenizer: bert-base-uncased",
        "pad_token: <pad>, eos_token='</s>', mask_token = \"[MASK]\"",
        "author: Bob, authenticated=true",
        "token = tokenizer.encode(text)",
        "password = getpass.getpass()",
        "def login(password: str, token: Optional[str] = None, auth=None):",
        'token = os.environ["HF_TOKEN"]',
        "api_key=args.api_key",
        "https://github.com/org/repo.git",
        "git@github.com:org/repo.git",
        "ssh://git@github.com/org/repo",
        "https://${USER}:${PASSWORD}@host/x",
        "password: ${DB_PASSWORD}",
        "sk-learn-logistic-regression-with-long-name",
        "PWD=/home/bob/project OLDPWD=/home/bob",
        "wandb: Synced 5 files at 0123456789abcdef0123456789abcdef01234567",
        "loss=0.1 secret_name=x key=5 keys: 3",
        "if token == 12345678: pass",
        "hf_hub_download(repo_id='x')",
    ],
)
def test_what_is_no_secret_is_left_alone(text: str) -> None:
    redactor = Redactor()
    assert redactor.text(text) == text
    assert redactor.counts == {}


def test_a_private_key_goes_line_by_line_and_counts_once() -> None:
    redactor = Redactor()
    redacted = redactor.text(f"before\n{KEY}\nafter")
    assert "MII" not in redacted
    assert redacted.split("\n")[0] == "before"
    assert redacted.split("\n")[-1] == "after"
    assert redacted.count("\n") == KEY.count("\n") + 2
    assert redactor.counts == {"private-key": 1}


@pytest.mark.parametrize("cut", [slice(0, 3), slice(2, None)])
def test_a_private_key_cut_off_at_either_end_goes_too(cut: slice) -> None:
    redacted = Redactor().text("\n".join(["before", *KEY.split("\n")[cut], "after, plainly"]))
    assert "MII" not in redacted
    assert redacted.startswith("before\n")
    assert redacted.endswith("\nafter, plainly")


def test_a_command_line_loses_its_secrets_in_every_form() -> None:
    redactor = Redactor()
    argv = ["train.py", "--api-key", "hunter2", "--password=pw", "--lr", "0.1", "HF_TOKEN=abc", "model.auth_token=xyz9"]
    assert redactor.argv([*argv, "--max-tokens", "512", "--token", "abc"]) == [
        "train.py",
        "--api-key",
        "[redacted: api-key]",
        "--password=[redacted: password]",
        "--lr",
        "0.1",
        "HF_TOKEN=[redacted: token]",
        "model.auth_token=[redacted: token]",
        "--max-tokens",
        "512",
        "--token",
        "[redacted: token]",
    ]
    assert redactor.counts == {"api-key": 1, "password": 1, "token": 3}


def test_params_lose_secret_values_and_keep_the_rest() -> None:
    redactor = Redactor()
    params = {
        "wandb.api_key": "hunter2",
        "password": 123456,
        "tokens": ["a", "b"],
        "access_token": ["x1", "x2"],
        "max_tokens": 512,
        "token": None,
        "use_auth_token": True,
        "note": f"see hf_{LETTERS[:34]}",
        "pad_token": "<pad>",
        "secret": "${oc.env:SECRET}",
    }
    assert redactor.params(params) == {  # type: ignore[arg-type]  # a dict of lists of one type
        "wandb.api_key": "[redacted: api-key]",
        "password": "[redacted: password]",
        "tokens": ["a", "b"],
        "access_token": ["[redacted: token]", "[redacted: token]"],
        "max_tokens": 512,
        "token": None,
        "use_auth_token": True,
        "note": "see [redacted: huggingface-token]",
        "pad_token": "<pad>",
        "secret": "${oc.env:SECRET}",
    }


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://bob:pw@example.org/a.git", "https://example.org/a.git"),
        ("https://sometoken@example.org/a.git", "https://example.org/a.git"),
        ("ssh://git@github.com/a/b", "ssh://github.com/a/b"),
        ("git@github.com:a/b.git", "git@github.com:a/b.git"),
        ("https://example.org/a?x=1&access_token=abc", "https://example.org/a?x=1&access_token=[redacted: token]"),
        ("/srv/git/a.git", "/srv/git/a.git"),
        ("https://[broken", "https://[broken"),
    ],
)
def test_a_url_loses_user_password_and_secret_queries(url: str, expected: str) -> None:
    assert Redactor().url(url) == expected


def test_a_patch_keeps_its_lines_and_its_binary_sections(tmp_path: Path) -> None:
    def git(*arguments: str) -> bytes:
        return run(["git", "-C", str(tmp_path), *arguments], check=True, capture_output=True).stdout

    git("init", "-q")
    git("-c", "user.name=a", "-c", "user.email=a@b", "commit", "-q", "--allow-empty", "-m", "empty")
    (tmp_path / "config.py").write_text(f'lr = 0.1\napi_key = "hunter2"\n{KEY}\nlast = 1\n')
    (tmp_path / "image.bin").write_bytes(PICTURE)
    git("add", "-A")
    patch = git("diff", "--cached", "--binary")
    redactor = Redactor()
    redacted = redactor.patch(patch)
    assert redactor.counts == {"api-key": 1, "private-key": 1}
    assert b"hunter2" not in redacted
    assert b"MII" not in redacted
    assert redacted.count(b"\n") == patch.count(b"\n")
    (tmp_path / "out.patch").write_bytes(redacted)
    git("rm", "-q", "-f", "config.py", "image.bin")
    git("apply", "out.patch")
    assert (tmp_path / "image.bin").read_bytes() == PICTURE
    lines = (tmp_path / "config.py").read_text().split("\n")
    assert (lines[0], lines[1], lines[-2]) == ("lr = 0.1", 'api_key = "[redacted: api-key]"', "last = 1")


def test_removed_lines_of_a_key_in_a_patch_keep_their_sign() -> None:
    patch = "".join(f"-{line}\n" for line in KEY.split("\n")).encode()
    redacted = Redactor().patch(patch).decode().splitlines()
    assert redacted == ["-[redacted: private-key]"] * len(redacted)


PIECES = [
    *TOKENS.values(),
    KEY,
    "password=",
    "token: ",
    '"',
    "'",
    "\n",
    " ",
    "://",
    "@",
    ":",
    "\\",
    "sk-",
    "hunter2",
    "a.b(",
]


@given(st.lists(st.sampled_from(PIECES) | st.text(string.printable, max_size=8), max_size=12).map("".join))
def test_redacting_twice_changes_nothing_and_counts_nothing(text: str) -> None:
    once = Redactor().text(text)
    again = Redactor()
    assert again.text(once) == once
    assert again.counts == {}
    assert once.count("\n") == text.count("\n")


@given(st.text())
def test_any_text_keeps_its_lines_and_changes_only_where_something_was_counted(text: str) -> None:
    redactor = Redactor()
    redacted = redactor.text(text)
    assert redacted.count("\n") == text.count("\n")
    assert (redacted == text) == (redactor.counts == {})


@pytest.mark.parametrize(
    "piece",
    [
        "a",
        "sk-",
        "eyJ",
        "eyJaaaaaaaaaaa.",
        "://",
        "://a:",
        "token=",
        'password:"',
        "aws ",
        "ghp_",
        "secret_",
        "A1b2",
        "-----BEGIN PRIVATE KEY-----",
        "-----END PRIVATE KEY-----",
        "password='\\",
        "machine a login ",
        "[redacted: token]",
    ],
)
def test_five_megabytes_in_one_line_take_linear_time(piece: str) -> None:
    small, large = piece * (500_000 // len(piece)), piece * (5_000_000 // len(piece))

    def seconds(text: str) -> float:
        start = time.process_time()
        Redactor().text(text)
        return time.process_time() - start

    # Quadratic would be 100 times; the constant stands for noise on runs of a few milliseconds
    assert seconds(large) < 30 * seconds(small) + 1


@pytest.mark.parametrize("name", ["num_tokens", "max_tokens", "token_dim", "tokenizer", "token_embedding", "vocab"])
def test_names_of_language_models_are_no_secrets(name: str) -> None:
    assert secret_name(name) is None


@pytest.mark.parametrize(
    "name", ["HF_TOKEN", "apiKey", "db.password", "AWS_SECRET_ACCESS_KEY", "x-api-key", "secrets.db"]
)
def test_names_of_secrets_are_known_in_every_spelling(name: str) -> None:
    assert secret_name(name) is not None
