"""Certificates of our own making, to sign with."""

import shutil
import subprocess
from pathlib import Path

import pytest

from realedit.photos import Signing

EXTENSIONS = """keyUsage=critical,digitalSignature
extendedKeyUsage=emailProtection
basicConstraints=critical,CA:FALSE
subjectKeyIdentifier=hash
authorityKeyIdentifier=keyid,issuer
"""


def signing_of_our_own(folder: Path) -> Signing:
    """A chain and its key in `folder`, of an authority that nobody knows. Skips where nothing can sign."""
    pytest.importorskip("c2pa", reason="needs realedit[c2pa]")
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    (folder / "extensions").write_text(EXTENSIONS)
    curve = "ecparam -name prime256v1 -genkey -noout -out"
    for command in (
        f"{curve} authority.key",
        "req -x509 -new -key authority.key -subj /CN=Authority/O=Test -days 9 -out authority.pem",
        f"{curve} plain.key",
        "pkcs8 -topk8 -nocrypt -in plain.key -out own.key",
        "req -new -key own.key -subj /CN=Own/O=Test -out own.request",
        "x509 -req -in own.request -CA authority.pem -CAkey authority.key -CAcreateserial -days 5"
        " -extfile extensions -out own.pem",
    ):
        subprocess.run(["openssl", *command.split()], cwd=folder, check=True, capture_output=True)
    chain = folder / "chain.pem"
    chain.write_bytes((folder / "own.pem").read_bytes() + (folder / "authority.pem").read_bytes())
    return Signing(chain, folder / "own.key")
