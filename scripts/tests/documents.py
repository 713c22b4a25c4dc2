# SPDX-License-Identifier: GPL-2.0
"""Results documents for tests that start from one: valid by the schema, whatever is in them."""

from typing import Any

from coco import results

Document = dict[str, Any]


def case(name: str, status: str = "pass", verdict: str = "ok", **more: Any) -> Document:
    """One case; what is not given is empty."""
    texts = {key: "" for key in ("cause", "message", "note", "reference", "expected", "got")}
    lists: Document = {key: [] for key in ("diagnostics", "events", "splats", "fixes")}
    return {
        "id": name,
        "status": status,
        "verdict": verdict,
        **texts,
        **lists,
        "seconds": 0.25,
        "boot": 1,
        **more,
    }


def run(name: str, *cases: Document, **more: Any) -> Document:
    """A run that was done, of cases."""
    vcpus = 2 if name.endswith("-2cpu") else 1
    return {
        "name": name,
        "personality": name.removesuffix("-2cpu"),
        "vcpus": vcpus,
        "state": "done",
        "reason": "",
        "seconds": 2.0,
        "boot_seconds": 1.5,
        "boots": [],
        "cases": list(cases),
        "summary": results.summary(cases),
        "problems": [],
        "notes": [],
        "not_applicable": {},
        "not_built": {},
        **more,
    }


def problem(suite: str, kind: str, text: str, verdict: str = "finding") -> Document:
    """Something wrong with a suite as a whole."""
    return {"suite": suite, "kind": kind, "text": text, "verdict": verdict}


def document(*runs: Document, **more: Any) -> Document:
    """The results of a check, which the schema accepts."""
    kernel = {
        "name": "Fake 6.12.1",
        "source": "local",
        "release": "6.12.1-fake",
        "sha256": "5" * 64,
        "compiler": "gcc 12",
        "technologies": ["none", "sev-snp", "tdx"],
    }
    made = {
        "schema": results.SCHEMA_VERSION,
        "complete": True,
        "started": "2026-11-28T12:00:00+01:00",
        "seconds": 3.0,
        "words": ["KERNEL=fake"],
        "repeat": ["KERNEL=fake"],
        "suite_version": "v1",
        "machine": {"sha256": "a" * 64},
        "qemu": {"path": "qemu", "version": "7.2.0"},
        "kernel": kernel,
        "tier": "smoke",
        "runs": list(runs),
        "not_exercised": [],
        "verdict": {"exit": 0, "word": "OK", "text": "all of it"},
        **more,
    }
    assert results.invalid(made) == ""
    return made
