# SPDX-License-Identifier: GPL-2.0
"""Attestation as someone else sees it: openssl verifies reports, quotes and their certificates.

Nothing here knows a key: all that is trusted is the root certificate that came along, of which
openssl is asked whether the rest follows from it.
"""

import hashlib
import pathlib
import re
import struct
import subprocess
from collections.abc import Callable, Iterable

HEX = re.compile(r"^t\|# hex ([a-z_]+) ([0-9a-f]+)$")
P256_SPKI = bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d030107034200" "04")

# SNP firmware ABI, "ATTESTATION_REPORT": what is signed, R, S
SIGNED = 0x2A0
COMPONENT = 72
# GUIDs of the certificate table, as they are in memory
ARK = bytes.fromhex("a406b4c003a8524997433fb6014cd0ae")
ASK = bytes.fromhex("79b3b74aacbbe44fa02f05aef327c782")
VCEK = bytes.fromhex("8d75da6364e66445adc5f4b93be8accd")

# TD quote, version 4: header and body, which are signed; the offsets in what follows
BODY = 48 + 584
ENCLAVE = BODY + 4 + 64 + 64 + 6
ENCLAVE_SIZE = 384

Finding = tuple[str, bool, str]  # claim, whether it holds, what openssl said


def dumps(lines: Iterable[str]) -> dict[str, bytes]:
    """What the payload dumped, by name."""
    found: dict[str, str] = {}
    for line in lines:
        match = HEX.match(line)
        if match:
            found[match[1]] = found.get(match[1], "") + match[2]
    return {name: bytes.fromhex(text) for name, text in found.items()}


def openssl(*words: str) -> tuple[bool, str]:
    try:
        done = subprocess.run(["openssl", *words], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return False, "there is no openssl: apt-get install openssl"
    return done.returncode == 0, (done.stdout + done.stderr).strip()


def integer(value: bytes) -> bytes:
    value = value.lstrip(b"\0") or b"\0"
    if value[0] & 0x80:
        value = b"\0" + value
    return bytes([2, len(value)]) + value


def signature(r: bytes, s: bytes) -> bytes:
    """ECDSA-Sig-Value (RFC 3279, 2.2.3), from big-endian numbers."""
    both = integer(r) + integer(s)
    return bytes([0x30, len(both)]) + both


def signed(
    folder: pathlib.Path, digest: str, key: str, data: bytes, sig: bytes
) -> tuple[bool, str]:
    """Does the public key in that file verify the signature?"""
    (folder / "data").write_bytes(data)
    (folder / "signature").write_bytes(sig)
    words = ("-verify", str(folder / key), "-signature", str(folder / "signature"))
    return openssl("dgst", f"-{digest}", *words, str(folder / "data"))


def public_key(folder: pathlib.Path, certificate: str, key: str) -> None:
    _, text = openssl("x509", "-in", str(folder / certificate), "-noout", "-pubkey")
    (folder / key).write_text(text + "\n")


def flipped(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def certificates(table: bytes) -> dict[bytes, bytes]:
    """The table that hosts hand out: GUID, offset, length; the last one is zero."""
    found = {}
    for at in range(0, len(table) - 24, 24):
        guid, offset, length = struct.unpack_from("<16sII", table, at)
        if not length:
            break
        found[guid] = table[offset : offset + length]
    return found


def snp_report(blobs: dict[str, bytes], folder: pathlib.Path) -> list[Finding]:
    """The VCEK signed the report, the ASK the VCEK, the ARK the ASK."""
    report = blobs["report"]
    chain = certificates(blobs["certificates"])
    for name, guid in (("ark", ARK), ("ask", ASK), ("vcek", VCEK)):
        (folder / f"{name}.der").write_bytes(chain.get(guid, b""))
        openssl(
            "x509", "-inform", "DER", "-in", f"{folder}/{name}.der", "-out", f"{folder}/{name}.pem"
        )
    ark, ask, vcek = (str(folder / f"{name}.pem") for name in ("ark", "ask", "vcek"))
    r = report[SIGNED : SIGNED + COMPONENT][::-1]
    s = report[SIGNED + COMPONENT : SIGNED + 2 * COMPONENT][::-1]
    sig, body = signature(r, s), report[:SIGNED]
    public_key(folder, "vcek.pem", "vcek.pub")
    forged = [
        signed(folder, "sha384", "vcek.pub", flipped(body, at), sig)[0] for at in (0, 0x50, 0x29F)
    ]
    return [
        ("openssl_verifies_the_vcek", *openssl("verify", "-CAfile", ark, "-untrusted", ask, vcek)),
        ("vcek_needs_the_ask", not openssl("verify", "-CAfile", ark, vcek)[0], ""),
        ("openssl_verifies_the_report", *signed(folder, "sha384", "vcek.pub", body, sig)),
        ("openssl_refuses_a_changed_report", not any(forged), ""),
    ]


def td_quote(blobs: dict[str, bytes], folder: pathlib.Path) -> list[Finding]:
    """The attestation key signed the quote, the PCK the enclave that vouches for that key."""
    quote = blobs["quote"]
    body, sig, point = quote[:BODY], quote[BODY + 4 : BODY + 68], quote[BODY + 68 : BODY + 132]
    enclave = quote[ENCLAVE : ENCLAVE + ENCLAVE_SIZE]
    rest = quote[ENCLAVE + ENCLAVE_SIZE :]
    enclave_sig, (size,) = rest[:64], struct.unpack_from("<H", rest, 64)
    data, chain = rest[66 : 66 + size], rest[66 + size + 6 :]
    pems = chain.decode("ascii", "replace").split("-----BEGIN")[1:]
    for name, pem in zip(("pck", "root"), pems):
        (folder / f"{name}.pem").write_text("-----BEGIN" + pem)
    (folder / "key.der").write_bytes(P256_SPKI + point)
    openssl(
        "pkey", "-pubin", "-inform", "DER", "-in", f"{folder}/key.der", "-out", f"{folder}/key.pub"
    )
    public_key(folder, "pck.pem", "pck.pub")
    root, pck = str(folder / "root.pem"), str(folder / "pck.pem")
    quote_sig = signature(sig[:32], sig[32:])
    enclave_der = signature(enclave_sig[:32], enclave_sig[32:])
    vouched = hashlib.sha256(point + data).digest() + bytes(32)
    forged = [
        signed(folder, "sha256", "key.pub", flipped(body, at), quote_sig)[0]
        for at in (0, 48, BODY - 1)
    ]
    return [
        ("openssl_verifies_the_pck", *openssl("verify", "-CAfile", root, pck)),
        (
            "openssl_verifies_the_enclave",
            *signed(folder, "sha256", "pck.pub", enclave, enclave_der),
        ),
        ("enclave_vouches_for_the_attestation_key", enclave[320:] == vouched, ""),
        ("openssl_verifies_the_quote", *signed(folder, "sha256", "key.pub", body, quote_sig)),
        ("openssl_refuses_a_changed_quote", not any(forged), ""),
    ]


VERIFIERS: dict[str, Callable[[dict[str, bytes], pathlib.Path], list[Finding]]] = {
    "snp_report": snp_report,
    "td_quote": td_quote,
}


def verify(payload: str, lines: Iterable[str], folder: pathlib.Path) -> list[Finding]:
    """All that can be said of what this payload dumped; nothing of other payloads."""
    if payload not in VERIFIERS:
        return []
    try:
        return VERIFIERS[payload](dumps(lines), folder)
    except (KeyError, IndexError, struct.error) as error:
        return [("dump_is_whole", False, f"the payload's dump lacks something: {error!r}")]
