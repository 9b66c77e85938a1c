"""Answering a finding from its page: who does it, and that nobody else made him.

Browsers send Airflow's cookie along with whatever any page has them post. So a form carries a token
that only who knows the visitor's session can work out, for this one finding.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from fastapi import Depends, Request

from custody.core.answers.model import MAX_USER, Answer, Kind
from custody.core.ledger.policy import AIRFLOW
from custody.settings import Settings


@dataclass(frozen=True, slots=True)
class Visitor:
    """Whom Airflow knows: his name there, and what he is signed in with (`session`)."""

    name: str
    session: str

    def token(self, fingerprint: str) -> str:
        """What his form about a finding carries."""
        said = f"answer {fingerprint}".encode()
        return hmac.new(self.session.encode(), said, hashlib.sha256).hexdigest()

    def sent(self, token: str, fingerprint: str) -> bool:
        """Whether a form with this token is his, about that finding."""
        own = self.token(fingerprint)
        return bool(self.session) and hmac.compare_digest(own.encode(), token.encode())


@dataclass(frozen=True, slots=True)
class Answering:
    """Who may answer: whom every one of `guards` lets through, beside those before every page.
    `visitor` says who asks."""

    guards: Sequence[Callable[..., Any]]
    visitor: Callable[..., Visitor]


def visitor_by(user: Callable[..., Any], cookie: str) -> Callable[..., Visitor]:
    """What says who asks: whom Airflow's dependency `user` finds, signed in by that cookie or by a
    header."""

    def visitor(request: Request, found: Any = Depends(user)) -> Visitor:  # noqa: B008 - FastAPI's own form
        session = request.headers.get("Authorization") or request.cookies.get(cookie, "")
        return Visitor(found.get_name()[:MAX_USER], session)

    return visitor


def answer_of(
    visitor: Visitor,
    settings: Settings,
    *,
    finding: str,
    kind: Kind,
    reason: str,
    days: int,
    now: datetime,
) -> Answer:
    """What somebody answers in Airflow, whose role signs it; raises `ValueError` for none."""
    at = now.replace(microsecond=now.microsecond // 1000 * 1000)
    return Answer(
        finding=finding,
        kind=kind,
        by=settings.role(AIRFLOW),
        user=visitor.name,
        reason=reason,
        at=at,
        until=at + timedelta(days=days) if kind is Kind.ACKNOWLEDGED else None,
    )
