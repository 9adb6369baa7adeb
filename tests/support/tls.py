"""A CA like those of many clusters and companies, which Python's strict profile refuses (tests/certificates)."""

import ssl
from pathlib import Path
from typing import Any

import pytest

_FOLDER = Path(__file__).parents[1] / "certificates"
CA = _FOLDER / "ca.pem"
CERTIFICATE, KEY, ENCRYPTED_KEY = (_FOLDER / name for name in ("server.pem", "server-key.pem", "encrypted-key.pem"))


def server_tls() -> ssl.SSLContext:
    """The TLS context of a server on 127.0.0.1 or localhost, with a certificate of that CA."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE, KEY)
    return context


def strict_as_python_3_13(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make older versions use the strict profile, which is the default in Python 3.13."""
    plain = ssl.create_default_context

    def strict(*args: Any, **kwargs: Any) -> ssl.SSLContext:
        context = plain(*args, **kwargs)
        context.verify_flags |= ssl.VERIFY_X509_STRICT
        return context

    monkeypatch.setattr(ssl, "create_default_context", strict)
