# SPDX-License-Identifier: GPL-2.0
"""JSON schemas: what is wrong with a document, in one line."""

import functools
import json
from pathlib import Path
from typing import Any

import jsonschema


def problem(data: Any, schema: Path, kind: str = "") -> str:
    """What a schema, or its definition of that kind, has against it, or nothing."""
    worst = jsonschema.exceptions.best_match(_validator(schema, kind).iter_errors(data))
    if worst is None:
        return ""
    return f"{'.'.join(str(step) for step in worst.absolute_path) or 'the file'}: {worst.message}"


@functools.cache
def _validator(file: Path, kind: str) -> Any:
    schema = json.loads(file.read_text(encoding="utf-8"))
    if kind:
        schema["$ref"] = f"#/definitions/{kind}"
    return jsonschema.Draft7Validator(schema, format_checker=jsonschema.FormatChecker())
