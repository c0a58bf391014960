"""Problems: every error as a problem document (RFC 9457), in Chinese and English."""

import logging
from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import Scope

from ledger.accounts import AccountError, WrongLoginError
from ledger.attachments import AttachmentError, NoSuchAttachmentError, TooLargeError
from ledger.casework import BadMoveError, IllegalMoveError, NoSuchCaseError
from ledger.database import DatabaseError
from ledger.guesses import TooManyTriesError

log = logging.getLogger("warnloop.api")

MEDIA_TYPE = "application/problem+json"

KINDS: Mapping[str, tuple[int, str]] = {
    "bad-request": (400, "请求无法理解 The request cannot be understood"),
    "not-logged-in": (401, "请先登录 Log in first"),
    "wrong-login": (401, "登录失败 Login failed"),
    "forbidden": (403, "无此权限 Not yours to do"),
    "no-such": (404, "没有此记录 There is no such thing"),
    "not-allowed": (405, "不支持此方法 There is no such method here"),
    "too-slow": (408, "接收超时 It took too long to arrive"),
    "illegal-move": (409, "当前不能这样处理 Not possible now"),
    "conflict": (409, "与现状冲突 In conflict with what there is"),
    "too-large": (413, "内容过大 Too large"),
    "unfit-attachment": (415, "附件不被接受 The file is not taken"),
    "unsupported": (415, "不支持此内容类型 The content type is not taken"),
    "invalid": (422, "输入有误 Something in it is wrong"),
    "too-many-tries": (429, "尝试次数过多 Too many tries"),
    "too-many": (429, "同时过多 Too many at a time"),
    "broken": (500, "服务器内部错误 Something is broken here"),
    "unavailable": (503, "暂时不可用 Not available just now"),
}
"""Type to its status and title."""

_OF_STATUS = {
    400: "bad-request", 401: "not-logged-in", 403: "forbidden", 404: "no-such", 405: "not-allowed", 408: "too-slow",
    409: "conflict", 413: "too-large", 415: "unsupported", 422: "invalid", 429: "too-many-tries", 503: "unavailable",
}  # fmt: skip


class Problem(Exception):  # noqa: N818 - it is what RFC 9457 calls it
    """An error with a type of its own.

    Parameters
    ----------
    kind : str
        A key of `KINDS`.
    detail : str
        What is wrong here, Chinese and English.
    more : Any
        Further members of the document.
    """

    def __init__(self, kind: str, detail: str = "", headers: Mapping[str, str] | None = None, **more: Any) -> None:
        super().__init__(detail)
        self.kind, self.detail, self.headers, self.more = kind, detail, dict(headers or {}), more


def no_such() -> Problem:
    """Nothing there, or not the caller's: not to be told apart."""
    return Problem("no-such", "没有此记录，或不在您的范围内 there is no such thing, or it is not yours to see")


def document(scope: Scope, problem: Problem) -> JSONResponse:
    """The document of a problem with a request."""
    status, title = KINDS[problem.kind]
    content = {
        "type": f"/problems/{problem.kind}",
        "title": title,
        "status": status,
        "detail": problem.detail,
        "instance": scope["path"],
        **problem.more,
    }
    return JSONResponse(content, status, problem.headers, MEDIA_TYPE)


def _of(error: Exception) -> Problem:
    """What an error of the ledger is to whoever asks."""
    text = str(error)
    match error:
        case Problem():
            return error
        case NoSuchCaseError() | NoSuchAttachmentError():
            return no_such()
        case IllegalMoveError():
            return Problem("illegal-move", text)
        case WrongLoginError():
            return Problem("wrong-login", text)
        case TooManyTriesError():
            return Problem("too-many-tries", text, {"Retry-After": str(error.retry_after_s)})
        case TooLargeError():
            return Problem("too-large", text)
        case AttachmentError():
            return Problem("unfit-attachment", text)
        case BadMoveError() | AccountError():
            return Problem("invalid", text)
        case DatabaseError(passing=True):
            log.warning("%s", text)
            words = "数据库暂时无法使用，请稍后再试 the database cannot be used just now, try again later"
            return Problem("unavailable", words, {"Retry-After": "5"})
        case ClientDisconnect():
            return Problem("bad-request", "连接中断 whoever asked went away")
        case HTTPException():
            kind = _OF_STATUS.get(error.status_code, "bad-request")
            detail = "" if kind in ("no-such", "not-allowed") else str(error.detail)
            return Problem(kind, detail, error.headers)
        case _:
            log.error("%s: %s", type(error).__name__, text, exc_info=error)
            return Problem("broken", "已记录，请联系管理员 it has been logged, ask the administrator")


def _invalid(error: RequestValidationError) -> Problem:
    """Which fields are wrong, and how; what was sent is not repeated."""
    errors = [
        {"field": ".".join(str(part) for part in one["loc"]), "detail": str(one["msg"])} for one in error.errors()
    ]
    named = "、".join(dict.fromkeys(one["field"] for one in errors))
    return Problem("invalid", f"请检查 check {named}", errors=errors)


def install(app: FastAPI) -> None:
    """Let an application answer every error with a problem document."""

    async def told(request: Request, error: Exception) -> JSONResponse:
        return document(request.scope, _of(error))

    async def invalid(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for it
        return document(request.scope, _invalid(error))

    app.add_exception_handler(RequestValidationError, invalid)
    for kind in (
        Problem, HTTPException, ClientDisconnect, DatabaseError, NoSuchCaseError, NoSuchAttachmentError,
        IllegalMoveError, BadMoveError, AttachmentError, AccountError, WrongLoginError, TooManyTriesError, Exception,
    ):  # fmt: skip
        app.add_exception_handler(kind, told)
