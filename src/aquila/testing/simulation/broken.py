"""Broken promise: how a simulated run says that something did not hold."""


class BrokenPromiseError(AssertionError):
    """A promise did not hold. `promise` is the short word of it."""

    def __init__(self, promise: str, detail: str) -> None:
        super().__init__(f"{promise}: {detail}")
        self.promise = promise
