"""Objects by key, out of a bucket, a web server or a folder; and a folder of tables, here or in a bucket.

`s3://BUCKET/PREFIX` without credentials is one plain HTTPS GET an object, through `http` with all its limits; with
AWS_ACCESS_KEY_ID in the environment it is Arrow's S3 client, whose credentials are the environment's (two requests an
object). AWS_ENDPOINT_URL_S3 or AWS_ENDPOINT_URL name another store than Amazon's: then http and private addresses are
allowed, as the user chose them. Tables always go through Arrow's client: what it connects to is not vetted, and is
either Amazon's or what the user named.

Cost: a folder, three system calls an object. Not covered: object versions, keys that are no safe path, buckets where
the requester pays, other ways to log in than the environment's keys.
"""

import dataclasses
import os
import re
import threading
import time
import urllib.parse
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from starloom.errors import UserError
from starloom.outside import http
from starloom.outside.http import Http, HttpError, HttpSettings, shown
from starloom.outside.inflate import InflateError, inflate
from starloom.outside.pace import Pace
from starloom.outside.paths import RefusedError, Root, is_safe, printable, read_descriptor
from starloom.outside.proxies import proxy_for

if TYPE_CHECKING:
    import pyarrow.fs

_ACCEPTED: Final = "give `s3://BUCKET/PREFIX`, `https://HOST/PREFIX` or a folder"
_AMAZON: Final = "amazonaws.com"
_BUCKET: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*(\.[A-Za-z0-9_-]+)*", re.ASCII)
_ENDLESS: Final = 1 << 62  # of an object of which a range is asked for
_DENIED: Final = "not there, or not public"


class StoreError(Exception):
    """An object that was not had. `retryable`: the same may work later."""

    def __init__(self, message: str, retryable: bool = False) -> None:
        super().__init__(message)
        self.retryable = retryable

    def __reduce__(self) -> tuple[type["StoreError"], tuple[str, bool]]:
        return type(self), (str(self), self.retryable)  # crosses process borders whole


class MissingError(StoreError):
    """There is no such object, or none that everybody may read."""


class TooLargeError(StoreError):
    """The object is larger than the caller's limit."""


class ObjectStore(Protocol):
    """Thread-safe; crosses process borders."""

    def get(self, key: str, limit: int) -> bytes:
        """The object, at most `limit` bytes, as it is stored. Raises MissingError, TooLargeError, StoreError."""

    def get_range(self, key: str, start: int, stop: int) -> bytes:
        """Its bytes from `start` to before `stop`, all of them. Raises MissingError; StoreError, also for an object
        that ends before, and for a server that only gives whole objects."""

    def close(self) -> None:
        """Frees connections and descriptors."""


def open_store(url: str, *, settings: HttpSettings) -> ObjectStore:
    """The store at `s3://BUCKET/PREFIX`, `https://HOST/PREFIX` or a folder, not asked yet. Raises UserError."""
    scheme = _scheme(url)
    if scheme == "s3":
        bucket, prefix = _bucket(url)
        if _has_credentials():
            return _Bucket(url, f"{bucket}/{prefix}".rstrip("/"), settings)
        endpoint = _endpoint()
        if endpoint:
            settings = dataclasses.replace(settings, private=True)
        return _Web(_public_url(bucket, prefix, endpoint), settings, denied_is_missing=True)
    if scheme in ("http", "https"):
        return _Web(url, settings, denied_is_missing=False)
    return _Folder(url)


def open_folder(url: str) -> tuple["pyarrow.fs.FileSystem", str]:
    """File system and path of a folder of tables: `s3://BUCKET/PREFIX` or a local one.

    Raises UserError, and MissingError where there is no such local folder; a bucket is not asked yet.
    """
    from pyarrow import fs

    scheme = _scheme(url)
    if scheme == "s3":
        bucket, prefix = _bucket(url)
        return _arrow_s3(HttpSettings()), f"{bucket}/{prefix}".rstrip("/")
    if scheme:
        raise UserError(f"{shown(url)}: tables are not read from there", "give `s3://BUCKET/PREFIX` or a folder")
    if not Path(url).is_dir():
        raise MissingError(f"{printable(url)}: no such folder")
    return fs.LocalFileSystem(), str(Path(url).absolute())


def gunzip(data: bytes, limit: int) -> bytes:
    """What the gzip `data` holds, at most `limit` bytes. Raises TooLargeError; StoreError where it is damaged."""
    try:
        return b"".join(inflate([data], limit))
    except InflateError as problem:
        raise (TooLargeError if problem.too_large else StoreError)(str(problem)) from None


