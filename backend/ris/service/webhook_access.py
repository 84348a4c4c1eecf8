"""The tokens of webhooks: the server accepts them, and `ris connect` and the sync replace them."""

import secrets
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Lock

from ris.errors import StoreError
from ris.labelstudio.api.connecting import make_webhook_token
from ris.store.session import Database
from ris.store.webhook_tokens import (
    AcceptedTokens,
    add_webhook_token,
    end_older_tokens,
    find_accepted_tokens,
    is_webhook_token,
)

_TOKEN_BYTES = 32
_ANSWER_WITHIN_S = 0.5  # the inbox needs the rest of the second in which a webhook is answered


class TokenReader:
    """Reads which tokens are accepted, at every request, because other processes replace them.

    One thread asks the database; who asks while it is busy shares the next answer. If the database
    does not answer in time, the last answer counts: an event cannot be stored then either.

    Args:
        database: holds the tokens.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="tokens")
        self._question: Future[AcceptedTokens] | None = None
        self._last: AcceptedTokens | None = None
        self._lock = Lock()

    def read(self) -> AcceptedTokens:
        """Return the tokens that are accepted now.

        Raises:
            StoreError: the database did not answer, and never did before.
        """
        with self._lock:
            question = self._question
            # One that runs may not see a token that was replaced since then; one that waits will.
            if question is None or question.running() or question.done():
                question = self._question = self._pool.submit(self._ask)
        try:
            self._last = question.result(timeout=_ANSWER_WITHIN_S)
        except (TimeoutError, StoreError) as error:
            if self._last is None:
                raise StoreError("the database does not answer, so tokens cannot be checked") from error
        return self._last

    def _ask(self) -> AcceptedTokens:
        with self._database.begin() as session:
            return find_accepted_tokens(session)


class ProjectTokens:
    """The tokens of the webhooks of projects, as `labelstudio.api.protocol.WebhookTokens`.

    Args:
        database: holds their digests.
        password: of the server; earlier versions computed the token from it.
    """

    def __init__(self, database: Database, password: str) -> None:
        self.database, self._password = database, password

    def make(self, project: int) -> str:
        """Make a token for a project, and accept it besides those that the project has."""
        token = secrets.token_urlsafe(_TOKEN_BYTES)
        with self.database.begin() as session:
            add_webhook_token(session, project, token)
        return token

    def is_current(self, project: int, token: str) -> bool:
        """Tell whether a token is one of a project's."""
        with self.database.begin() as session:
            return is_webhook_token(session, project, token)

    def is_computed(self, token: str) -> bool:
        """Tell whether a token is the one that earlier versions computed from the password."""
        computed = make_webhook_token(self._password)
        return secrets.compare_digest(token.encode("utf-8", "replace"), computed.encode())

    def end_older(self, project: int, token: str) -> None:
        """Accept no token any more that a project had before this one."""
        with self.database.begin() as session:
            end_older_tokens(session, project, token)
