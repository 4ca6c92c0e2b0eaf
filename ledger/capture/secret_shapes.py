"""The shapes of well-known secrets, as byte patterns that run in linear time.

Each rule is a literal that must occur (found at memory speed), and a pattern that is tried only where
the data holds it. Every pattern starts with a literal or a bounded class and repeats only single
character classes, bounded wherever something must follow, so no input makes it backtrack for long.

Shapes: GitHub, GitLab, AWS, Google, Slack, Stripe, npm and PyPI publish theirs; the others are those of
the rule set of gitleaks (https://github.com/gitleaks/gitleaks, config/gitleaks.toml).
"""

import re
from typing import NamedTuple

_COLOUR = rb"|(?<=\x1b\[[0-9]m)|(?<=\x1b\[[0-9]{2}m)|(?<=\x1b\[[0-9];[0-9]{2}m)"
_OPEN = rb"(?:(?<![A-Za-z0-9])" + _COLOUR + rb")"
"""Where a token may begin: not within a word, but right behind a colour of the terminal."""


class Shape(NamedTuple):
    """One kind of secret that is known by its looks."""

    kind: str
    """As it stands in `[redacted: kind]`."""
    literals: tuple[bytes, ...]
    """At least one of these occurs wherever the pattern matches."""
    source: bytes
    """The pattern as written."""
    mixed: bool = False
    """Whether a match must hold a digit and a capital: words joined by hyphens are no keys."""
    folded: bool = False
    """Whether the literals stand for any letter case."""

    @property
    def pattern(self) -> re.Pattern[bytes]:
        """Group `secret` is what goes; the whole match when there is no such group."""
        # Compiled when a literal is first met: all together cost 4 ms, and most runs meet none. `re` keeps it.
        return re.compile(self.source)


def _shape(kind: str, literals: str, pattern: bytes, *, mixed: bool = False, folded: bool = False) -> Shape:
    return Shape(kind, tuple(literals.encode().split()), pattern, mixed, folded)


