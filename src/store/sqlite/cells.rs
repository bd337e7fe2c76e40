//! A batch as text: one statement a table that it writes, and the rows of each as one JSON array.

use crate::engine::state::Waiting;
use crate::model::id::{AssignmentId, InstanceId, MailId, TaskId};
use crate::store::batch::Batch;
use crate::store::pending::{Awaited, WaitRow};
use crate::store::query::{AssignmentState, Delivery};
use crate::store::record::{self, StoredEntry};
use chrono::{DateTime, Utc};
use serde::Serialize;
use std::fmt::Write;

// Rows as JSON arrays, one a table.

pub(super) fn ms(at: DateTime<Utc>) -> i64 {
    at.timestamp_millis()
}

/// A due time in whole milliseconds, never before the exact one.
pub(super) fn ms_after(at: DateTime<Utc>) -> i64 {
    let ms = at.timestamp_millis();
    if at.timestamp_subsec_nanos().is_multiple_of(1_000_000) { ms } else { ms + 1 }
}

#[derive(Serialize)]
pub(super) struct BegunCells<'a>(
    InstanceId,
    &'a str,
    &'a str,
    String,
    Option<&'a str>,
    &'a str,
    i64,
    u32,
    String,
    i64,
    Option<&'a str>,
    Option<i64>,
    Option<&'a str>,
    Option<String>,
    String,
    u8,
    Option<i64>,
    Option<&'a str>,
);

#[derive(Serialize)]
pub(super) struct MovedCells<'a>(
    InstanceId,
    u32,
    String,
    i64,
    Option<&'a str>,
    Option<i64>,
    Option<&'a str>,
    Option<String>,
    String,
    u8,
    Option<i64>,
    Option<&'a str>,
    &'a str,
);

#[derive(Serialize)]
pub(super) struct AssignmentCells<'a>(
    AssignmentId,
    InstanceId,
    TaskId,
    u32,
    &'a str,
    &'a str,
    Option<&'a str>,
    String,
    i64,
    Option<i64>,
);

#[derive(Serialize)]
pub(super) struct MailCells<'a>(
    InstanceId,
    MailId,
    String,
    Option<AssignmentId>,
    &'a str,
    u8,
    u8,
    i64,
    Option<&'a str>,
    i64,
    Option<i64>,
);

pub(super) fn rows<T: Serialize>(cells: impl Iterator<Item = T>) -> String {
    let mut text = Vec::with_capacity(16 * 1024);
    text.push(b'[');
    for (index, row) in cells.enumerate() {
        if index > 0 {
            text.push(b',');
        }
        // Writing cells into memory cannot fail.
        let _ = serde_json::to_writer(&mut text, &row);
    }
    text.push(b']');
    String::from_utf8(text).unwrap_or_default()
}

/// The rows of the log. They are most of the bytes of a batch, and JSON inside JSON, so they are written by hand.
fn entries(entries: &[(InstanceId, StoredEntry)]) -> String {
    let size: usize = entries
        .iter()
        .map(|(_, one)| 256 + 2 * (one.structure.len() + one.personal.as_ref().map_or(0, String::len)))
        .sum();
    let mut text = String::with_capacity(size);
    for (instance, entry) in entries {
        text.push(if text.is_empty() { '[' } else { ',' });
        let _ = write!(text, "[\"{instance}\",{},{},{}", entry.revision, entry.at, record::json(&entry.command));
        text.push(',');
        quote_json(&mut text, &entry.structure);
        text.push(',');
        match &entry.personal {
            Some(personal) => quote_json(&mut text, personal),
            None => text.push_str("null"),
        }
        // Digests and salts are of an alphabet that needs no escapes.
        let quote = if entry.salt.is_some() { "\"" } else { "" };
        let salt = entry.salt.as_deref().unwrap_or("null");
        let _ = write!(text, ",{quote}{salt}{quote},\"{}\",\"{}\"]", entry.digest, entry.hash);
    }
    text.push(']');
    text
}

/// Quotes a text that is JSON itself: it holds no control characters, so two characters are all to escape.
fn quote_json(text: &mut String, json: &str) {
    text.push('"');
    let mut rest = json;
    while let Some(at) = rest.bytes().position(|byte| byte == b'"' || byte == b'\\') {
        let (before, from) = rest.split_at(at);
        text.push_str(before);
        text.push_str(if from.starts_with('"') { "\\\"" } else { "\\\\" });
        rest = from.get(1..).unwrap_or_default();
    }
    text.push_str(rest);
    text.push('"');
}

pub(super) fn state_number(state: AssignmentState) -> u8 {
    match state {
        AssignmentState::Open => 0,
        AssignmentState::Answered => 1,
        AssignmentState::Closed => 2,
    }
}

