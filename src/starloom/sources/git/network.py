"""Git that talks to another machine: its command line, its environment, and what its complaints mean.

Neutral as in `folder.py`: no settings, hooks, credential helpers or `.netrc` of user or system; one protocol, the
URL's. What is the user's wish stays: proxies and certificates named by the environment and, for ssh only, the home
folder with its keys, known hosts and configuration, and the agent. An unknown host key is refused, never asked about.

http and https: git connects to the very addresses that were judged (`outside/addresses.py`) and follows no redirect;
`resolved` follows those of the first request by hand. The token goes to git in its environment, only for https and
only for its host, and is blotted out of what git says. Not covered: for ssh and git the name is resolved again by the
program that connects, and a proxy resolves for itself.
"""

import base64
import os
import re
import resource
from collections.abc import Sequence

from starloom.errors import UserError
from starloom.outside.addresses import allows_private, refusal, resolve
from starloom.outside.http import Http, HttpError, HttpSettings
from starloom.outside.paths import printable
from starloom.outside.processes import ProcessError, Stream
from starloom.sources.git.folder import MEMORY, OPTIONS, environment
from starloom.sources.git.url import Remote, parse_remote

TOKEN = "STARLOOM_GIT_TOKEN"  # noqa: S105 - the variable's name
TOKEN_HOST = "STARLOOM_GIT_TOKEN_HOST"  # noqa: S105 - where the token is given: HOST or HOST:PORT
DEFAULT_TOKEN_HOST = "github.com"  # noqa: S105
IDLE_SECONDS = 120.0  # without a word of git, which tells its progress every second
DEADLINE = 3600.0  # seconds for one repository
MAX_PACK = 16 << 30  # bytes
MAX_ANSWER = 1 << 24  # bytes that git prints of a few branches
ALLOCATION = "1g"  # that git may take in one piece; blobs of more than STREAMED are never held whole
_STREAMED = "64m"
_PROXIES = ("http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY")
_CERTIFICATES = {"SSL_CERT_FILE": "http.sslCAInfo", "SSL_CERT_DIR": "http.sslCAPath"}
_SSH = ("HOME", "SSH_AUTH_SOCK", "USER", "LOGNAME")
_SSH_COMMAND = (
    "ssh -oBatchMode=yes -oStrictHostKeyChecking=yes -oConnectTimeout=20 -oServerAliveInterval=15 "
    "-oServerAliveCountMax=4 -oClearAllForwardings=yes -oForwardAgent=no -oForwardX11=no -oPermitLocalCommand=no"
)
_SETTINGS = {
    "credential.helper": "",
    "core.askPass": "",
    "core.fsync": "all",
    "core.bigFileThreshold": _STREAMED,
    "fetch.fsckObjects": "true",
    "fetch.unpackLimit": "1",  # one pack, however few objects
    "fetch.writeCommitGraph": "false",
    "gc.auto": "0",
    "maintenance.auto": "false",
    "submodule.recurse": "false",
    "http.followRedirects": "false",
    "http.lowSpeedLimit": "64",  # bytes a second; more than the life signs of a server that is busy
    "http.lowSpeedTime": "60",
    "transfer.bundleURI": "false",
} | {
    # Old programs wrote these into commits and trees of sound repositories; nothing here depends on them.
    f"fetch.fsck.{message}": "ignore"
    for message in (
        "badTimezone",
        "missingEmail",
        "missingNameBeforeEmail",
        "missingSpaceBeforeDate",
        "missingSpaceBeforeEmail",
        "zeroPaddedFilemode",
        "zeroPaddedDate",
    )
}

# What another try would not change.
_FINAL = re.compile(
    r"returned error: (?:4(?!08|25|29)\d\d|3\d\d)|not found|does not exist|could not read Username|[Pp]ermission denied"
    r"|Host key verification|[Aa]uthentication failed|does not appear to be a git|fsck|[Cc]ertificate|dumb http"
    r"|allocate|not allowed|remote ref|No space left|[Ff]ile size limit|File too large"
)
_PRIVATE = re.compile(r"error: 40[13]|could not read Username|[Aa]uthentication failed|[Pp]ermission denied")


class RemoteError(Exception):
    """The other machine, or the way to it, failed: why, and whether another try may help."""

    def __init__(self, reason: str, hint: str | None = None, retryable: bool = False) -> None:
        super().__init__(reason)
        self.hint = hint
        self.retryable = retryable


def resolved(remote: Remote) -> Remote:
    """Where `remote` is after redirects, each judged; the same for what is not http. Raises RemoteError, UserError."""
    if remote.scheme not in ("https", "http"):
        return remote
    query = "/info/refs?service=git-upload-pack"
    headers = {"Git-Protocol": "version=2"}
    if secret := _authorization(remote):
        headers["Authorization"] = secret
    try:
        with (
            Http(HttpSettings(attempts=1, idle_seconds=IDLE_SECONDS)) as http,
            http.stream(remote.url.rstrip("/") + query, limit=1 << 40, headers=headers) as body,
        ):
            found = body.url
    except HttpError as problem:
        raise RemoteError(str(problem), _hint(f"error: {problem.status}", remote), problem.retryable) from None
    if not found.endswith(query):
        raise RemoteError("it redirects to something that is no git repository")
    try:
        return parse_remote(found.removesuffix(query))
    except UserError as problem:  # the server's doing, not the user's
        raise RemoteError(f"it redirects to {problem.problem}") from None


