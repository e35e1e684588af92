"""Errors as the web says them: {error: {code, reason, allowed?, do?}}, never more than the asker may know."""

from typing import Any

import msgspec
from litestar import Request, Response
from litestar.exceptions import HTTPException

from aquila.core.errors import DiskError, Refused, UsageError
from aquila.core.phrases import phrase_in

STATUS_OF_REASON = {
    "absent": 404,
    "gone": 410,
    "inactive": 403,
    "role": 403,
    "group": 403,
    "ceiling": 403,
    "caveat": 403,
    "spoof": 403,
    "identity": 403,
    "person": 403,
    "request": 400,
    "used": 401,
    "taken": 409,
    "changed": 409,
    "replay": 409,
    "rate": 429,
    "busy": 503,
    "disk": 507,
    "full": 507,
    "storage_full": 507,
    "storage_failed": 503,
    "storage_busy": 503,
    "storage_damaged": 503,
    "internal": 500,
    "unavailable": 503,
}
"""Refused.reason -> status; every other reason is the asker's own mistake: 422."""

WORD_OF_STATUS = {
    400: "syntax",
    401: "login",
    403: "forbidden",
    404: "absent",
    405: "method",
    413: "oversize",
    421: "host",
    429: "rate",
    500: "internal",
    503: "unavailable",
}


class ErrorBody(msgspec.Struct, frozen=True, omit_defaults=True):
    """What went wrong. `code`: short stable word. `allowed`, `do`: what would be right and what to do about it.

    `act`, `words`: of the sentence that `reason` is, to say it in another language; left out = none that is known.
    """

    code: str
    reason: str
    allowed: str | None = None
    do: str | None = None
    act: str = ""
    words: dict[str, Any] = {}


class ErrorAnswer(msgspec.Struct, frozen=True):
    """The body of every answer that is no success."""

    error: ErrorBody


class WebError(Exception):
    """An answer that is no success, raised from anywhere below a route."""

    def __init__(
        self,
        status: int,
        code: str,
        reason: str,
        *,
        allowed: str | None = None,
        do: str | None = None,
        retry_s: int | None = None,
    ) -> None:
        super().__init__(reason)
        self.status = status
        self.retry_s = retry_s
        said = phrase_in("refused", reason)
        self.body = ErrorBody(code, reason, allowed, do, said.act, said.words)


def absent() -> WebError:
    """The one answer for what is not there and for what the asker may not have: the same bytes."""
    return WebError(404, "absent", "there is nothing here, or you may not see it")


def refused(value: Refused) -> WebError:
    """The answer for a statement that policy, store or command did not take."""
    status = STATUS_OF_REASON.get(value.reason, 422)
    if status == 404:
        return absent()
    return WebError(status, value.reason, value.detail or value.reason)


def unavailable(wrong: UsageError) -> WebError:
    """The answer when the node cannot do it now, whoever asks: a part is missing, the disk is full."""
    if isinstance(wrong, DiskError):
        return WebError(507, "storage_full", str(wrong))
    return WebError(503, "unavailable", str(wrong))


def answer_of(error: WebError) -> Response[bytes]:
    """The HTTP answer."""
    headers = {"Cache-Control": "no-store"}
    if error.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if error.retry_s is not None:
        headers["Retry-After"] = str(error.retry_s)
    return Response(
        msgspec.json.encode(ErrorAnswer(error.body)),
        status_code=error.status,
        media_type="application/json",
        headers=headers,
    )


def on_web_error(_: Request[Any, Any, Any], error: WebError) -> Response[bytes]:
    """Exception handler of the app."""
    return answer_of(error)


def on_usage_error(_: Request[Any, Any, Any], error: UsageError) -> Response[bytes]:
    """Exception handler for what no route has answered itself."""
    return answer_of(unavailable(error))


def on_http_exception(_: Request[Any, Any, Any], error: HTTPException) -> Response[bytes]:
    """Exception handler for what the framework itself refuses (no route, wrong method, body too large)."""
    status = error.status_code
    if status == 404:
        return answer_of(absent())
    word = WORD_OF_STATUS.get(status, "syntax" if status < 500 else "internal")
    reason = str(error.detail) if status < 500 else "the node failed; its log says why"
    answer = answer_of(WebError(status, word, reason))
    if error.headers:
        answer.headers.update({key: value for key, value in error.headers.items() if key.lower() == "allow"})
    return answer