class _Web:
    """Objects at URLs below a base; a query of the base (a shared access signature) goes with every request."""

    def __init__(self, base: str, settings: HttpSettings, *, denied_is_missing: bool) -> None:
        self._base = base
        self._settings = settings
        self._denied_is_missing = denied_is_missing
        self._parts = urllib.parse.urlsplit(base)
        self._http = Http(settings)

    def __reduce__(self) -> tuple[Callable[..., "_Web"], tuple[str, HttpSettings, bool]]:
        return _web, (self._base, self._settings, self._denied_is_missing)

    def get(self, key: str, limit: int) -> bytes:
        return self._get(key, limit, 0, None)

    def get_range(self, key: str, start: int, stop: int) -> bytes:
        return self._get(key, _ENDLESS, start, stop) if start < stop else b""

    def _get(self, key: str, limit: int, start: int, stop: int | None) -> bytes:
        path = f"{self._parts.path.rstrip('/')}/{urllib.parse.quote(_checked(key))}"
        url = self._parts._replace(path=path, fragment="").geturl()

        def once() -> bytes:
            with self._http.stream(url, limit=limit, start=start, stop=stop) as body:
                if stop is not None and body.status != 206:
                    raise HttpError(
                        f"{shown(url)}: the server gives whole objects only, no ranges of them", body.status
                    )
                return b"".join(body)

        try:
            data = self._http.retry(once)
        except http.TooLargeError as problem:
            raise TooLargeError(str(problem)) from None
        except HttpError as problem:
            if problem.status in (404, 410):
                raise MissingError(f"{shown(url)}: not there") from None
            if problem.status == 403 and self._denied_is_missing:  # a store that hides which keys it has
                raise MissingError(f"{shown(url)}: {_DENIED}") from None
            raise StoreError(str(problem), problem.retryable) from None
        _check_length(shown(url), data, start, stop)
        return data

    def close(self) -> None:
        self._http.close()


def _web(base: str, settings: HttpSettings, denied_is_missing: bool) -> _Web:
    return _Web(base, settings, denied_is_missing=denied_is_missing)


class _Bucket:
    """Objects of a bucket that wants credentials."""

    def __init__(self, url: str, path: str, settings: HttpSettings) -> None:
        self._url = url
        self._path = path
        self._settings = settings
        self._pace = Pace(settings.per_second, time.sleep, time.monotonic)
        self._system = _arrow_s3(settings)

    def __reduce__(self) -> tuple[type["_Bucket"], tuple[str, str, HttpSettings]]:
        return type(self), (self._url, self._path, self._settings)

    def get(self, key: str, limit: int) -> bytes:
        return self._get(key, limit, 0, None)

    def get_range(self, key: str, start: int, stop: int) -> bytes:
        return self._get(key, _ENDLESS, start, stop) if start < stop else b""

    def _get(self, key: str, limit: int, start: int, stop: int | None) -> bytes:
        name = f"s3://{self._path}/{_checked(key)}"
        self._pace.wait()
        try:
            with self._system.open_input_file(f"{self._path}/{key}") as file:
                size = file.size()
                if size > limit:
                    raise TooLargeError(f"{name}: {size:,} bytes, more than the limit of {limit:,}")
                stop = size if stop is None else stop
                data: bytes = file.read_at(min(stop, size) - start, start) if start < size else b""
        except FileNotFoundError:
            raise MissingError(f"{name}: not there") from None
        except OSError as problem:
            denied = any(word in str(problem) for word in ("ACCESS_DENIED", "403", "INVALID_ACCESS_KEY", "SIGNATURE"))
            raise StoreError(f"{name}: {_first_line(problem)}", not denied) from None
        _check_length(name, data, start, stop)
        return data

    def close(self) -> None:
        """Arrow frees its connections with the file system."""


class _Folder:
    """Files of a folder; no link below it is followed."""

    def __init__(self, location: str) -> None:
        self._location = location
        try:
            self._root = Root(location)
        except (OSError, ValueError) as problem:
            reason = problem.strerror if isinstance(problem, OSError) else "no path"
            raise UserError(f"{printable(location)}: {reason}", _ACCEPTED) from None
        self._lock = threading.Lock()  # Root remembers the last folder

    def __reduce__(self) -> tuple[type["_Folder"], tuple[str]]:
        return type(self), (self._location,)

    def get(self, key: str, limit: int) -> bytes:
        name, data = self._read(key, lambda descriptor: read_descriptor(descriptor, limit))
        if len(data) > limit:
            raise TooLargeError(f"{name}: more than the limit of {limit:,} bytes")
        return data

    def get_range(self, key: str, start: int, stop: int) -> bytes:
        name, data = self._read(key, lambda descriptor: os.pread(descriptor, max(stop - start, 0), start))
        _check_length(name, data, start, stop)
        return data

    def _read(self, key: str, read: Callable[[int], bytes]) -> tuple[str, bytes]:
        """The file's name for people, and what `read` makes of its descriptor."""
        name = printable(f"{self._location}/{_checked(key)}")
        try:
            with self._lock:
                descriptor, _ = self._root.open(os.fsencode(key))
            try:
                return name, read(descriptor)
            finally:
                os.close(descriptor)
        except RefusedError as problem:
            if str(problem) == "missing":
                raise MissingError(f"{name}: not there") from None
            raise StoreError(f"{name}: {problem}") from None
        except OSError as problem:
            raise StoreError(f"{name}: {problem.strerror}", True) from None

    def close(self) -> None:
        self._root.close()


