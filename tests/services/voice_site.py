"""huggingface.co as Piper's downloader sees it, behind a proxy on loopback.

`https_proxy` leads there and `SSL_CERT_FILE` has it trusted, as with any company's proxy: so
Piper's own downloader runs as it is, with its own addresses.
"""

from __future__ import annotations

import datetime
import ssl
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

HOST, FILES_HOST = "huggingface.co", "cas-bridge.xethub.hf.co"


class VoiceSite:
    """The `files` by their path in Piper's repository; `asked` is what was asked for.

    A context manager; `folder` is where its certificate is written.
    """

    def __init__(self, files: Mapping[str, bytes], folder: Path) -> None:
        self.files = dict(files)
        self.asked: list[str] = []
        self.certificate = folder / "certificate.pem"
        self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._tls.load_cert_chain(_certificate(self.certificate))
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.site = self
        self._server.tls = self._tls

    @property
    def environment(self) -> dict[str, str]:
        """What leads a process here."""
        return {
            "https_proxy": f"http://127.0.0.1:{self._server.server_port}",
            "SSL_CERT_FILE": str(self.certificate),
        }

    def __enter__(self) -> VoiceSite:
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    site: VoiceSite
    tls: ssl.SSLContext


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def log_message(self, *_: Any) -> None:
        """Say nothing."""

    def do_CONNECT(self) -> None:
        """Become the host that is asked for."""
        self.send_response(200)
        self.end_headers()
        with self.server.tls.wrap_socket(self.connection, server_side=True) as inside:
            self.rfile = inside.makefile("rb")
            self.wfile = inside.makefile("wb", buffering=0)
            self.handle_one_request()
            self.finish()
        self.close_connection = True

    def do_GET(self) -> None:
        """Send on to where large files lie, as the site does, and give them there."""
        site, path = self.server.site, urlsplit(self.path).path
        host = self.headers["Host"]
        site.asked.append(f"https://{host}{self.path}")
        if host == HOST:
            self.send_response(302)
            self.send_header("Location", f"https://{FILES_HOST}{path}?signed=1")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        found = site.files.get(path.removeprefix("/rhasspy/piper-voices/resolve/main/"))
        self.send_response(404 if found is None else 200)
        self.send_header("Content-Length", str(len(found or b"")))
        self.end_headers()
        self.wfile.write(found or b"")


def _certificate(path: Path) -> Path:
    """A certificate of both hosts and its key, made now and good for a day."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "tests of movie-build")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.DNSName(HOST), x509.DNSName(FILES_HOST)]), False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    path.write_bytes(
        certificate.public_bytes(pem)
        + key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return path