def ask(remote: Remote, git_dir: str, arguments: Sequence[str]) -> bytes:
    """What git prints, run in the empty repository `git_dir` of our own. Raises RemoteError, UserError."""
    argv = ["git", f"--git-dir={git_dir}", *OPTIONS, *arguments]
    output = bytearray()
    try:
        with Stream(
            argv,
            network_environment(remote),
            idle_timeout=IDLE_SECONDS,
            deadline=DEADLINE,
            talkative=True,
            limits=MEMORY | {resource.RLIMIT_FSIZE: MAX_PACK},
        ) as stream:
            for lines in stream.pieces(b"\n"):
                output += b"\n".join((*lines, b""))
                if len(output) > MAX_ANSWER:
                    raise RemoteError(f"it answers with more than {MAX_ANSWER} bytes")
            status = stream.finish()
            said = _scrubbed(stream.stderr, remote)
    except ProcessError as problem:
        raise RemoteError(f"it does not go on: {problem}", retryable=True) from None
    if status:
        raise RemoteError(_reason(said), _hint(said, remote), retryable=not _FINAL.search(said))
    return bytes(output)


def network_environment(remote: Remote) -> dict[str, str]:
    """The environment in which git may talk to `remote`, and to nobody else. Raises RemoteError, UserError."""
    web = remote.scheme in ("https", "http")
    kept = _PROXIES if web else _SSH if remote.scheme == "ssh" else ()
    settings = _SETTINGS | {key: os.environ[name] for name, key in _CERTIFICATES.items() if os.environ.get(name)}
    if web and not any(os.environ.get(name) for name in _PROXIES if "no" not in name.lower()):
        host = f"[{remote.host}]" if ":" in remote.host else remote.host
        settings["http.curloptResolve"] = f"{host}:{remote.port}:{','.join(_judged(remote))}"
    elif not web:
        _judged(remote)
    if secret := _authorization(remote):
        settings[f"http.https://{remote.host}:{remote.port}/.extraHeader"] = f"Authorization: {secret}"
    numbered = {
        f"GIT_CONFIG_{part}_{number}": text
        for number, pair in enumerate(settings.items())
        for part, text in zip(("KEY", "VALUE"), pair)
    }
    return (
        environment()
        | {name: os.environ[name] for name in kept if name in os.environ}
        | {
            "GIT_ALLOW_PROTOCOL": remote.scheme,
            "GIT_ALLOC_LIMIT": ALLOCATION,
            "GIT_SSH_COMMAND": _SSH_COMMAND,
            "GIT_SSH_VARIANT": "ssh",
            "GIT_CONFIG_COUNT": str(len(settings)),
        }
        | numbered
    )


def _judged(remote: Remote) -> list[str]:
    """The addresses of the host, all of which may be connected to."""
    try:
        found = resolve(remote.host, remote.port)
    except OSError as problem:
        if remote.scheme == "ssh":
            return []  # a name of the user's own, from ~/.ssh/config
        raise RemoteError(f"{remote.host} is not known: {problem.strerror}", retryable=True) from None
    for address in found:
        if reason := refusal(address, private=allows_private()):
            hint = "for the company's own servers set STARLOOM_ALLOW_PRIVATE=1"
            raise RemoteError(f"{remote.host} is at {address}, {reason}", hint)
    return [f"[{one}]" if ":" in one else one for one in found]


def _authorization(remote: Remote) -> str | None:
    """The header's value, where the user has a token for this host."""
    token = os.environ.get(TOKEN, "")
    host, _, port = os.environ.get(TOKEN_HOST, DEFAULT_TOKEN_HOST).lower().partition(":")
    if not token or (remote.scheme, remote.host, str(remote.port)) != ("https", host, port or "443"):
        return None
    if not (token.isascii() and token.isprintable()) or " " in token:
        raise UserError(f"the variable {TOKEN} holds something that is no token", "set it to the token alone")
    return "Basic " + base64.b64encode(f"x-access-token:{token}".encode()).decode()


def _scrubbed(said: str, remote: Remote) -> str:
    for secret in (os.environ.get(TOKEN, ""), (_authorization(remote) or "").removeprefix("Basic ")):
        if secret:
            said = said.replace(secret, "***")
    return said


def _reason(said: str) -> str:
    lines = [line for line in re.split(r"[\r\n]+", said) if line.startswith(("fatal:", "error:", "ssh:"))]
    lines = lines or re.split(r"[\r\n]+", said.strip())
    return printable(lines[0].removeprefix("fatal: ").removeprefix("error: "))[:300] or "git said nothing"


def _hint(said: str, remote: Remote) -> str:
    if "Host key verification" in said:
        return f"see that it is the right one: `ssh {remote.host}` once by hand"
    if _PRIVATE.search(said):
        if remote.scheme == "ssh":
            return "see that your key is known there and that the agent has it: `ssh-add -l`"
        return f"it is private or does not exist; put a token for it into {TOKEN} (its host into {TOKEN_HOST})"
    return f"see what `git ls-remote {remote.url}` says"