pub(super) fn kind_number(kind: Option<Awaited>) -> u8 {
    Awaited::ALL.iter().position(|one| Some(*one) == kind).and_then(|at| u8::try_from(at).ok()).unwrap_or(u8::MAX)
}

pub(super) fn delivery_number(state: Delivery) -> u8 {
    Delivery::ALL.iter().position(|one| *one == state).and_then(|at| u8::try_from(at).ok()).unwrap_or(0)
}

/// How many tables a batch can write.
pub(in crate::store) const TABLES: usize = 13;

/// One statement a table, in the order of the bits of a commit's mask.
pub(super) const STATEMENTS: [&str; TABLES] = [
    "INSERT INTO entry (instance, revision, at, command, structure, personal, salt, digest, hash)
       SELECT value->>0, value->>1, value->>2, value->>3, value->>4, value->>5, value->>6, value->>7, value->>8
       FROM jsonb_each(?);",
    "UPDATE instance SET revision = m.b, head = m.c, at = m.d, outcome = m.e, ended_at = m.f, key = m.g,
         headline = m.h, steps = m.i, incident = m.j, wake_at = m.k, claim = m.l, applicant = m.m
       FROM (SELECT value->>0 AS a, value->>1 AS b, value->>2 AS c, value->>3 AS d, value->>4 AS e, value->>5 AS f,
         value->>6 AS g, value->>7 AS h, value->>8 AS i, value->>9 AS j, value->>10 AS k,
         value->>11 AS l, value->>12 AS m FROM jsonb_each(?)) AS m
       WHERE instance.id = m.a;",
    "INSERT INTO instance (id, process, version, title, number, applicant, started_at, revision, head, at, outcome,
         ended_at, key, headline, steps, incident, wake_at, claim)
       SELECT value->>0, value->>1, value->>2, value->>3, value->>4, value->>5, value->>6, value->>7, value->>8,
         value->>9, value->>10, value->>11, value->>12, value->>13, value->>14, value->>15, value->>16,
         value->>17
       FROM jsonb_each(?);",
    "INSERT INTO assignment (id, instance, task, round, step, person, stands_in_for, nonce, state, opened_at, due_at)
       SELECT value->>0, value->>1, value->>2, value->>3, value->>4, value->>5, value->>6, value->>7, 0, value->>8,
         value->>9
       FROM jsonb_each(?);",
    "UPDATE assignment SET state = m.b
       FROM (SELECT value->>0 AS a, value->>1 AS b FROM jsonb_each(?)) AS m
       WHERE assignment.id = m.a AND assignment.state = 0;",
    "INSERT INTO outbox (instance, mail, kind, assignment, person, priority, state, next_at, reply, queued_at,
         settled_at)
       SELECT value->>0, value->>1, value->>2, value->>3, value->>4, value->>5, value->>6, value->>7, value->>8,
         value->>9, value->>10
       FROM jsonb_each(?);",
    "INSERT INTO sequence (name, was, next)
       SELECT value->>0, value->>1, value->>2 FROM jsonb_each(?) WHERE true
       ON CONFLICT (name) DO UPDATE SET was = excluded.was,
         next = CASE WHEN sequence.next = excluded.was THEN excluded.next END;",
    "INSERT INTO snapshot (instance, revision, state)
       SELECT value->>0, value->>1, value->>2 FROM jsonb_each(?) WHERE true
       ON CONFLICT (instance) DO UPDATE SET revision = excluded.revision, state = excluded.state;",
    "INSERT INTO dispatch (id, sender, target, process, ask, at)
       SELECT value->>0, value->>1, value->>2, value->>3, value->>4, value->>5 FROM jsonb_each(?);",
    "DELETE FROM dispatch WHERE id IN (SELECT value->>0 FROM jsonb_each(?));",
    "DELETE FROM wait WHERE (instance, token) IN (SELECT value->>0, value->>1 FROM jsonb_each(?));",
    "INSERT INTO wait (instance, token, step, since, kind, name, key, next_at, waits, fresh)
       SELECT value->>0, value->>1, value->>2, value->>3, value->>4, value->>5, value->>6, value->>7, value->>8,
         value->>9
       FROM jsonb_each(?) WHERE true
       ON CONFLICT (instance, token) DO UPDATE SET step = excluded.step, since = excluded.since,
         kind = excluded.kind, name = excluded.name, key = excluded.key, next_at = excluded.next_at,
         waits = excluded.waits, fresh = excluded.fresh, epoch = 0, worker = NULL;",
    "UPDATE message SET reader = CASE WHEN reader = '' THEN m.b END, data = 'null'
       FROM (SELECT value->>0 AS a, value->>1 AS b FROM jsonb_each(?)) AS m
       WHERE message.id = m.a;",
];

