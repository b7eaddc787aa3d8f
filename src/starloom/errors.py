"""The one exception for everything a user can fix. Anything else that is raised is a bug and keeps its traceback."""


class UserError(Exception):
    """What is wrong (with the file or value), and what to do about it.

    Printed in one place, `starloom.commands.main`, as `error: PROBLEM`, a blank line, `hint: HINT`; exit code 1.
    """

    def __init__(self, problem: str, hint: str | None = None) -> None:
        super().__init__(problem)
        self.problem = problem
        self.hint = hint

    def __reduce__(self) -> tuple[type["UserError"], tuple[str, str | None]]:
        return type(self), (self.problem, self.hint)  # crosses process borders whole
