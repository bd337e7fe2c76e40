//! What must be true of the file after every crash, whatever was lost with the process.

use countersign::engine::apply;
use countersign::engine::event::{Event, OpenedTask};
use countersign::engine::state::MailKind;
use countersign::model::id::{AssignmentId, InstanceId};
use countersign::runtime::Runtime;
use countersign::runtime::{AssignmentState, Case, Delivery, InstanceFilter, InstanceRow, OutboxFilter, OutboxRow};
use countersign::store::record;
use sqlx::Row;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// What was acknowledged.
#[derive(Clone, Debug, Default)]
pub(crate) struct Told {
    /// Starts by the command's id, with the instance where it was told.
    pub(crate) starts: BTreeMap<String, Option<InstanceId>>,
    /// Decisions, with the opinion that they were sent with.
    pub(crate) answers: BTreeMap<AssignmentId, String>,
}

/// What the file holds.
pub(crate) struct Held {
    pub(crate) cases: usize,
    pub(crate) answers: usize,
    pub(crate) mails: Vec<OutboxRow>,
}

/// Reads the whole file, what nobody was told of included, and compares it with itself and with what was told.
/// Nobody may write meanwhile.
pub(crate) async fn audit(runtime: &Runtime, file: &Path, told: &Told) -> Held {
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(file);
    let mut sql = <sqlx::SqliteConnection as sqlx::Connection>::connect_with(&options).await.unwrap();
    let sound: String = sqlx::query_scalar("PRAGMA integrity_check").fetch_one(&mut sql).await.unwrap();
    assert_eq!(sound, "ok");
    let mut snapshots: BTreeMap<String, String> = sqlx::query("SELECT instance, state FROM snapshot")
        .fetch_all(&mut sql)
        .await
        .unwrap()
        .iter()
        .map(|row| (row.get(0), row.get(1)))
        .collect();
    let logged: BTreeSet<String> = sqlx::query_scalar("SELECT DISTINCT instance FROM entry")
        .fetch_all(&mut sql)
        .await
        .unwrap()
        .into_iter()
        .collect();

    let rows = instances(runtime).await;
    let listed: BTreeSet<String> = rows.iter().map(|row| row.id.to_string()).collect();
    assert_eq!(logged, listed, "a case without a log, or a log without a case");
    let mut mails = mails(runtime).await;
    let mut by_case: BTreeMap<InstanceId, Vec<OutboxRow>> = BTreeMap::new();
    for mail in mails.drain(..) {
        by_case.entry(mail.instance).or_default().push(mail);
    }
    let (mut starts, mut numbers, mut answers) = (BTreeMap::new(), BTreeSet::new(), BTreeMap::new());
    for row in &rows {
        let case = runtime.case(row.id).await.unwrap().unwrap();
        assert_eq!(runtime.verify(row.id).await.unwrap(), Some(Ok(())), "the chain of {}", row.id);
        let ids: BTreeSet<&str> = case.entries.iter().map(|entry| entry.command.id.as_str()).collect();
        assert_eq!(ids.len(), case.entries.len(), "a command stands twice in the log of {}", row.id);
        let start = case.entries[0].command.id.to_string();
        assert!(starts.insert(start.clone(), row.id).is_none(), "{start} was started twice");
        assert!(numbers.insert(row.number.clone()), "{:?} was given twice", row.number);
        if let Some(snapshot) = snapshots.remove(&row.id.to_string()) {
            snapshot_is_the_fold(&case, &snapshot);
        }
        row_is_the_state(row, &case);
        let mails = by_case.get(&row.id).map_or(&[][..], Vec::as_slice);
        outbox_is_the_log(&case, mails);
        assignments_are_the_log(runtime, &case).await;
        for entry in case.entries.iter() {
            for event in &entry.events {
                if let Event::Answered { assignment, opinion, .. } = event {
                    let said = opinion.as_deref().unwrap_or_default().to_owned();
                    assert!(answers.insert(*assignment, said).is_none(), "{assignment} answered twice");
                }
            }
        }
    }
    assert!(snapshots.is_empty(), "snapshots of nothing");
    for (id, instance) in &told.starts {
        let found = starts.get(id).unwrap_or_else(|| panic!("the acknowledged {id} is lost"));
        assert!(instance.is_none_or(|instance| instance == *found), "{id} was told another case");
    }
    for (assignment, opinion) in &told.answers {
        let found = answers.get(assignment).unwrap_or_else(|| panic!("the decision of {assignment} is lost"));
        assert_eq!(found, opinion, "{assignment}");
    }
    Held { cases: rows.len(), answers: answers.len(), mails: by_case.into_values().flatten().collect() }
}

async fn instances(runtime: &Runtime) -> Vec<InstanceRow> {
    let mut all: Vec<InstanceRow> = Vec::new();
    loop {
        let before = all.last().map(|row| row.row);
        let rows =
            runtime.instances(&InstanceFilter { limit: 500, before, ..InstanceFilter::default() }).await.unwrap();
        if rows.is_empty() {
            return all;
        }
        all.extend(rows);
    }
}