SHAPES: tuple[Shape, ...] = (
    _shape("github-token", "ghp_ gho_ ghu_ ghs_ ghr_", _OPEN + rb"gh[pousr]_[A-Za-z0-9_.\-]{36,}"),
    _shape("github-token", "github_pat_", _OPEN + rb"github_pat_[A-Za-z0-9_]{22,}"),
    _shape(
        "gitlab-token",
        "glpat- gldt- glrt- glcbt- glptt- glft- glsoat- glagent- gloas-",
        _OPEN + rb"gl(?:pat|dt|rt|cbt|ptt|ft|soat|agent|oas)-[A-Za-z0-9_.\-]{20,}",
    ),
    _shape("aws-access-key", "AKIA ASIA", _OPEN + rb"A[KS]IA[A-Z0-9]{16}(?![A-Za-z0-9])"),
    _shape(
        "aws-secret-key",
        "aws",
        rb"(?i:aws)[^\r\n]{0,40}?(?<![A-Za-z0-9/+=])(?P<secret>(?![0-9a-f]{40})[A-Za-z0-9/+]{40})(?![A-Za-z0-9/+=])",
        mixed=True,
        folded=True,
    ),
    _shape("google-api-key", "AIza", _OPEN + rb"AIza[A-Za-z0-9_\-]{35}"),
    _shape("google-token", "ya29.", _OPEN + rb"ya29\.[A-Za-z0-9_\-]{20,}"),
    _shape("google-client-secret", "GOCSPX-", _OPEN + rb"GOCSPX-[A-Za-z0-9_\-]{20,}"),
    _shape("slack-token", "xox xapp-", _OPEN + rb"(?:xox[a-z]|xapp)-[A-Za-z0-9\-]{10,}"),
    _shape(
        "slack-webhook", "hooks.slack.com", rb"hooks\.slack\.com/(?P<secret>(?:services|workflows)/[A-Za-z0-9+/]{20,})"
    ),
    _shape("api-key", "sk-", _OPEN + rb"sk-[A-Za-z0-9_\-]{20,}", mixed=True),
    _shape("huggingface-token", "hf_", _OPEN + rb"hf_[A-Za-z0-9]{30,}"),
    _shape("huggingface-token", "api_org_", _OPEN + rb"api_org_[A-Za-z0-9]{30,}"),
    _shape("wandb-key", "wandb_v1_", _OPEN + rb"wandb_v1_[A-Za-z0-9_]{20,}"),
    _shape(
        "wandb-key",
        "wandb",
        rb"(?i:wandb(?:[_ .\-]{0,2}(?:api|login|key|token)){0,4})"
        rb"[ \t:=,(\"'\\]{1,8}(?P<secret>[0-9a-f]{40})(?![A-Za-z0-9])",
        folded=True,
    ),
    _shape("stripe-key", "_live_ _test_", _OPEN + rb"[srp]k_(?:live|test)_[A-Za-z0-9]{16,}"),
    _shape("stripe-key", "whsec_", _OPEN + rb"whsec_[A-Za-z0-9+/=]{24,}"),
    _shape("npm-token", "npm_", _OPEN + rb"npm_[A-Za-z0-9]{36}(?![A-Za-z0-9])"),
    _shape("pypi-token", "pypi-", _OPEN + rb"pypi-[A-Za-z0-9_\-]{50,}"),
    _shape(
        "azure-key", "AccountKey= SharedAccessKey=", rb"(?:Account|SharedAccess)Key=(?P<secret>[A-Za-z0-9+/=]{40,})"
    ),
    _shape("azure-secret", "8Q~ 7Q~", _OPEN + rb"[A-Za-z0-9_~.\-]{3}[78]Q~[A-Za-z0-9_~.\-]{31,34}"),
    _shape(
        "jwt",
        "eyJ",
        rb"(?:(?<![A-Za-z0-9_\-])"
        + _COLOUR
        + rb")eyJ[A-Za-z0-9_\-]{10,}\.eyJ[A-Za-z0-9_\-]{10,}\.[A-Za-z0-9_\-.]{0,4096}",
    ),
    _shape(
        "authorization",
        "authorization",
        rb"(?i:authorization)\\{0,3}[\"']?[ \t]{0,4}[:=][ \t]{0,4}\\{0,3}[\"']?"
        rb"(?:[Bb]earer|[Bb]asic|[Tt]oken|[Dd]igest|[Nn]egotiate|BEARER|BASIC)[ \t]{1,4}"
        rb"(?P<secret>[A-Za-z0-9._~+/=\-]{6,4096})",
        folded=True,
    ),
    _shape("bearer-token", "earer", _OPEN + rb"[Bb]earer[ \t]{1,4}(?P<secret>[A-Za-z0-9._~+/=\-]{20,})", mixed=True),
    _shape(
        "password",
        "machine",
        rb"machine[ \t\r\n]{1,9}[^\s]{1,255}[ \t\r\n]{1,9}login[ \t\r\n]{1,9}[^\s]{1,255}"
        rb"[ \t\r\n]{1,9}password[ \t]{1,9}"
        rb"(?P<secret>[^\s\[][^\s]{0,1023})",
    ),
    _shape(
        "url-credentials",
        "://",
        rb"://(?P<secret>[^\s/?#@\"'<>`:$({\\]{0,255}:(?![$({<*%]|\[redacted)[^\s/?#\"'<>`\\]{1,512})@(?=[A-Za-z0-9\[_])",
    ),
    _shape("url-credentials", "://", rb"://(?P<secret>[A-Za-z0-9_\-]{20,255})@(?=[A-Za-z0-9\[])"),
    _shape(
        "url-signature",
        "sig= signature=",
        rb"(?i)[?&;](?:sig|signature|x-amz-signature|x-goog-signature)=(?P<secret>[A-Za-z0-9%+/=_\-]{16,1024})",
        folded=True,
    ),
)
"""Every shape that is looked for."""
