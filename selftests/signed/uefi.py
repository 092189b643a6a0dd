# SPDX-License-Identifier: GPL-2.0-only
"""UEFI's variables for Secure Boot, as files to write into efivarfs: UEFI 2.10, 8.2 and 32.4."""

import struct
import tempfile
import uuid

from tap import run

GLOBAL = uuid.UUID("8be4df61-93ca-11d2-aa0d-00e098032b8c")
SECURITY = uuid.UUID("d719b2cb-3d3a-4596-a3bc-dad00e67656f")
X509 = uuid.UUID("a5c059a1-94e4-4aa7-87b5-ab155c2bf072")
PKCS7 = uuid.UUID("4aafd29d-68df-49ee-8aa9-347d375665a7")
OWNER = uuid.UUID("0b0a4d90-5a0c-4f0e-9a3c-60a5a9d27c11")       # ours, any will do
GUID = {"PK": GLOBAL, "KEK": GLOBAL, "db": SECURITY}
# Kept, seen by the boot loader and the system, written with a time and a signature.
ATTRIBUTES = 0x27
TIME = struct.pack("<HBBBBBBIhBB", 2026, 11, 1, 0, 0, 0, 0, 0, 0, 0, 0)


def signature_list(*certificates):
    """EFI_SIGNATURE_LISTs, one for each certificate (DER)."""
    return b"".join(X509.bytes_le + struct.pack("<III", 44 + len(cert), 0, 16 + len(cert)) +
                    OWNER.bytes_le + cert for cert in certificates)


def _inner(der):
    """The SignedData inside of ContentInfo, which firmware does not expect."""
    def header(at):
        return at + 2 + (der[at + 1] & 0x7f if der[at + 1] & 0x80 else 0)
    at = header(0)
    at = header(at) + der[at + 1]       # past the object identifier
    return der[header(at):]


def sign(name, payload, pair):
    """What authorises a variable: SignedData of it by a key, without the content."""
    text = name.encode("utf-16-le") + GUID[name].bytes_le + struct.pack("<I", ATTRIBUTES)
    with tempfile.NamedTemporaryFile() as file:
        file.write(text + TIME + payload)
        file.flush()
        done = run("openssl", "cms", "-sign", "-binary", "-noattr", "-md", "sha256",
                   "-in", file.name, "-inkey", pair[0], "-signer", pair[1], "-outform", "DER",
                   text=False, errors=None)
    if done.returncode:
        raise SystemExit(done.stdout.decode())
    return _inner(done.stdout)


def variable(name, payload, pair=None):
    """Its file in efivarfs and what to write there."""
    proof = sign(name, payload, pair) if pair else b""
    head = struct.pack("<IHH", 24 + len(proof), 0x200, 0xef1) + PKCS7.bytes_le
    return f"{name}-{GUID[name]}", struct.pack("<I", ATTRIBUTES) + TIME + head + proof + payload