async fn mails(runtime: &Runtime) -> Vec<OutboxRow> {
    let mut all: Vec<OutboxRow> = Vec::new();
    loop {
        let before = all.last().map(|row| row.row);
        let rows = runtime.mails(&OutboxFilter { limit: 500, before, ..OutboxFilter::default() }).await.unwrap();
        if rows.is_empty() {
            return all;
        }
        all.extend(rows);
    }
}

fn snapshot_is_the_fold(case: &Case, snapshot: &str) {
    let kept = record::read_state(snapshot).unwrap();
    let mut state = None;
    for entry in case.entries.iter().take_while(|entry| entry.revision <= kept.revision) {
        state = Some(apply(state, entry).unwrap());
    }
    assert_eq!(state, Some(kept), "a snapshot is not what its log folds to");
}

fn row_is_the_state(row: &InstanceRow, case: &Case) {
    let state = &case.state;
    assert_eq!(
        (row.revision, row.at, &row.number, &row.ended, row.wake_at, row.incident),
        (state.revision, state.at, &state.number, &state.ended, state.wake_at(), state.has_incident()),
        "the row of {}",
        row.id
    );
}

/// A mail of the log is a row of the outbox, and the other way round.
fn outbox_is_the_log(case: &Case, mails: &[OutboxRow]) {
    let rows: BTreeMap<u32, (&MailKind, &str)> =
        mails.iter().map(|mail| (mail.mail.0, (&mail.kind, mail.to.as_str()))).collect();
    let mut queued = BTreeMap::new();
    let mut reminded = BTreeSet::new();
    for event in case.entries.iter().flat_map(|entry| &entry.events) {
        if let Event::MailQueued { mail, kind, to } = event {
            queued.insert(mail.0, (kind, to.as_str()));
            if let MailKind::Reminder { assignment, .. } = kind {
                assert!(reminded.insert(*assignment), "{assignment} was reminded twice");
            }
        }
    }
    assert_eq!(queued, rows, "the mails of {}", case.state.id);
}

async fn assignments_are_the_log(runtime: &Runtime, case: &Case) {
    let mut opened: BTreeMap<AssignmentId, AssignmentState> = BTreeMap::new();
    for event in case.entries.iter().flat_map(|entry| &entry.events) {
        match event {
            Event::TaskOpened { opened: task, .. } => {
                let OpenedTask { assignments, .. } = &**task;
                opened.extend(assignments.iter().map(|one| (one.id, AssignmentState::Closed)));
            }
            Event::Answered { assignment, .. } => drop(opened.insert(*assignment, AssignmentState::Answered)),
            _ => {}
        }
    }
    for assignment in case.state.tasks.values().flat_map(|task| &task.assignments) {
        let state = opened.get_mut(&assignment.id).unwrap();
        if *state != AssignmentState::Answered {
            *state = AssignmentState::Open;
        }
    }
    for (id, state) in opened {
        let row = runtime.assignment(id).await.unwrap().unwrap();
        assert_eq!((row.instance, row.state), (case.state.id, state), "{id}");
    }
}

/// Once everything has had its time: no mail waits, every one was taken, and copies are marked and alike. `taken` is
/// copies by Message-ID. Answers how many second copies there are.
pub(crate) fn all_mail_arrived(mails: &[OutboxRow], taken: &BTreeMap<String, Vec<Vec<u8>>>) -> usize {
    let (mut copies, mut known) = (0, BTreeSet::new());
    for mail in mails {
        let asks = matches!(mail.kind, MailKind::Assigned { .. } | MailKind::Reminder { .. });
        match mail.state {
            Delivery::Accepted => {}
            // Its task was over before it went.
            Delivery::Skipped if asks => continue,
            other => panic!("mail {} of {} is {other:?}: {:?}", mail.mail, mail.instance, mail.reply),
        }
        let id = mail.message_id.as_deref().unwrap_or_default().trim_matches(['<', '>']);
        let got = taken.get(id).unwrap_or_else(|| panic!("the mail {id} is lost"));
        assert!(got.iter().all(|one| *one == got[0]), "copies of {id} differ");
        copies += got.len() - 1;
        assert!(got.len() == 1 || mail.possibly_twice, "{id} was sent {} times and is not marked", got.len());
        assert!(known.insert(id), "two mails have one Message-ID");
    }
    // One that was sent, and whose task was over before that could be written down, is skipped and still ours.
    let ours: BTreeSet<&str> = mails.iter().filter_map(|mail| mail.message_id.as_deref()).collect();
    let ours: BTreeSet<&str> = ours.into_iter().map(|id| id.trim_matches(['<', '>'])).collect();
    for id in taken.keys() {
        assert!(ours.contains(id.as_str()), "{id} is of no mail of the outbox");
    }
    copies
}
