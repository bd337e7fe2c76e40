//! Columns as the rows of [`crate::store::query`].

use super::{failed, not_right};
use crate::engine::state::Ended;
use crate::model::id::{AssignmentId, InstanceId, MailId, TaskId, Version};
use crate::store::StoredDefinition;
use crate::store::error::Error;
use crate::store::query::{AssignmentRow, AssignmentState, Delivery, InstanceRow, OutboxRow};
use crate::store::record::{self, StoredEntry, instant};
use sqlx::Row;
use sqlx::sqlite::SqliteRow;
use std::path::PathBuf;

pub(super) fn cell<T>(row: &SqliteRow, index: usize) -> Result<T, Error>
where
    T: for<'r> sqlx::Decode<'r, sqlx::Sqlite> + sqlx::Type<sqlx::Sqlite>,
{
    row.try_get(index).map_err(|error| failed(&PathBuf::new(), error))
}

pub(super) fn entry_row(row: &SqliteRow, at: usize) -> Result<StoredEntry, Error> {
    Ok(StoredEntry {
        revision: cell(row, at)?,
        at: cell(row, at + 1)?,
        command: cell::<String>(row, at + 2)?.into(),
        structure: cell(row, at + 3)?,
        personal: cell(row, at + 4)?,
        salt: cell(row, at + 5)?,
        digest: cell(row, at + 6)?,
        hash: cell(row, at + 7)?,
    })
}

pub(super) fn definition_row(row: &SqliteRow) -> Result<StoredDefinition, Error> {
    Ok(StoredDefinition {
        version: Version(cell::<String>(row, 0)?.into()),
        process: cell::<String>(row, 1)?.into(),
        json: cell(row, 2)?,
    })
}

pub(super) const INSTANCE: &str =
    "i.id, i.process, i.version, i.title, i.number, i.applicant, i.started_at, i.revision, i.at,
    i.outcome, i.ended_at, i.key, i.headline, i.steps, i.incident, i.wake_at, i.claim, i.row";

pub(super) fn id<T>(row: &SqliteRow, index: usize, parse: impl Fn(&str) -> Option<T>) -> Result<T, Error> {
    let text: String = cell(row, index)?;
    parse(&text).ok_or_else(|| not_right(&PathBuf::new(), "an id"))
}

pub(super) fn instance_row(row: &SqliteRow, at: usize) -> Result<InstanceRow, Error> {
    let outcome: Option<String> = cell(row, at + 9)?;
    let ended_at: Option<i64> = cell(row, at + 10)?;
    let headline: Option<String> = cell(row, at + 12)?;
    Ok(InstanceRow {
        id: id(row, at, InstanceId::parse)?,
        process: cell::<String>(row, at + 1)?.into(),
        version: Version(cell::<String>(row, at + 2)?.into()),
        title: record::read_text(&cell::<String>(row, at + 3)?)?,
        number: cell::<Option<String>>(row, at + 4)?.map(Into::into),
        applicant: cell::<String>(row, at + 5)?.into(),
        started_at: instant(cell(row, at + 6)?),
        revision: cell(row, at + 7)?,
        at: instant(cell(row, at + 8)?),
        ended: outcome.zip(ended_at).map(|(outcome, at)| Ended { outcome: outcome.into(), at: instant(at) }),
        key: cell(row, at + 11)?,
        headline: headline.as_deref().map(record::read_value).transpose()?,
        steps: record::read_steps(&cell::<String>(row, at + 13)?)?,
        incident: cell::<i64>(row, at + 14)? != 0,
        wake_at: cell::<Option<i64>>(row, at + 15)?.map(instant),
        claim: cell(row, at + 16)?,
        row: cell(row, at + 17)?,
    })
}

pub(super) const ASSIGNMENT: &str =
    "a.id, a.instance, a.task, a.round, a.step, a.person, a.stands_in_for, a.nonce, a.state,
    a.opened_at, a.due_at, a.row";
pub(super) const ASSIGNMENT_CELLS: usize = 12;

pub(super) fn assignment_row(row: &SqliteRow, at: usize) -> Result<AssignmentRow, Error> {
    Ok(AssignmentRow {
        id: id(row, at, AssignmentId::parse)?,
        instance: id(row, at + 1, InstanceId::parse)?,
        task: TaskId(cell(row, at + 2)?),
        round: cell(row, at + 3)?,
        step: cell::<String>(row, at + 4)?.into(),
        person: cell::<String>(row, at + 5)?.into(),
        stands_in_for: cell::<Option<String>>(row, at + 6)?.map(Into::into),
        nonce: id(row, at + 7, record::unhex)?,
        state: match cell::<i64>(row, at + 8)? {
            0 => AssignmentState::Open,
            1 => AssignmentState::Answered,
            _ => AssignmentState::Closed,
        },
        opened_at: instant(cell(row, at + 9)?),
        due_at: cell::<Option<i64>>(row, at + 10)?.map(instant),
        row: cell(row, at + 11)?,
    })
}

pub(super) const OUTBOX: &str =
    "instance, mail, kind, person, priority, state, attempt, next_at, address, message_id, parts,
    reply, possibly_twice, queued_at, settled_at, row";

pub(super) fn outbox_row(row: &SqliteRow, at: usize) -> Result<OutboxRow, Error> {
    let state: i64 = cell(row, at + 5)?;
    let state = usize::try_from(state).ok().and_then(|state| Delivery::ALL.get(state).copied());
    Ok(OutboxRow {
        instance: id(row, at, InstanceId::parse)?,
        mail: MailId(cell(row, at + 1)?),
        kind: record::read_mail_kind(&cell::<String>(row, at + 2)?)?,
        to: cell::<String>(row, at + 3)?.into(),
        priority: cell(row, at + 4)?,
        state: state.ok_or_else(|| not_right(&PathBuf::new(), "a state of mail"))?,
        attempt: cell(row, at + 6)?,
        next_at: instant(cell(row, at + 7)?),
        address: cell(row, at + 8)?,
        message_id: cell(row, at + 9)?,
        parts: cell(row, at + 10)?,
        reply: cell(row, at + 11)?,
        possibly_twice: cell::<i64>(row, at + 12)? != 0,
        queued_at: instant(cell(row, at + 13)?),
        settled_at: cell::<Option<i64>>(row, at + 14)?.map(instant),
        row: cell(row, at + 15)?,
    })
}
