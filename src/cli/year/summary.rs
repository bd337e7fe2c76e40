//! What a year came to, in numbers.

use crate::cli::exit::Stop;
use crate::cli::output::{Ink, Output, Table};
use crate::cli::refer::{World, title};
use crate::engine::event::Event;
use crate::model::definition::Definition;
use crate::model::id::{Outcome, ProcessId};
use crate::model::text::Lang;
use crate::runtime::{Accepted, Delivery, Denied, InstanceFilter, OutboxFilter, Runtime};
use chrono::{Datelike, NaiveDate};
use serde_json::json;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How many rows are read at once.
const PAGE: u32 = 1_000;

/// What a year came to.
pub(in crate::cli) struct Summary {
    first: NaiveDate,
    last: NaiveDate,
    begun: Instant,
    took: Duration,
    /// Cases by process, and among them by outcome.
    cases: BTreeMap<ProcessId, (u64, BTreeMap<Outcome, u64>)>,
    commands: u64,
    decisions: u64,
    mails: u64,
    /// Mails that were skipped as their task was over, and that could not be delivered.
    skipped: u64,
    failed: u64,
    incidents: u64,
    /// What people tried and were refused, with why, as often as it was.
    refused: BTreeMap<String, u64>,
    /// A hash over the heads of all logs.
    log: String,
    /// What it is told with.
    world: Option<World>,
    definitions: Vec<Arc<Definition>>,
}

impl Summary {
    pub(super) fn new(first: NaiveDate, last: NaiveDate) -> Summary {
        Summary {
            first,
            last,
            begun: Instant::now(),
            took: Duration::ZERO,
            cases: BTreeMap::new(),
            commands: 0,
            decisions: 0,
            mails: 0,
            skipped: 0,
            failed: 0,
            incidents: 0,
            refused: BTreeMap::new(),
            log: String::new(),
            world: None,
            definitions: Vec::new(),
        }
    }

    /// Counts what was accepted.
    pub(super) fn notice(&mut self, accepted: &Accepted) {
        self.commands += 1;
        let state = &accepted.state;
        for event in &accepted.entry.events {
            match event {
                Event::Started { .. } => self.cases.entry(state.process.clone()).or_default().0 += 1,
                Event::Answered { .. } => self.decisions += 1,
                Event::MailQueued { .. } => self.mails += 1,
                Event::IncidentRaised { .. } => self.incidents += 1,
                Event::Ended { outcome, .. } => {
                    let ended = &mut self.cases.entry(state.process.clone()).or_default().1;
                    *ended.entry(outcome.clone()).or_default() += 1;
                }
                _ => {}
            }
        }
    }

    /// Counts what somebody tried in vain.
    pub(super) fn refused(
        &mut self,
        process: Option<ProcessId>,
        denied: Denied,
        runtime: &Runtime,
    ) -> Result<(), Stop> {
        let refusal = match denied {
            Denied::Refused(refusal, _) => refusal,
            denied => return Err(Stop::denied(denied, runtime)),
        };
        let what = refusal.wording(&runtime.directory(), runtime.calendar().zone);
        let line =
            format!("{}: {}", process.as_ref().map_or("", ProcessId::as_str), what.get(Lang::En).replace('\n', " "));
        *self.refused.entry(line).or_default() += 1;
        Ok(())
    }

    /// Adds what only the file knows.
    pub(super) async fn close(mut self, runtime: &Runtime) -> Result<Summary, Stop> {
        self.took = self.begun.elapsed();
        for (state, count) in [(Delivery::Skipped, &mut self.skipped), (Delivery::Failed, &mut self.failed)] {
            let mut before = None;
            loop {
                let filter = OutboxFilter { state: Some(state), before, limit: PAGE, ..OutboxFilter::default() };
                let rows = runtime.mails(&filter).await?;
                let Some(last) = rows.last() else { break };
                before = Some(last.row);
                *count += rows.len() as u64;
            }
        }
        let (mut hash, mut before) = (Sha256::new(), None);
        loop {
            let filter = InstanceFilter { before, limit: PAGE, ..InstanceFilter::default() };
            let rows = runtime.instances(&filter).await?;
            let Some(last) = rows.last() else { break };
            before = Some(last.row);
            for row in &rows {
                hash.update(row.id.as_bytes());
                hash.update(runtime.head(row.id).await?.unwrap_or_default());
            }
        }
        self.log = hash.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        self.world = Some(World::of(runtime));
        self.definitions = runtime.definitions();
        Ok(self)
    }