def _check_length(name: str, data: bytes, start: int, stop: int | None) -> None:
    if stop is not None and len(data) < stop - start:
        raise StoreError(f"{name}: {len(data):,} of the {stop - start:,} bytes from {start:,} on came", True)


def _checked(key: str) -> str:
    if not is_safe(key):
        raise StoreError(f"{printable(key[:100])!r} is no key")
    return key


def _scheme(url: str) -> str:
    found = re.match(r"([A-Za-z][A-Za-z0-9+.-]*)://", url)
    scheme = found[1].lower() if found else ""
    if scheme not in ("", "s3", "http", "https"):
        raise UserError(f"{shown(url)}: no store of a kind that is known", _ACCEPTED)
    return scheme


def _bucket(url: str) -> tuple[str, str]:
    """Bucket, and prefix without slashes around it."""
    bucket, _, prefix = url.partition("://")[2].partition("/")
    if "@" in bucket or not _BUCKET.fullmatch(bucket):
        raise UserError("that is no bucket of the form s3://BUCKET/PREFIX", "credentials go into the environment")
    prefix = prefix.strip("/")
    if (prefix and not is_safe(prefix)) or "?" in prefix or "#" in prefix:
        raise UserError(f"s3://{bucket}: the prefix is none that a folder could have", _ACCEPTED)
    return bucket, prefix


def _has_credentials() -> bool:
    if not os.environ.get("AWS_ACCESS_KEY_ID"):
        return False
    if not os.environ.get("AWS_SECRET_ACCESS_KEY"):
        raise UserError(
            "AWS_ACCESS_KEY_ID is set, AWS_SECRET_ACCESS_KEY is not", "set both, or none for public buckets"
        )
    return True


def _endpoint() -> str:
    """The URL of another store than Amazon's, or ""."""
    endpoint = (os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL") or "").rstrip("/")
    if endpoint and _scheme(endpoint) not in ("http", "https"):
        raise UserError("AWS_ENDPOINT_URL is no http or https URL", "give it as `https://HOST:PORT`")
    return endpoint


def _region() -> str:
    return os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or "us-east-1"


def _public_url(bucket: str, prefix: str, endpoint: str) -> str:
    if endpoint:
        base = f"{endpoint}/{bucket}"
    elif "." in bucket:  # the certificate covers one name before the dot only
        base = f"https://s3.{_region()}.{_AMAZON}/{bucket}"
    else:
        base = f"https://{bucket}.s3.{_AMAZON}"
    return f"{base}/{urllib.parse.quote(prefix)}" if prefix else base


def _arrow_s3(settings: HttpSettings) -> "pyarrow.fs.FileSystem":
    """Arrow's client. Credentials never pass through here: it takes them out of the environment."""
    from pyarrow import fs

    endpoint = _endpoint()
    parts = urllib.parse.urlsplit(endpoint or f"https://s3.{_region()}.{_AMAZON}")
    if parts.path or parts.username is not None:
        raise UserError("AWS_ENDPOINT_URL holds more than scheme, host and port", "give it as `https://HOST:PORT`")
    proxy = proxy_for(parts.scheme, parts.hostname or "")
    return fs.S3FileSystem(
        anonymous=not _has_credentials(),
        region=_region(),
        scheme=parts.scheme,
        endpoint_override=parts.netloc if endpoint else None,
        connect_timeout=settings.connect_seconds,
        request_timeout=settings.idle_seconds,
        retry_strategy=fs.AwsStandardS3RetryStrategy(max_attempts=settings.attempts),
        proxy_options=proxy or None,
        tls_ca_file_path=os.environ.get("SSL_CERT_FILE") or None,
    )


def _first_line(problem: OSError) -> str:
    return printable((str(problem).splitlines() or ["failed"])[0][:300])
