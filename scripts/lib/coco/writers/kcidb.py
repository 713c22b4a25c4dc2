# SPDX-License-Identifier: GPL-2.0
"""KCIDB I/O schema version 5, for KernelCI and kci-dev: a checkout, a build, a test each case.

A known finding fails there, and is tied to an issue by an incident: its readers triage so.
What they know already is named instead of sent again: BUILD_ID= is the build that was tested.
"""

import hashlib
import json
import re
from dataclasses import dataclass
from typing import Any

from coco.errors import UsageError
from coco.writers import Document, Row, plain, rows

VERSION = {"major": 5, "minor": 0}  # the first minor that has all we write
ROOT = "coco_guest"  # first part of every path
LOG_LIMIT = 16384  # characters that a log_excerpt may have

# Status words of the schema; a pass or skip that is a finding counts as a failure
_STATUS = {"pass": "PASS", "skip": "SKIP", "known": "FAIL", "fail": "FAIL"}
_ARCHITECTURE = "x86_64"

Object = dict[str, Any]


@dataclass(frozen=True)
class Options:
    """What only the sender knows."""

    origin: str = "coco"  # the CI system's name in KCIDB
    build_id: str = ""  # of a build that KCIDB has already
    url: str = ""  # where the results folder is published

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[a-z0-9_]+", self.origin):
            raise UsageError(f"ORIGIN={self.origin}: KCIDB takes a-z, 0-9 and _ alone")
        if self.build_id and not re.fullmatch(r"[a-z0-9_]+:[^\0]*", self.build_id):
            raise UsageError(
                f"BUILD_ID={self.build_id} is no id of KCIDB", "for example maestro:0123abcd"
            )
        if self.url and not re.match(r"https?://", self.url):
            raise UsageError(f"URL={self.url} is no address", "for example https://ci/results/17")


def write(document: Document, options: Options = Options()) -> str:
    """The results as a KCIDB report, to be given to `kcidb-submit` or kci-dev."""
    found: Object = {"version": dict(VERSION)}
    build = options.build_id or _id(options, "build", document["kernel"]["sha256"])
    if not options.build_id:
        checkout = _checkout(document, options)
        found["checkouts"] = [checkout]
        found["builds"] = [_build(document, options, build, checkout["id"])]
    started = document["started"]
    tests, issues, incidents = [], {}, []
    for row in rows(document):
        key = (started, document["suite_version"], build, row.run, row.id)
        test = _test(document, options, row, build, _id(options, "test", *key))
        tests.append(test)
        if row.outcome == "known":
            issue = _issue(options, row)
            issues[issue["id"]] = issue
            incidents.append(_incident(options, test["id"], issue))
    found["tests"] = tests
    if issues:
        found |= {"issues": list(issues.values()), "incidents": incidents}
    return json.dumps(found, indent=1) + "\n"


def _id(options: Options, kind: str, *parts: str) -> str:
    """The same object has the same id whenever it is written."""
    digest = hashlib.sha256("\0".join((kind, *parts)).encode()).hexdigest()
    return f"{options.origin}:coco-{kind}-{digest[:24]}"


def _checkout(document: Document, options: Options) -> Object:
    """All that is known of the source is what the image says of itself."""
    kernel = document["kernel"]
    return {
        "id": _id(options, "checkout", kernel["name"], kernel["release"]),
        "origin": options.origin,
        "git_commit_name": plain(kernel["release"]),
        "comment": plain(kernel["name"]),
        "misc": {"source": kernel["source"]},
    }


def _build(document: Document, options: Options, identity: str, checkout: str) -> Object:
    kernel = document["kernel"]
    build = {
        "id": identity,
        "origin": options.origin,
        "checkout_id": checkout,
        "architecture": _ARCHITECTURE,
        "status": "PASS",  # there is an image that was booted
        "comment": plain(kernel["name"]),
        "misc": {"sha256": kernel["sha256"], "technologies": kernel["technologies"]},
    }
    if kernel.get("compiler"):
        build["compiler"] = plain(kernel["compiler"])
    return build


def _test(document: Document, options: Options, row: Row, build: str, identity: str) -> Object:
    test = {
        "id": identity,
        "origin": options.origin,
        "build_id": build,
        "path": ".".join([ROOT, row.run, row.suite, row.name]),
        "status": "MISS" if row.status == "miss" else _STATUS.get(row.outcome, "ERROR"),
        "start_time": document["started"],
        "duration": row.seconds,
        "environment": _environment(document, row),
        "misc": {"status": row.status, "outcome": row.outcome, "cause": row.what},
    }
    comment = row.reference if row.outcome == "known" else row.message
    if comment:
        test["comment"] = plain(comment)
    if row.detail:
        test["log_excerpt"] = plain("\n".join(row.detail))[-LOG_LIMIT:]
    if options.url and row.log:
        test["log_url"] = f"{options.url.rstrip('/')}/{row.log}/stream.log"
    return test


def _environment(document: Document, row: Row) -> Object:
    qemu, machine = document["qemu"], document["machine"]
    return {
        "comment": f"run {row.run} of coco-guest-tests {document['suite_version']}",
        "misc": {"run": row.run, "qemu": qemu["version"], "machine": machine["sha256"]},
    }


def _issue(options: Options, row: Row) -> Object:
    return {
        "id": _id(options, "issue", row.reference),
        "version": 1,
        "origin": options.origin,
        "report_subject": plain(row.reference),
        "culprit": {"code": True, "tool": False, "harness": False},
        "comment": plain(row.reference),
    }


def _incident(options: Options, test: str, issue: Object) -> Object:
    return {
        "id": _id(options, "incident", test, issue["id"]),
        "origin": options.origin,
        "issue_id": issue["id"],
        "issue_version": issue["version"],
        "test_id": test,
        "present": True,
    }
