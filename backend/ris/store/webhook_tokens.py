"""The tokens of webhooks. The database holds their digests: who reads it cannot send an event."""

import hashlib
import hmac
from dataclasses import dataclass

from sqlalchemy import delete, func, or_, select
from sqlalchemy.orm import Session

from ris.store.schema import WebhookTokenRow


@dataclass(frozen=True, slots=True)
class AcceptedTokens:
    """All tokens that are accepted.

    Attributes:
        digests: of the random tokens.
        computed_projects: the numbers of the projects whose webhooks have the token that earlier versions
            computed from the password.
    """

    digests: frozenset[str] = frozenset()
    computed_projects: frozenset[int] = frozenset()

    def has(self, token: str) -> bool:
        """Tell whether a token is one of the random ones. Digests are compared in constant time."""
        digest = compute_token_digest(token)
        return any(hmac.compare_digest(digest, one) for one in self.digests)

    def takes_computed_token(self, project: int | None = None) -> bool:
        """Tell whether the computed token is accepted.

        Args:
            project: that an event is of; None: an event that names none, or is not read yet.

        Returns:
            True for a project that was connected by an earlier version and not since then, and for all
            projects before the first one is connected: a new database may stand behind old connections.
        """
        if not self.digests:
            return True
        return bool(self.computed_projects) if project is None else project in self.computed_projects


def compute_token_digest(token: str) -> str:
    """Compute the digest under which a token is stored."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def find_accepted_tokens(session: Session) -> AcceptedTokens:
    """Find all tokens that are accepted: one or two for each connected project."""
    rows = session.execute(select(WebhookTokenRow.project, WebhookTokenRow.digest)).all()
    return AcceptedTokens(
        frozenset(digest for _, digest in rows if digest is not None),
        frozenset(project for project, digest in rows if digest is None),
    )


def add_webhook_token(session: Session, project: int, token: str) -> None:
    """Accept a token for a project's webhook, besides those that it has."""
    session.add(WebhookTokenRow(project=project, digest=compute_token_digest(token)))


def is_webhook_token(session: Session, project: int, token: str) -> bool:
    """Tell whether a token is one of a project's."""
    wanted = {"project": project, "digest": compute_token_digest(token)}
    return session.scalar(select(WebhookTokenRow.id).filter_by(**wanted)) is not None


def end_older_tokens(session: Session, project: int, token: str) -> None:
    """Accept no token any more that a project had before this one, nor its computed one."""
    newest = select(func.max(WebhookTokenRow.id))
    number = session.scalar(newest.filter_by(project=project, digest=compute_token_digest(token)))
    if number is None:
        return
    session.execute(
        delete(WebhookTokenRow)
        .where(WebhookTokenRow.project == project)
        .where(or_(WebhookTokenRow.id < number, WebhookTokenRow.digest.is_(None)))
        .execution_options(synchronize_session=False)
    )
