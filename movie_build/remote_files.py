"""Files behind an fsspec URL: read, written whole, removed, each within a time limit."""

from __future__ import annotations

import os
import threading
from difflib import get_close_matches
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from movie_build.errors import MissingExtra, MovieBuildError

_CONNECT_S = 3
# The library that opens a kind of URL, and the extra that installs it.
_EXTRAS = {
    "s3": ("s3fs", "s3"),
    "s3a": ("s3fs", "s3"),
    "gs": ("gcsfs", "gcs"),
    "gcs": ("gcsfs", "gcs"),
}
# Where a file appears whole or not at all, without being renamed.
_ATOMIC = {*_EXTRAS, "abfs", "abfss", "adl", "az", "oss", "memory"}


class RemoteFiles:
    """Files by path below `url`. May be used from several threads; opened when first needed.

    What stands behind `?` in the URL goes to the file system as its options,
    such as `s3://bucket/movies?endpoint_url=https://minio.example`.

    Raises:
        MissingExtra: the library for this kind of URL is not installed.
        MovieBuildError: there is no such kind of URL.
    """

    def __init__(self, url: str, *, read_only: bool, timeout_s: float) -> None:
        self._url = url
        self._kind = _kind(url)
        self._read_only = read_only
        self._timeout_s = timeout_s
        self._opening = threading.Lock()
        self._opened: tuple[Any, str, dict[str, Any]] | None = None

    def read(self, path: str) -> bytes:
        """The bytes of a file.

        Raises:
            FileNotFoundError: there is none.
            PermissionError: it may not be read.
            Exception: whatever the client of this kind of URL raises.
        """
        files, root, limit = self._open()
        content: bytes = files.cat_file(f"{root}/{path}", **limit)
        return content

    def exists(self, path: str) -> bool:
        """Whether there is a file; raises as `read` does."""
        files, root, limit = self._open()
        try:
            files.info(f"{root}/{path}", **limit)
        except FileNotFoundError:
            return False
        return True

    def write(self, path: str, content: bytes) -> None:
        """Write a file that appears whole; raises as `read` does."""
        files, root, limit = self._open()
        whole = f"{root}/{path}"
        if self._kind in _ATOMIC:
            files.pipe_file(whole, content, **limit)
            return
        folder, _, name = whole.rpartition("/")
        files.makedirs(folder, exist_ok=True)
        part = f"{folder}/.part-{os.getpid()}-{threading.get_ident()}-{name}"
        files.pipe_file(part, content, **limit)
        files.mv(part, whole)

    def remove(self, path: str) -> None:
        """Remove a file; raises as `read` does."""
        files, root, _ = self._open()
        files.rm_file(f"{root}/{path}")

    def _open(self) -> tuple[Any, str, dict[str, Any]]:
        """The file system, the path of `url` in it, and what limits the time of a call."""
        with self._opening:
            if self._opened is None:
                from fsspec.asyn import AsyncFileSystem
                from fsspec.core import url_to_fs

                url, options = _options(self._url)
                if self._kind in ("s3", "s3a"):
                    options = self._s3_options() | options
                files, root = url_to_fs(
                    url, use_listings_cache=False, skip_instance_cache=True, **options
                )
                limit = {"timeout": self._timeout_s} if isinstance(files, AsyncFileSystem) else {}
                self._opened = files, root.rstrip("/"), limit
            return self._opened

    def _s3_options(self) -> dict[str, Any]:
        limits = {"connect_timeout": _CONNECT_S, "read_timeout": self._timeout_s}
        options: dict[str, Any] = {
            "config_kwargs": {**limits, "retries": {"max_attempts": 1}},
            "max_concurrency": 1,  # with more, it asks for an object's size first
        }
        if self._read_only:
            from botocore.session import get_session

            # A fork has no credentials, and a bucket that anybody may read needs none.
            options["anon"] = get_session().get_credentials() is None
        return options


def shown_url(url: str) -> str:
    """`url` without what may be secret in it: its user, its options."""
    before, at, behind = url.partition("?")[0].rpartition("@")
    return f"{before.partition('://')[0]}://{behind}" if at and "://" in before else behind


def _kind(url: str) -> str:
    """The kind of `url`, known to have its library installed."""
    if "://" not in url and not Path(url).is_absolute():
        # A folder by a relative path would be another one wherever the build is started.
        raise MovieBuildError(
            f"the shared store {url!r} is no URL; write one such as s3://bucket/movies or "
            "file:///srv/movies"
        )
    kind = urlsplit(url).scheme or "file"
    library, extra = _EXTRAS.get(kind, ("fsspec", "shared"))
    if not find_spec(library):
        raise MissingExtra(extra, f"the shared store {shown_url(url)}")
    if kind in _EXTRAS or kind == "file":
        return kind
    from fsspec.registry import get_filesystem_class, known_implementations

    try:
        get_filesystem_class(kind)
    except ValueError:
        near = get_close_matches(kind, known_implementations, n=1, cutoff=0.6)
        hint = f"did you mean {near[0]!r}?" if near else "use s3, gs, az, sftp or file, for example"
        raise MovieBuildError(
            f"the shared store {shown_url(url)}: there is no kind of URL {kind!r}; {hint}"
        ) from None
    except ImportError as error:
        raise MovieBuildError(f"the shared store {shown_url(url)}: {error}") from None
    return kind


def _options(url: str) -> tuple[str, dict[str, Any]]:
    """`url` without its options, and these; in a web address they are part of it."""
    bare, _, query = url.partition("?")
    if bare.startswith(("http://", "https://")):
        return url, {}
    words = {"true": True, "false": False}
    return bare, {name: words.get(value, value) for name, value in parse_qsl(query)}
