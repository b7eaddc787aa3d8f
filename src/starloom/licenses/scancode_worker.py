"""The program that asks ScanCode: `python -m starloom.licenses.scancode_worker SECONDS`. Run by licenses/scancode.

Says `{"ready": true}` once the index is loaded (4 s, 1.4 GB), then answers one text after another. A question is a line
`ID BYTES` and the text in UTF-8; an answer is a line of JSON with that id: what was found, or what went wrong. Ends
when its input does, and at once, in the midst of a text too, when its parent is gone.

A text is given to ScanCode as a file: of a string it cuts the paragraphs otherwise, which takes twice as long and finds
other things (0.6 % other verdicts among 357 texts). ScanCode stops looking when its time is over and says nothing of
it; half a look is no answer, so that is a problem.
"""

import gc
import json
import os
import sys
import threading
import time
from pathlib import Path
from typing import Any

_GLANCE = 1.0  # seconds between looks at whether the parent is there


def main() -> None:
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints is no answer
    threading.Thread(target=_leave_with, args=(os.getppid(),), daemon=True).start()
    seconds = float(sys.argv[1])
    file = Path(os.environ["SCANCODE_TEMP"], "text")  # in a folder made for us, where ScanCode has its own files too

    from licensedcode.cache import get_index  # type: ignore[import-not-found, import-untyped, unused-ignore]

    get_index()
    gc.collect()
    gc.freeze()  # millions of objects that stay, which every collection would walk over
    _say(answers, {"ready": True})
    while question := sys.stdin.buffer.readline():
        text_id, size = question.decode("ascii").split()
        text = sys.stdin.buffer.read(int(size)).decode("utf-8", "surrogatepass")
        _say(answers, {"id": text_id, **_answer(text, file, seconds)})


def _answer(text: str, file: Path, seconds: float) -> dict[str, Any]:
    from licensedcode.detection import detect_licenses  # type: ignore[import-not-found, import-untyped, unused-ignore]

    deadline = time.time() + seconds
    try:
        file.write_text(text, "utf-8", "surrogatepass")
        # Without an expression: a clue, which ScanCode itself does not count as a licence.
        found = [one for one in detect_licenses(location=str(file), deadline=deadline) if one.license_expression]
        answer = {
            "expressions": [one.license_expression_spdx for one in found],
            "matches": [
                [
                    match.rule.spdx_license_expression(),
                    match.rule.identifier,
                    float(match.score()),
                    match.start_line,
                    match.end_line,
                ]
                for one in found
                for match in one.matches
            ],
        }
    except Exception as error:
        return {"problem": f"ScanCode failed: {type(error).__name__}"}
    if time.time() >= deadline:
        return {"problem": f"ScanCode took more than {seconds:g} s"}
    return answer


def _say(answers: Any, what: dict[str, Any]) -> None:
    answers.write(json.dumps(what).encode() + b"\n")
    answers.flush()


def _leave_with(parent: int) -> None:
    """Ends this process when another one has become its parent: ours has been killed."""
    while os.getppid() == parent:
        time.sleep(_GLANCE)
    os._exit(1)


if __name__ == "__main__":
    main()