/// The JSON of each table that a batch writes; the bits say which.
pub(in crate::store) fn tables(batch: &Batch) -> (u16, Vec<String>) {
    let (mut mask, mut texts) = (0u16, Vec::with_capacity(STATEMENTS.len()));
    let mut table = |bit: usize, empty: bool, text: &dyn Fn() -> String| {
        if !empty {
            mask |= 1 << bit;
            texts.push(text());
        }
    };
    table(0, batch.entries.is_empty(), &|| entries(&batch.entries));
    // Instances that moved go first: a claim that one gives up is free for one that begins.
    table(1, batch.moved.is_empty(), &|| {
        rows(batch.moved.values().map(|(row, head)| {
            MovedCells(
                row.id,
                row.revision,
                head.text(),
                ms(row.at),
                row.ended.as_ref().map(|ended| ended.outcome.as_str()),
                row.ended.as_ref().map(|ended| ms(ended.at)),
                row.key.as_deref(),
                row.headline.as_ref().map(record::json),
                record::json(&row.steps),
                u8::from(row.incident),
                row.wake_at.map(ms_after),
                row.claim.as_deref(),
                row.applicant.as_str(),
            )
        }))
    });
    table(2, batch.begun.is_empty(), &|| {
        rows(batch.begun.values().map(|(row, head)| {
            BegunCells(
                row.id,
                row.process.as_str(),
                &row.version.0,
                record::json(&row.title),
                row.number.as_ref().map(|number| number.as_str()),
                row.applicant.as_str(),
                ms(row.started_at),
                row.revision,
                head.text(),
                ms(row.at),
                row.ended.as_ref().map(|ended| ended.outcome.as_str()),
                row.ended.as_ref().map(|ended| ms(ended.at)),
                row.key.as_deref(),
                row.headline.as_ref().map(record::json),
                record::json(&row.steps),
                u8::from(row.incident),
                row.wake_at.map(ms_after),
                row.claim.as_deref(),
            )
        }))
    });
    table(3, batch.opened.is_empty(), &|| {
        rows(batch.opened.values().map(|row| {
            AssignmentCells(
                row.id,
                row.instance,
                row.task,
                row.round,
                row.step.as_str(),
                row.person.as_str(),
                row.stands_in_for.as_ref().map(|person| person.as_str()),
                record::hex(&row.nonce),
                ms(row.opened_at),
                row.due_at.map(ms),
            )
        }))
    });
    table(4, batch.over.is_empty(), &|| rows(batch.over.iter().map(|(id, state)| (id, state_number(*state)))));
    table(5, batch.mails.is_empty(), &|| {
        rows(batch.mails.values().map(|row| {
            MailCells(
                row.instance,
                row.mail,
                record::write_mail_kind(&row.kind),
                row.kind.asks().map(|(_, assignment)| assignment),
                row.to.as_str(),
                row.priority,
                delivery_number(row.state),
                ms(row.next_at),
                row.reply.as_deref(),
                ms(row.queued_at),
                row.settled_at.map(ms),
            )
        }))
    });
    table(6, batch.sequences.is_empty(), &|| rows(batch.sequences.iter().map(|(name, (was, next))| (name, was, next))));
    table(7, batch.snapshots.is_empty(), &|| {
        rows(batch.snapshots.iter().map(|(id, (revision, state))| (id, revision, state)))
    });
    table(8, batch.dispatches.is_empty(), &|| {
        rows(batch.dispatches.values().map(|row| {
            let process = row.process.as_ref().map(|process| process.as_str());
            (&row.id, row.sender, row.target, process, record::write_ask(&row.ask), ms(row.at))
        }))
    });
    table(9, batch.dispatched.is_empty(), &|| rows(batch.dispatched.iter().map(|id| (id,))));
    let gone = || batch.waits.iter().filter(|(_, row)| row.is_none());
    table(10, gone().next().is_none(), &|| rows(gone().map(|(key, _)| key)));
    let waits = || batch.waits.values().flatten();
    table(11, waits().next().is_none(), &|| {
        rows(waits().map(|row| {
            let (name, key) = row.found_by();
            let waits = record::write_waits(&row.waits);
            let (kind, next_at) = (kind_number(WaitRow::kind(&row.waits)), ms_after(row.next_at));
            let fresh = u8::from(matches!(row.waits, Waiting::Message { fresh: true, .. }));
            (row.instance, row.token, row.step.as_str(), row.since, kind, name, key, next_at, waits, fresh)
        }))
    });
    table(12, batch.read.is_empty(), &|| rows(batch.read.iter()));
    (mask, texts)
}
