"""Contents: those that `store.py` reads, and of git the others, by `git cat-file --batch`; all are hashed.

Memory: one content at a time here, 16 MB of delta bases here and in git. An object that git dies of costs two starts of
git, so a limited number of them is borne. The order of the pack was tried and is not used: it saved nothing, with packs
in memory or not, up to chains of 250 deltas.
"""

from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from itertools import islice

from starloom.identity import content_id
from starloom.outside.processes import ProcessError, Stream
from starloom.sources.git.folder import MEMORY, GitFolder, complaint, neutral
from starloom.sources.git.store import Store
from starloom.sources.repository import Content, Wanted

IDLE_SECONDS = 120.0  # without any output: git waits for something that will not come, as a FIFO
BATCH = 50_000  # contents looked up together, and asked of one `git cat-file`; about 2 MB of names
MAX_RESTARTS = 1_000  # of `git cat-file` for one call of `contents`: it dies of every corrupt object
_MISSING = "missing: the clone lacks this object, or it is corrupt"
_CORRUPT = "corrupt: its bytes do not hash to its name"
_TOO_MANY = "unreadable: too many corrupt objects before it"


def contents(folder: GitFolder, wanted: Iterable[Wanted]) -> Iterator[Content]:
    """Each wanted one, read and hashed: in the order asked, but those of which git was asked after the others of their
    batch."""
    restarts = 0
    iterator = iter(wanted)
    with Store(folder.objects) as store:
        while some := list(islice(iterator, BATCH)):
            left: list[Wanted] = []
            names = [bytes.fromhex(one.content_id) for one in some]
            found = store.contents(names, [one.size for one in some])
            for one, data in zip(some, found, strict=True):
                if data is not None and len(data) == one.size:
                    yield Content(one.content_id, data)
                else:
                    left.append(one)
            if left:
                restarts = yield from _of_git(folder, left, restarts)


def _of_git(folder: GitFolder, waiting: Sequence[Wanted], restarts: int) -> Generator[Content, None, int]:
    """What git says; how often it was started again, so often before."""
    done = 0
    with neutral(folder) as (git, environment):
        batch = [*git, "cat-file", "--batch"]
        while done < len(waiting) and restarts <= MAX_RESTARTS:
            for content in _read(batch, environment, waiting[done:]):
                yield content
                done += 1
            if done < len(waiting):
                # git died of an object, or lost what it had not yet written: ask for the next one alone.
                restarts += 1
                yield _read_alone(batch, environment, waiting[done])
                done += 1
    yield from (Content(one.content_id, None, _TOO_MANY) for one in waiting[done:])
    return restarts


def _read(batch: Sequence[str], environment: Mapping[str, str], waiting: Sequence[Wanted]) -> Iterator[Content]:
    """Answers in order until git ends, which may be before the last one."""
    feed = b"".join([b"%b\n" % one.content_id.encode("ascii") for one in waiting])
    with Stream([*batch, "--buffer"], environment, feed=feed, idle_timeout=IDLE_SECONDS, limits=MEMORY) as stream:
        for one in waiting:
            try:
                answer = _answer(stream, one)
            except ProcessError:
                return
            if answer is None:
                return
            yield answer


def _read_alone(batch: Sequence[str], environment: Mapping[str, str], wanted: Wanted) -> Content:
    feed = wanted.content_id.encode("ascii") + b"\n"
    with Stream(batch, environment, feed=feed, idle_timeout=IDLE_SECONDS, limits=MEMORY) as stream:
        try:
            answer = _answer(stream, wanted)
            if answer is not None:
                return answer
            stream.finish()
            reason = complaint(stream)
        except ProcessError as problem:
            stream.close()  # then its complaint is whole
            reason = f"{complaint(stream)} ({problem})"
    return Content(wanted.content_id, None, f"corrupt: {reason}")


def _answer(stream: Stream, wanted: Wanted) -> Content | None:
    """What `git cat-file --batch` says of one content; None when it ended. Holds at most the listed size."""
    header = stream.read_until(b"\n")
    if header == b"%b blob %d" % (wanted.content_id.encode("ascii"), wanted.size):
        data = stream.read_exactly(wanted.size)
        stream.skip(1)
        if content_id(data) == wanted.content_id:
            return Content(wanted.content_id, data)
        return Content(wanted.content_id, None, _CORRUPT)
    if header is None:
        return None
    words = header.split(b" ")
    if len(words) != 3:
        return Content(wanted.content_id, None, _MISSING)
    size = int(words[2])
    stream.skip(size + 1)
    return Content(wanted.content_id, None, f"not the listed content: a {words[1].decode()} of {size} bytes")
