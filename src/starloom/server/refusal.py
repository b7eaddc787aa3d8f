"""What goes wrong, as an answer: one shape for programs (OpenAI's), and bodies read within a limit."""

from fastapi import Request
from fastapi.responses import JSONResponse

from starloom.errors import UserError
from starloom.outside.paths import printable

_TYPES = {429: "rate_limit_error", 500: "server_error", 503: "service_unavailable"}


class RefusedError(Exception):
    """An answer other than 200: `status`, what is wrong, and perhaps which parameter of the request is."""

    def __init__(
        self, status: int, message: str, *, hint: str | None = None, param: str | None = None, code: str | None = None
    ) -> None:
        super().__init__(message)
        self.status, self.message, self.hint, self.param, self.code = status, message, hint, param, code

    @classmethod
    def of(cls, problem: UserError, status: int = 400, code: str | None = None) -> "RefusedError":
        return cls(status, problem.problem, hint=problem.hint, code=code)

    def answer(self) -> JSONResponse:
        return refusal(self.status, self.message, hint=self.hint, param=self.param, code=self.code)


def refusal(
    status: int, message: str, *, hint: str | None = None, param: str | None = None, code: str | None = None
) -> JSONResponse:
    """`{"error": {"message", "type", "param", "code"}}`, as OpenAI's clients read it; the hint is in the message."""
    lines = [*message.splitlines(), *([f"({hint})"] if hint else [])]
    error = {
        "message": " ".join(map(printable, lines)) if len(lines) < 3 else "\n".join(map(printable, lines)),
        "type": _TYPES.get(status, "invalid_request_error"),
        "param": param,
        "code": code,
    }
    if status in (429, 503):
        return JSONResponse({"error": error}, status, headers={"Retry-After": "5"})
    return JSONResponse({"error": error}, status)


async def read_body(request: Request, most: int) -> bytes:
    """The body of a request. Raises RefusedError (413) as soon as it is known to have more than `most` bytes."""
    too_large = RefusedError(413, f"the body has more than {most:,} bytes", code="too_large")
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > most:
        raise too_large
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > most:
            raise too_large
    return bytes(body)