    fn total(&self) -> u64 {
        self.cases.values().map(|(started, _)| started).sum()
    }

    /// The year that was played.
    pub(in crate::cli) fn year(&self) -> i32 {
        self.first.year()
    }

    /// For programs.
    pub(in crate::cli) fn json(&self) -> serde_json::Value {
        let cases: serde_json::Map<String, serde_json::Value> = self
            .cases
            .iter()
            .map(|(process, (started, ended))| {
                let ended: BTreeMap<&str, u64> = ended.iter().map(|(outcome, n)| (outcome.as_str(), *n)).collect();
                (process.to_string(), json!({ "started": started, "ended": ended }))
            })
            .collect();
        json!({
            "from": self.first.to_string(),
            "to": self.last.to_string(),
            "days": (self.last - self.first).num_days() + 1,
            "seconds": self.took.as_secs_f32(),
            "cases": cases,
            "started": self.total(),
            "commands": self.commands,
            "decisions": self.decisions,
            "incidents": self.incidents,
            "mails": { "queued": self.mails, "skipped": self.skipped, "failed": self.failed },
            "refused": self.refused,
            "log": self.log,
        })
    }

    /// For people.
    pub(in crate::cli) fn text(&self, output: &Output) -> String {
        let Some(world) = &self.world else { return String::new() };
        let words = world.words(output);
        let mut table = Table::new(output.pick("流程,发起,在办,结果", "process,started,open,ended").split(','));
        table = table.right(1).right(2).prose(3);
        for (process, (started, ended)) in &self.cases {
            let definition = self.definitions.iter().find(|one| one.process == *process);
            let mut by_count: Vec<(&Outcome, &u64)> = ended.iter().collect();
            by_count.sort_by_key(|(outcome, count)| (std::cmp::Reverse(**count), (*outcome).clone()));
            let told = by_count.iter().map(|(outcome, count)| {
                let name = definition.map_or_else(|| outcome.to_string(), |one| words.ending(one, outcome));
                format!("{name} {count}")
            });
            let told: Vec<String> = told.collect();
            let name = definition.map_or_else(|| process.to_string(), |definition| title(definition, output));
            let open = started - ended.values().sum::<u64>();
            table.painted_row([
                (name, Some(Ink::Bold)),
                (started.to_string(), None),
                (open.to_string(), None),
                (told.join(output.pick("、", ", ")), None),
            ]);
        }
        let days = (self.last - self.first).num_days() + 1;
        let sent = self.mails - self.skipped - self.failed;
        let seconds = self.took.as_secs_f32();
        let (zh, en) = (
            format!(
                "{} 到 {}（{days} 天）：{} 个案例，{} 次决定，{sent} 封邮件送达，{} 封因事已办完而不必发；用时 {seconds:.1} 秒。",
                self.first,
                self.last,
                self.total(),
                self.decisions,
                self.skipped
            ),
            format!(
                "{} to {} ({days} days): {} cases, {} decisions, {sent} mails delivered, {} not needed any more; it took {seconds:.1} seconds.",
                self.first,
                self.last,
                self.total(),
                self.decisions,
                self.skipped
            ),
        );
        let mut text = format!("{}\n{}\n", output.table(&table), output.ink(Ink::Bold, output.pick(&zh, &en)));
        if self.incidents > 0 || self.failed > 0 {
            let (zh, en) = (
                format!("有 {} 次停下等管理员，{} 封邮件没有送达。", self.incidents, self.failed),
                format!("It stopped {} times for an operator, and {} mails failed.", self.incidents, self.failed),
            );
            text += &format!("{}\n", output.ink(Ink::Amber, output.pick(&zh, &en)));
        }
        text
    }
}
