"""Bytes of tokens, as they come, into text that may be shown: whole characters, nothing of a stop string.

A token is bytes, and may end within a character. What could still become a stop string is held back until the next
tokens decide. Cost: a scan of what is held back for each token, at most the longest stop string.
"""

import codecs


class ShownText:
    """Feed it bytes; it gives the text that is certain by then. `stopped` once a stop string has come."""

    def __init__(self, stop: tuple[str, ...], skip: int = 0) -> None:
        """`skip`: bytes at the beginning that are not shown (they repeat the end of the prompt)."""
        self.stopped = False
        self.skip = skip  # bytes still to be skipped
        self._stop = stop
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._held = ""

    def feed(self, data: bytes) -> str:
        """What `data` makes certain."""
        if self.stopped:
            return ""
        cut = min(self.skip, len(data))
        self.skip -= cut
        data = data[cut:]
        self._held += self._decoder.decode(data)
        found = [at for one in self._stop if (at := self._held.find(one)) >= 0]
        if found:
            self.stopped = True
            return self._give(min(found))
        return self._give(len(self._held) - self._undecided())

    def end(self) -> str:
        """What was held back for a stop string that never came. Half a character at the very end is dropped."""
        return "" if self.stopped else self._give(len(self._held))

    def _give(self, length: int) -> str:
        given, self._held = self._held[:length], self._held[length:]
        return given

    def _undecided(self) -> int:
        """The length of the longest end of what is held that begins a stop string."""
        longest = min(len(self._held), max(map(len, self._stop), default=0))
        for length in range(longest, 0, -1):
            if any(one.startswith(self._held[-length:]) for one in self._stop):
                return length
        return 0
