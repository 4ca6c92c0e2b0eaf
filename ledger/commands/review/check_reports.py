"""Reports of a check: text, SARIF, GitHub's workflow commands, GitLab's code quality.

Whatever a proposal holds is data here: control characters become escapes, and no text can begin a command.
"""

import hashlib
import os
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import quote

from ledger import __version__
from ledger.model.values import plain
from ledger.store.integrity.check import Checked, Finding
from ledger.store.integrity.rules import RULES


def render_text(checked: Checked) -> str:
    """Return findings for people: commit, path, what is wrong, and the fix below where it differs."""
    return "".join(f"{line}\n" for line in _lines(checked.findings))


def _lines(findings: Iterable[Finding]) -> Iterator[str]:
    told = None
    for finding in findings:
        if told and told != finding.hint:
            yield f"  hint: {_line(told)}"
        yield f"{finding.severity}: {_finding_text(finding)} [{finding.rule}]"
        told = finding.hint
    if told:
        yield f"  hint: {_line(told)}"


def _finding_text(finding: Finding) -> str:
    where = [f"commit {finding.commit[:10]}"] if finding.commit else []
    where += [_line(finding.path)] if finding.path else []
    return ": ".join([*where, _line(finding.message)])


def _line(text: str) -> str:
    return plain(text).replace("\n", "\\n")


def render_github(checked: Checked) -> str:
    """Return GitHub's workflow commands, one per line.

    As of https://docs.github.com/actions/reference/workflow-commands-for-github-actions.
    """
    return "".join(f"{_github(finding)}\n" for finding in checked.findings)


def _github(finding: Finding) -> str:
    title = f"ledger check: {finding.rule}"
    properties = {"file": _line(finding.path), "title": title} if finding.path else {"title": title}
    said = ",".join(f"{name}={_github_property(value)}" for name, value in properties.items())
    hint = f"\nhint: {_line(finding.hint)}" if finding.hint else ""
    return f"::{finding.severity} {said}::{_github_data(f'{_finding_text(finding)}{hint}')}"


def _github_data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _github_property(text: str) -> str:
    return _github_data(text).replace(":", "%3A").replace(",", "%2C")


def gitlab_report(checked: Checked) -> list[dict[str, Any]]:  # `Any`: JSON
    """Return a report of GitLab's code quality (https://docs.gitlab.com/ci/testing/code_quality/)."""
    return [
        {
            "description": _finding_text(finding) + (f"; hint: {_line(finding.hint)}" if finding.hint else ""),
            "check_name": finding.rule,
            "fingerprint": fingerprint(finding),
            "severity": "major" if finding.severity == "error" else "minor",
            "location": {"path": _line(finding.path) or "ledger", "lines": {"begin": 1}},
        }
        for finding in checked.findings
    ]


def fingerprint(finding: Finding) -> str:
    """Return a hash of a finding that stays the same when the same content is proposed in another commit."""
    said = "\0".join((finding.rule, finding.path, finding.field or "", finding.message))
    return hashlib.sha256(said.encode("utf-8", "surrogateescape")).hexdigest()


def sarif_report(checked: Checked) -> dict[str, Any]:  # `Any`: JSON
    """Return a log of SARIF 2.1.0 (https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html)."""
    rules = list(dict.fromkeys([*RULES, *(finding.rule for finding in checked.findings)]))
    driver = {
        "name": "ledger check",
        "version": __version__,
        "rules": [
            {"id": rule, "shortDescription": {"text": RULES[rule].says if rule in RULES else rule}} for rule in rules
        ],
    }
    results = [_sarif_result(finding, rules.index(finding.rule)) for finding in checked.findings]
    return {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{"tool": {"driver": driver}, "results": results}],
    }


def _sarif_result(finding: Finding, index: int) -> dict[str, Any]:
    about = {"commit": finding.commit, "field": finding.field, "hint": finding.hint}
    return {
        "ruleId": finding.rule,
        "ruleIndex": index,
        "level": finding.severity,
        "message": {"text": _finding_text(finding)},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": quote(os.fsencode(_line(finding.path) or "ledger"))},
                    "region": {"startLine": 1},
                }
            }
        ],
        "partialFingerprints": {"finding/v1": fingerprint(finding)},
        "properties": {name: _line(value) for name, value in about.items() if value},
    }
