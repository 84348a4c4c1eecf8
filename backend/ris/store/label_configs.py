"""The label configs of a project over time: an old answer is read with the config of its time."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from ris.store.records import add_once
from ris.store.schema import LabelConfigRow, ProjectRow


def save_label_config(session: Session, project: str, label_config: str, *, at: datetime) -> None:
    """Store that a project had this label config at this time."""
    digest = hashlib.sha256(label_config.encode("utf-8", "replace")).hexdigest()
    key = {"project": project, "digest": digest}
    if add_once(session, LabelConfigRow, **key, label_config=label_config, first_seen=at, last_seen=at):
        return
    this = update(LabelConfigRow).filter_by(**key).execution_options(synchronize_session=False)
    session.execute(this.where(LabelConfigRow.first_seen > at).values(first_seen=at))
    session.execute(this.where(LabelConfigRow.last_seen < at).values(last_seen=at))


def find_current_label_configs(session: Session) -> dict[str, str]:
    """Find every project's newest label config, by the project's key.

    A project that Label Studio never asked for predictions has no row of its own. Its label config came with
    its answers.
    """
    configs = {row.key: row.label_config for row in session.scalars(select(ProjectRow))}
    rows = session.scalars(select(LabelConfigRow).order_by(LabelConfigRow.last_seen))
    return configs | {row.project: row.label_config for row in rows}  # the newest comes last


@dataclass(frozen=True, slots=True)
class LabelConfigPeriod:
    """A label config, with the first and the last time at which it was seen in use."""

    label_config: str
    first_seen: datetime
    last_seen: datetime


def find_label_config_periods(session: Session, project: str) -> list[LabelConfigPeriod]:
    """Return all label configs of a project."""
    rows = session.scalars(select(LabelConfigRow).where(LabelConfigRow.project == project))
    return [LabelConfigPeriod(row.label_config, row.first_seen, row.last_seen) for row in rows]


def find_label_config_at(configs: Sequence[LabelConfigPeriod], at: datetime) -> str | None:
    """Return the label config in use at a time; None unless it is certain.

    It is certain if the time lies within the period of exactly one label config.
    """
    found = [one.label_config for one in configs if one.first_seen <= at <= one.last_seen]
    return found[0] if len(found) == 1 else None
