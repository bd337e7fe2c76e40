//! What only the inside can show: the plans of queries, and a disk that is full.

use super::cells::STATEMENTS;
use super::reader::{
    ASSIGNMENT_BY_ID, COUNTS, DUE, FIND_IDS, FIND_NUMBER, FIND_NUMBERS, HEAD, LOG, LOGS, MAIL, MAIL_DUE, Select,
    WAKE_AT, select_instances, select_mails, select_tasks,
};
use super::rows::{ASSIGNMENT, INSTANCE, OUTBOX};
use super::*;
use crate::store::Batch;
use crate::store::query::{Delivery, InstanceFilter, OutboxFilter, Standing, TaskFilter};
use tempfile::TempDir;

async fn writer(folder: &TempDir) -> super::Writer {
    match open(&folder.path().join("test.db")).await.unwrap().writer {
        AnyWriter::Sqlite(writer) => writer,
        AnyWriter::Memory(_) => unreachable!(),
    }
}

/// How SQLite would run a statement, a line a step.
async fn plan(writer: &mut super::Writer, sql: &str) -> Vec<String> {
    let rows = sqlx::query(AssertSqlSafe(format!("EXPLAIN QUERY PLAN {sql}")))
        .fetch_all(&mut writer.connection)
        .await
        .unwrap_or_else(|error| panic!("{sql}: {error}"));
    rows.iter().map(|row| row.get::<String, _>(3)).collect()
}

fn lists() -> Vec<String> {
    let instances = |change: &dyn Fn(&mut InstanceFilter)| {
        let mut filter = InstanceFilter::default();
        change(&mut filter);
        select_instances(&filter)
    };
    let mails = |change: &dyn Fn(&mut OutboxFilter)| {
        let mut filter = OutboxFilter::default();
        change(&mut filter);
        select_mails(&filter)
    };
    let id = crate::model::id::InstanceId(uuid::Uuid::nil());
    let selects: Vec<Select> = vec![
        instances(&|filter| filter.process = Some("p".into())),
        instances(&|filter| filter.applicant = Some("a".into())),
        instances(&|filter| filter.key = Some("k".into())),
        instances(&|filter| filter.outcome = Some("o".into())),
        instances(&|filter| filter.standing = Some(Standing::Open)),
        instances(&|filter| filter.standing = Some(Standing::Incident)),
        instances(&|filter| (filter.process, filter.standing) = (Some("p".into()), Some(Standing::Open))),
        instances(&|filter| (filter.applicant, filter.standing) = (Some("a".into()), Some(Standing::Open))),
        instances(&|filter| (filter.process, filter.before) = (Some("p".into()), Some(7))),
        select_tasks(&TaskFilter { person: Some("p".into()), ..TaskFilter::default() }),
        select_tasks(&TaskFilter { person: Some("p".into()), before: Some(7), ..TaskFilter::default() }),
        mails(&|filter| filter.instance = Some(id)),
        mails(&|filter| filter.state = Some(Delivery::Failed)),
    ];
    let mut all: Vec<String> = selects.into_iter().map(|select| select.sql).collect();
    all.extend([FIND_NUMBER, FIND_NUMBERS, FIND_IDS].map(|how| format!("SELECT {INSTANCE} FROM instance i {how}")));
    all.push(format!("SELECT {ASSIGNMENT} FROM assignment a {ASSIGNMENT_BY_ID}"));
    all.push(format!("SELECT {OUTBOX} FROM outbox {MAIL}"));
    all.push(format!(
        "SELECT {OUTBOX} FROM outbox WHERE state < 4 AND next_at <= ? ORDER BY priority, next_at, row LIMIT ?"
    ));
    all.extend([LOG, HEAD, DUE, WAKE_AT, MAIL_DUE].map(str::to_owned));
    all
}

#[tokio::test]
async fn every_list_that_a_person_waits_for_has_an_index() {
    let folder = TempDir::new().unwrap();
    let mut writer = writer(&folder).await;
    for sql in lists() {
        for step in plan(&mut writer, &sql).await {
            let partial = ["instance_running", "outbox_due", "instance_wake"].iter().any(|index| step.contains(index));
            assert!(!step.starts_with("SCAN") || partial, "{step}\n{sql}");
            assert!(!step.contains("TEMP B-TREE"), "{step}\n{sql}");
        }
    }
    // Newest first without a condition walks the table from its end and stops at the limit.
    for select in [
        select_instances(&InstanceFilter::default()),
        select_instances(&InstanceFilter { standing: Some(Standing::Ended), ..InstanceFilter::default() }),
        select_tasks(&TaskFilter::default()),
        select_mails(&OutboxFilter::default()),
    ] {
        let steps = plan(&mut writer, &select.sql).await;
        assert!(steps.iter().all(|step| !step.contains("TEMP B-TREE")), "{steps:?}\n{}", select.sql);
    }
    assert!(
        plan(&mut writer, COUNTS)
            .await
            .iter()
            .all(|step| step.contains("INDEX") || step.contains("SCALAR") || step.contains("CONSTANT"))
    );
}

#[tokio::test]
async fn a_report_reads_cases_and_their_logs_by_index_and_sorts_nothing() {
    let folder = TempDir::new().unwrap();
    let mut writer = writer(&folder).await;
    let steps = plan(&mut writer, LOGS).await;
    assert!(steps.iter().any(|step| step.contains("INDEX instance_process")), "{steps:?}");
    assert!(steps.iter().any(|step| step.starts_with("SEARCH e USING INDEX entry_")), "{steps:?}");
    assert!(steps.iter().all(|step| !step.contains("TEMP B-TREE")), "{steps:?}");
}

#[tokio::test]
async fn a_commit_looks_each_row_up_by_its_key() {
    let folder = TempDir::new().unwrap();
    let mut writer = writer(&folder).await;
    for sql in STATEMENTS {
        for step in plan(&mut writer, sql.trim_end_matches(';')).await {
            assert!(!step.starts_with("SCAN") || step.contains("jsonb_each"), "{step}\n{sql}");
        }
    }
}

#[tokio::test]
async fn a_full_disk_writes_nothing_and_goes_on_when_there_is_space() {
    let folder = TempDir::new().unwrap();
    let mut writer = writer(&folder).await;
    let pages = async |writer: &mut super::Writer, sql: &'static str| {
        sqlx::raw_sql(sql).execute(&mut writer.connection).await.unwrap();
    };
    pages(&mut writer, "PRAGMA max_page_count = 1").await;
    let mut batch = Batch::default();
    let entry = crate::store::record::StoredEntry {
        revision: 1,
        at: 0,
        command: "c".into(),
        structure: "x".repeat(100_000),
        personal: None,
        salt: None,
        digest: String::new(),
        hash: String::new(),
    };
    batch.entries.push((crate::model::id::InstanceId(uuid::Uuid::nil()), entry));
    let error = writer.commit(&batch).await.unwrap_err();
    assert_eq!(error.kind, Kind::Full);
    assert!(error.what.zh.contains("磁盘已满") && error.what.en.contains("disk is full"));
    let count = "SELECT count(*) FROM entry";
    let left: i64 = sqlx::query(count).fetch_one(&mut writer.connection).await.unwrap().get(0);
    assert_eq!(left, 0);
    pages(&mut writer, "PRAGMA max_page_count = 1000000").await;
    writer.commit(&batch).await.unwrap();
    let left: i64 = sqlx::query(count).fetch_one(&mut writer.connection).await.unwrap().get(0);
    assert_eq!(left, 1);
}
