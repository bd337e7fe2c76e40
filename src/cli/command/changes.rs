//! What a deployment changes of what was live before: each thing that has a name, and whether it is new, changed,
//! as it was, or gone.

use crate::cli::output::{Ink, Output, Table};
use crate::effects::format::clean_line;
use crate::model::id::Version;
use crate::model::text::{Lang, Text};
use crate::runtime::Deployed;
use serde_json::json;
use std::collections::BTreeMap;

/// What became of one thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    New,
    Changed,
    Same,
    Gone,
}

impl Change {
    fn of<T: PartialEq>(before: Option<T>, now: Option<T>) -> Change {
        match (before, now) {
            (None, _) => Change::New,
            (_, None) => Change::Gone,
            (before, now) if before == now => Change::Same,
            _ => Change::Changed,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Change::New => "new",
            Change::Changed => "changed",
            Change::Same => "unchanged",
            Change::Gone => "gone",
        }
    }

    fn told(self, output: &Output) -> (String, Option<Ink>) {
        let (words, ink) = match self {
            Change::New => (output.pick("新增", "new"), Ink::Bold),
            Change::Changed => (output.pick("有改动", "changed"), Ink::Bold),
            Change::Same => (output.pick("没变", "unchanged"), Ink::Dim),
            Change::Gone => (output.pick("已撤下", "no longer live"), Ink::Amber),
        };
        (words.to_owned(), Some(ink))
    }
}

/// One thing of a deployment.
pub(super) struct Thing {
    /// What it is, for programs and in words.
    kind: (&'static str, &'static str, &'static str),
    name: String,
    title: Option<Text>,
    /// The beginning of its version, where it has one.
    version: String,
    change: Change,
}

/// Everything of two deployments, the later one's words where both have them.
pub(super) fn changes(before: &Deployed, now: &Deployed) -> Vec<Thing> {
    let mut found = Vec::new();
    let (old, new) = (processes(before), processes(now));
    found.extend(paired(("process", "流程", "process"), &old, &new));
    for thing in &mut found {
        thing.version = new.get(&*thing.name).map(|(_, version)| version.short().to_owned()).unwrap_or_default();
    }
    let (old, new) = (tables(before), tables(now));
    found.extend(paired(("table", "决策表", "table"), &old, &new));
    let (old, new) = (metrics(before), metrics(now));
    found.extend(paired(("metric", "指标", "metric"), &old, &new));
    let first = before.number == 0;
    let one = |kind, change| Thing { kind, name: String::new(), title: None, version: String::new(), change };
    let directory = Change::of((!first).then_some(&before.directory), Some(&now.directory));
    let calendar = Change::of((!first).then_some(&before.calendar), Some(&now.calendar));
    found.extend([
        one(("directory", "通讯录", "directory"), directory),
        one(("calendar", "日历", "calendar"), calendar),
    ]);
    found
}

/// Things by name, each with what it is called and what it is.
type Named<'a, T> = BTreeMap<&'a str, (Option<&'a Text>, T)>;

fn processes(deployed: &Deployed) -> Named<'_, &Version> {
    let named = deployed.definitions.iter().map(|one| (one.process.as_str(), (Some(&one.title), &one.version)));
    named.collect()
}

fn tables(deployed: &Deployed) -> Named<'_, &crate::model::rule::Table> {
    let all = deployed.definitions.iter().flat_map(|one| &one.tables);
    all.map(|(name, table)| (&**name, (Some(&table.title), table))).collect()
}

fn metrics(deployed: &Deployed) -> Named<'_, &crate::model::metric::Metric> {
    deployed.metrics.iter().map(|metric| (&*metric.name, (Some(&metric.title), metric))).collect()
}

fn paired<T: PartialEq + Copy>(
    kind: (&'static str, &'static str, &'static str),
    before: &Named<'_, T>,
    now: &Named<'_, T>,
) -> Vec<Thing> {
    let gone = before.iter().filter(|(name, _)| !now.contains_key(*name));
    let all = now.iter().chain(gone);
    all.map(|(name, (title, _))| Thing {
        kind,
        name: (*name).to_owned(),
        title: title.cloned(),
        version: String::new(),
        change: Change::of(before.get(name).map(|(_, what)| what), now.get(name).map(|(_, what)| what)),
    })
    .collect()
}

/// A row each; `marked` says what became of them.
pub(super) fn drawn(things: &[Thing], people: usize, marked: bool, output: &Output) -> String {
    let mut table = Table::new(["", "", "", "", ""]).whole(4);
    for thing in things {
        let title = match (&thing.title, thing.kind.0, output.lang) {
            (Some(title), ..) => clean_line(title.get(output.lang)),
            (None, "directory", Lang::Zh) => format!("{people} 个人"),
            (None, "directory", Lang::En) => super::deploy::counted(people, "person", "people"),
            _ => String::new(),
        };
        table.painted_row([
            (format!("  {}", output.pick(thing.kind.1, thing.kind.2)), Some(Ink::Dim)),
            (thing.name.clone(), None),
            (title, None),
            if marked { thing.change.told(output) } else { (String::new(), None) },
            (thing.version.clone(), Some(Ink::Dim)),
        ]);
    }
    output.table(&table).lines().map(|line| format!("  {line}\n")).collect()
}

/// The same for programs.
pub(super) fn json(things: &[Thing]) -> serde_json::Value {
    let one = |thing: &Thing| json!({ "kind": thing.kind.0, "name": thing.name, "change": thing.change.name() });
    things.iter().map(one).collect()
}
