# SPDX-License-Identifier: GPL-2.0
"""The manual page, from the very tables that the command line is made of."""

import argparse
from collections.abc import Iterator

from coco import cli, errors, machine_words, parts, variables
from coco.screen import Screen


def run(_options: argparse.Namespace, _words: list[str], screen: Screen) -> int:
    """Print it."""
    for line in page():
        screen.line(line)
    return errors.OK


def page() -> Iterator[str]:
    """coco.1, in the man macros."""
    yield f'.TH COCO 1 "" "coco-guest-tests {_text(parts.version())}" "User Commands"'
    yield ".SH NAME"
    yield "coco \\- tests for the guest side of SEV, SEV\\-ES, SEV\\-SNP and TDX in Linux"
    yield ".SH SYNOPSIS"
    yield ".B coco"
    yield ".I command"
    yield ".RI [ NAME=VALUE ...]"
    yield ".SH DESCRIPTION"
    yield "Runs Linux kernels, unmodified, as confidential guests in a software model of the"
    yield "processor, its firmware and the host, in plain QEMU: without the hardware, KVM or root."
    yield ".SH COMMANDS"
    for verb in cli.VERBS:
        yield ".TP"
        yield f".B {_text(verb.name)}"
        yield _text(verb.description)
        if verb.variables:
            yield ".br"
            yield "Takes " + ", ".join(f"\\fB{_text(name)}\\fR" for name in verb.variables) + "."
    yield ".SH VARIABLES"
    yield "Also as \\fB\\-\\-name\\fR \\fIvalue\\fR, or COCO_NAME in the environment."
    for variable in variables.VARIABLES.values():
        yield ".TP"
        yield f'.BI {_text(variable.name)}= "{_text(variable.value)}"'
        yield _text(variable.help)
        for name, text in variables.of_verb(variable.name).items():
            yield ".br"
            yield f"\\fB{_text(name)}\\fR: {_text(text)}"
    yield ".SH WORDS OF THE MACHINE"
    yield "For MACHINE=; more of each in the source that is named, below machine/."
    for name, (_, meaning) in machine_words.WORDS.items():
        yield ".TP"
        yield f".B {_text(machine_words.as_written(name))}"
        yield _text(meaning)
    yield ".SH ENVIRONMENT"
    for name, meaning in variables.ENVIRONMENT.items():
        yield ".TP"
        yield f".B {_text(name)}"
        yield _text(meaning)
    yield ".SH EXIT STATUS"
    for line in cli.EXIT_CODES.splitlines()[1:]:
        code, _, meaning = line.strip().partition(" ")
        yield ".TP"
        yield f".B {code}"
        yield _text(meaning.strip())
    yield ".SH EXAMPLES"
    yield ".nf"
    yield from (_text(line.strip()) for line in cli.EXAMPLES.format(coco="coco").splitlines()[1:])
    yield ".fi"


def _text(text: str) -> str:
    """For roff: no escapes, no hyphens that break, no line that looks like a request."""
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return "\\&" + text if text.startswith((".", "'")) else text
