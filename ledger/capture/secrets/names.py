"""Names that imply a secret. Knows nothing of values or of the position of the name.

A name is judged word by word, so that `hf_token` and `clientSecret` are secrets while `max_tokens`,
`token_dim`, `tokenizer` and `pad_token` are not.
"""

import re
from functools import lru_cache
from itertools import pairwise
from typing import Literal, NamedTuple

Strength = Literal["strong", "weak"]
"""Values of strong names are always secret; weak names (`token`, `auth`) also name harmless things."""


def _word_set(text: str) -> frozenset[str]:
    return frozenset(text.split())


_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z0-9]+|[0-9]+")
_PASSWORDS = frozenset({"password", "passwords", "passwd", "passphrase", "passcode", "requirepass", "masterauth"})
_PASSWORD_ENDS = ("password", "passwd", "passphrase", "userpwd")
"""Ends of words that owners run together: `PGPASSWORD`, `rootpassword`."""
_ONE_WORD = {
    "secret": "secret",
    "secrets": "secret",
    "credential": "credential",
    "credentials": "credential",
    "apikey": "api-key",
    "apikeys": "api-key",
    "accesskey": "access-key",
    "secretkey": "secret",
    "privatekey": "private-key",
    "authtoken": "token",
    "authkey": "auth",
    "accesstoken": "token",
}
_KEYS = {
    "api": "api-key",
    "access": "access-key",
    "private": "private-key",
    "signing": "private-key",
    "encryption": "private-key",
    "account": "access-key",
    "storage": "access-key",
    "auth": "auth",
    "ssh": "private-key",
    "license": "api-key",
    "subscription": "api-key",
}
"""First words of two-word names of secrets that end in `key`."""
_ABOUT_A_SECRET = _word_set(
    "file path dir folder name names length len dim dims size count counts type kind url uri host env var "
    "field hint policy prompt expiry expires ttl enabled required ratio rate weight loss embedding "
    "embeddings id ids index method mode provider scheme version manager service arn algorithm limit "
    "budget idx dataset data model layer layers test tests"
)
"""Last words of names that describe a secret, or something else, instead of holding one."""
_QUESTIONS = frozenset({"use", "no", "has", "is", "with", "without", "enable", "disable", "require", "skip", "allow"})
"""First words of names that are yes-or-no questions."""
_TOKENS_OF_TEXT = _word_set(
    "pad padding eos bos mask cls sep unk special start end stop image video audio begin decoder encoder "
    "new prefix suffix class max min num n per context next last first prev previous word sub subword "
    "char byte vocab additional patch query extra dist distillation register separator sentence user "
    "assistant system tool boi eoi fim"
)
"""First words of names of tokens in text models, not of access tokens."""
_DOORS = _word_set(
    "access auth api bearer refresh session hf hub huggingface github gh gitlab git wandb slack bot "
    "deploy oauth oauth2 security personal pat secret openai anthropic csrf jwt login registry npm pypi "
    "telegram comet neptune aws azure gcp google ci vault service write read admin client private id "
    "jupyter replicate kaggle mlflow"
)
"""Words before `token` that make it an access token."""
_OWNERS = _word_set(
    "db database user smtp mysql postgres pg redis mongo ftp ssh admin become sudo root login ldap bind proxy mail "
    "email imap smb sftp rabbitmq amqp clickhouse neo4j keystore truststore"
)
"""Words before `pass` or `pwd` that make it a password."""
_DOTTED_KEYS = frozenset({"secret", "access", "api", "account", "auth"})
"""Parts of a dotted name that make the `key` below them a secret (`fs.s3a.secret.key`); `private.key` is a file."""


class SecretName(NamedTuple):
    """The meaning of a name."""

    kind: str
    """Kind of secret, as in `[redacted: kind]`."""
    strength: Strength
    """Certainty of the name."""


@lru_cache(maxsize=4096)
def secret_name(name: str) -> SecretName | None:
    """Return the kind of secret that `name` implies, or none; it names a param, an option, a variable or a JSON key."""
    parts = [part for part in re.split(r"[./:\[\]]", name[-200:].lstrip("-")) if part]
    if not parts:
        return None
    for parent in parts[:-1]:
        if parent.lower() in {"secrets", "credentials", "passwords"}:
            return SecretName("secret", "strong")
    part = parts[-1]
    words = [word.lower() for word in _WORDS.findall(part)]
    if words == ["key"] and len(parts) > 1 and parts[-2].lower() in _DOTTED_KEYS:
        words = [parts[-2].lower(), "key"]
    if not words or words[-1] in _ABOUT_A_SECRET or words[0] in _QUESTIONS:
        return None
    return _strong(words, shouted=part.isupper()) or _weak(words, shouted=part.isupper())


def _strong(words: list[str], *, shouted: bool) -> SecretName | None:
    if not _PASSWORDS.isdisjoint(words) or words[-1].endswith(_PASSWORD_ENDS):
        return SecretName("password", "strong")
    if len(words) > 1 and words[-1] in {"pwd", "pass"} and (shouted or words[-2] in _OWNERS):
        return SecretName("password", "strong")
    for word in words:
        if word in _ONE_WORD:
            return SecretName(_ONE_WORD[word], "strong")
    for first, second in pairwise(words):
        if second == "key" and first in _KEYS:
            return SecretName(_KEYS[first], "strong")
    return None


def _weak(words: list[str], *, shouted: bool) -> SecretName | None:
    if words[-1] == "token":
        before = set(words[:-1])
        if before & _TOKENS_OF_TEXT and not before & _DOORS:
            return None
        return SecretName("token", "strong" if before & _DOORS or (before and shouted) else "weak")
    if words[-1] in {"auth", "authorization"}:
        return SecretName("auth", "weak")
    if words[-1] == "pw" or words == ["pass"]:
        return SecretName("password", "weak")
    return None
