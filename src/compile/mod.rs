//! Documents → definitions that can be deployed, or diagnostics; never both half.
//!
//! The whole folder comes in at once and everything that is wrong with it goes out at once. The passes:
//!
//! 1. `syntax::parse` reads every text.
//! 2. `organisation`, `calendar` and `table` lower the directory, the calendar and the decision tables.
//! 3. `callee` says of each process that others call what it asks, leaves and can come to.
//! 4. For each `process`: `resolve` settles what names mean; `lower` makes the state graph of its steps;
//!    `assigned` finds which fields are set where, `proved` what conditions have proved; `typing` types the form and every expression of the steps
//!    (`rows` inside an `each`, `outside` what reaches beyond the case); `check` proves what is left: that every
//!    step is reached, has people and comes to an end.
//! 5. `metric` types what is counted over the cases of processes.
//! 6. `scenario` settles the names of test documents and types their data.
//!
//! A fault is reported once, where it was made. What follows from it is not: a name is not called unknown where
//! its declaration could not be read, and nobody is missed at a step while the directory is broken.
//!
//! Files and processes do not depend on each other's order, so all cores read and prove them; what is said comes in
//! the order of the files whatever the number of cores.
//!
//! Invariant: pure. It gets texts and gives values; it knows no files, no clock, no engine and no store.

mod again;
mod assigned;
mod calendar;
mod callee;
mod check;
mod computed;
mod conditions;
mod fields;
mod form;
mod head;
mod kept;
mod look_up;
mod lost;
mod lower;
mod meant;
mod mend;
mod metric;
mod once;
mod organisation;
mod outcomes;
mod outside;
mod process;
mod proved;
mod resolve;
mod rows;
pub mod scenario;
mod shown;
mod source_map;
mod step;
mod table;
mod templates;
mod texts;
mod touch;
mod typing;
mod units;
mod unread;
mod version;
mod waits;

use crate::diagnostics::{Code, Diagnostic, Severity, SourceId, Sources, Span, suggest};
use crate::model::definition::Definition;
use crate::model::id::{PersonId, PositionId};
use crate::model::metric::Metric;
use crate::model::people::Directory;
use crate::model::rule::Table;
use crate::model::text::{Lang, Wording};
use crate::model::time::Calendar;
use crate::syntax::{self, AnyTest, Document};
use process::{Process, too_large};
use rayon::prelude::*;
use scenario::{Recorded, Scenario};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use unread::{Reading, Unread};

pub use mend::{Made, Mended, mend};
pub use source_map::SourceMap;
pub use templates::{NoTemplates, OwnTemplate, TemplateFault, Templates};

/// A file as it was read.
#[derive(Clone, Debug)]
pub struct SourceText {
    /// Its path, as it is shown.
    pub name: String,
    /// What is in it.
    pub bytes: Vec<u8>,
}

/// What a folder came to.
#[derive(Clone, Debug, Default)]
pub struct Compiled {
    /// All texts, to show diagnostics in.
    pub sources: Sources,
    /// The processes that are without fault, in the order of their names. Not to be deployed while anything of
    /// the folder is wrong: see [`Compiled::has_errors`].
    pub definitions: Vec<Definition>,
    /// The people, where a directory could be read.
    pub directory: Option<Directory>,
    /// The working calendar, all its years; `None` where no file has one.
    pub calendar: Option<Calendar>,
    /// The decision tables that are without fault, by name.
    pub tables: BTreeMap<String, Table>,
    /// The metrics that are without fault, in the order of their files.
    pub metrics: Vec<Metric>,
    /// The tests that are without fault, of processes that are, in the order of their files.
    pub scenarios: Vec<Scenario>,
    /// The tests of metrics, likewise.
    pub recorded: Vec<Recorded>,
    /// Where steps and fields are written.
    pub source_map: SourceMap,
    /// All that is wrong, in the order of the texts.
    pub diagnostics: Vec<Diagnostic>,
}

impl Compiled {
    /// Whether anything stops the folder from being deployed.
    pub fn has_errors(&self) -> bool {
        crate::diagnostics::has_errors(&self.diagnostics)
    }

    /// How many diagnostics there are of a severity.
    pub fn count(&self, severity: Severity) -> usize {
        self.diagnostics.iter().filter(|found| found.code.severity() == severity).count()
    }

    /// The definition of a process.
    pub fn definition(&self, process: &str) -> Option<&Definition> {
        self.definitions.iter().find(|definition| definition.process.as_str() == process)
    }

    /// All diagnostics as a person reads them, without colour.
    pub fn render(&self, lang: Lang) -> String {
        crate::diagnostics::render(&self.diagnostics, &self.sources, lang, crate::diagnostics::Style::default())
    }
}

/// What processes are compiled against.
pub(crate) struct World<'a> {
    /// The people; nobody where no directory could be read.
    pub(crate) directory: Arc<Directory>,
    /// Who holds each position: asked for every applicant at every step.
    pub(crate) holders: BTreeMap<PositionId, Vec<PersonId>>,
    /// Where the names of the directory are declared.
    pub(crate) declared: organisation::Declared,
    /// Whether the directory was read whole, so that a name or person that is not in it does not exist.
    pub(crate) people_known: bool,
    /// Texts that could not be read whole and may hold what the directory lacks.
    pub(crate) unread: Unread,
    /// The decision tables.
    pub(crate) tables: table::Tables,
    /// The mail templates.
    pub(crate) templates: &'a dyn Templates,
    /// The names of all processes of the folder.
    pub(crate) processes: BTreeSet<&'a str>,
    /// Whether that are all, so that another name is none.
    pub(crate) processes_known: bool,
    /// Those that others call.
    pub(crate) callees: BTreeMap<&'a str, callee::Callee<'a>>,
}

fn holders(directory: &Directory) -> BTreeMap<PositionId, Vec<PersonId>> {
    let mut holders: BTreeMap<PositionId, Vec<PersonId>> = BTreeMap::new();
    for (id, person) in &directory.people {
        for position in &person.positions {
            let held = holders.entry(position.clone()).or_default();
            if held.last() != Some(id) {
                held.push(id.clone());
            }
        }
    }
    holders
}

/// Compiles a folder.
pub fn compile(mut files: Vec<SourceText>, templates: &dyn Templates) -> Compiled {
    files.sort_by(|a, b| a.name.cmp(&b.name));
    let mut sources = Sources::new();
    let ids: Vec<SourceId> = files.iter().map(|file| sources.add_bytes(file.name.clone(), &file.bytes)).collect();
    let mut diagnostics = Vec::new();
    let (mut broken, mut hidden) = (BTreeSet::new(), BTreeMap::new());
    let (mut unread, mut unknown) = (Unread::default(), false);
    let (mut processes, mut directories, mut calendars, mut tables) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let (mut tests, mut metrics) = (Vec::new(), Vec::new());
    let parsed: Vec<(SourceId, syntax::Parsed)> =
        ids.into_par_iter().map(|id| (id, syntax::parse(id, &sources))).collect();
    for (id, syntax::Parsed { document, diagnostics: found, hidden: pieces, whole }) in parsed {
        if let Document::Tests(read) = document {
            let sound = !crate::diagnostics::has_errors(&found);
            tests.extend(read.into_iter().map(|test| (test, sound)));
            diagnostics.extend(found);
            continue;
        }
        if crate::diagnostics::has_errors(&found) {
            broken.insert(id);
        }
        if !whole || !pieces.is_empty() {
            hidden.insert(id, Reading::of(&sources.get(id).text, pieces, whole));
        }
        diagnostics.extend(found);
        let text = || Arc::clone(&sources.get(id).text);
        match document {
            Document::Process(process) => processes.push((id, process)),
            Document::Directory(directory) => directories.push((id, directory)),
            Document::Calendar(calendar) => calendars.push((id, calendar)),
            Document::Table(table) => tables.push((id, table)),
            Document::Metric(metric) => metrics.push((id, metric)),
            Document::Tests(_) | Document::Unknown => {
                unread.push(text());
                unknown = true;
            }
        }
    }

    let names: BTreeSet<&str> =
        processes.iter().filter_map(|(_, process)| process.name.as_ref()).map(|name| name.value.as_str()).collect();
    // A process whose name could not be read may be the one that an absence names.
    let known_processes = (!unknown && processes.iter().all(|(_, process)| process.name.is_some())).then_some(&names);
    let reading = |id: &SourceId| hidden.get(id).cloned().unwrap_or_default();
    let people = directories.first().map(|(id, _)| reading(id)).unwrap_or_default();
    let unclear = organisation::Unclear { broken: &broken, unread: &unread, reading: &people };
    let organisation = organisation::lower(&directories, &unclear, known_processes, &mut diagnostics);
    for (id, _) in &directories {
        unread = unread.with(&reading(id));
    }
    let calendar = calendar::lower(&calendars, &mut diagnostics);
    let people_known = organisation.as_ref().is_some_and(|found| found.whole);
    if let (None, false, Some(process)) =
        (&organisation, unknown, processes.iter().map(|(_, process)| process).find(asks_people))
    {
        diagnostics.push(organisation::missing(process.key_span));
    }
    let (directory, declared) = match organisation {
        Some(found) => (Some(found.directory), found.declared),
        None => (None, organisation::Declared::default()),
    };
    unread.no_directory = !people_known && declared.positions.is_empty();
    let documents = || processes.iter().map(|(_, process)| process);
    // Of a process that could not be read whole it is not known what it asks and can come to.
    let read = processes.iter().filter(|(id, _)| !hidden.contains_key(id)).map(|(_, process)| process);
    let callees = callees(documents(), &names, read);
    let mut world = World {
        directory: Arc::new(directory.clone().unwrap_or_default()),
        holders: directory.as_ref().map(holders).unwrap_or_default(),
        declared,
        people_known,
        unread,
        tables: table::Tables::default(),
        templates,
        processes: documents().filter_map(|process| process.name.as_ref()).map(|name| name.value.as_str()).collect(),
        processes_known: !unknown,
        callees,
    };
    world.tables = self::tables(&tables, &broken, &hidden, unknown, &world, &mut diagnostics);

    let mut source_map = SourceMap::default();
    let mut definitions = Vec::new();
    let mut first_of: BTreeMap<&str, Span> = BTreeMap::new();
    let compiled: Vec<Process> =
        processes.par_iter().map(|(id, process)| process::process(process, reading(id), &world)).collect();
    for ((id, document), process) in processes.iter().zip(compiled) {
        let mut found = process.diagnostics;
        if let Some(name) = &document.name
            && let Some(first) = first_of.insert(name.value.as_str(), name.span)
        {
            found.push(twice(("流程", "process"), &name.value, name.span, first));
        }
        source_map.add(process.source_map);
        if !broken.contains(id) && !crate::diagnostics::has_errors(&found) {
            definitions.push(process.definition);
        }
        diagnostics.extend(found);
    }
    definitions.sort_by(|a, b| a.process.cmp(&b.process));
    let ground = metric::Ground { world: &world, definitions: &definitions, known: known_processes };
    let metrics = metric::metrics(&metrics, &broken, &ground, &mut diagnostics);
    let ground = scenario::Ground {
        metrics: &metrics,
        definitions: &definitions,
        known: known_processes,
        directory: &world.directory,
        people_known,
        calendar: &calendar.clone().unwrap_or_default(),
    };
    let (mut scenarios, mut recorded) = (Vec::new(), Vec::new());
    for (test, sound) in &tests {
        match test {
            AnyTest::Case(test) => {
                let lowered = scenario::lower(test, &ground, &mut diagnostics);
                scenarios.extend(lowered.filter(|_| *sound));
            }
            AnyTest::Metric(test) => {
                let lowered = scenario::lower_metric(test, &ground, &mut diagnostics);
                recorded.extend(lowered.filter(|_| *sound));
            }
        }
    }
    if !unknown && !crate::diagnostics::has_errors(&diagnostics) {
        let folder = check::Folder {
            definitions: &definitions,
            metrics: &metrics.sound,
            source_map: &source_map,
            positions: directories.first().map_or(&[], |(_, directory)| directory.positions.as_slice()),
            directory: &world.directory,
            tables: tables.iter().map(|(_, table)| table).collect(),
            templates,
        };
        check::folder(&folder, &mut sources, &mut diagnostics);
    }
    crate::diagnostics::sort(&mut diagnostics, &sources);
    let mut diagnostics = once::once(once::untorn(diagnostics), &sources);
    crate::diagnostics::conceal(&mut diagnostics, &mut sources);
    let (metrics, tables) = (metrics.sound, world.tables.sound);
    Compiled {
        sources,
        definitions,
        directory,
        calendar,
        tables,
        metrics,
        scenarios,
        recorded,
        source_map,
        diagnostics,
    }
}

/// Compiles the decision tables.
fn tables(
    documents: &[(SourceId, syntax::Table)],
    broken: &BTreeSet<SourceId>,
    hidden: &BTreeMap<SourceId, Reading>,
    unread: bool,
    world: &World<'_>,
    diagnostics: &mut Vec<Diagnostic>,
) -> table::Tables {
    let mut tables = table::Tables { whole: !unread, ..table::Tables::default() };
    let mut first_of: BTreeMap<&str, Span> = BTreeMap::new();
    for (id, document) in documents {
        let Some(name) = &document.name else {
            tables.whole = false;
            continue;
        };
        if let Some(first) = first_of.insert(name.value.as_str(), name.span) {
            diagnostics.push(twice(("决策表", "decision table"), &name.value, name.span, first));
        }
        tables.named.insert(name.value.clone());
        let reading = hidden.get(id).cloned().unwrap_or_default();
        let sound = table::lower(document, reading, world, diagnostics);
        if let Some(table) = sound.filter(|_| !broken.contains(id)) {
            tables.sound.insert(name.value.clone(), table);
        }
    }
    tables
}

/// The processes that others call, of those that were read whole; under a misspelt name the one that is meant, too.
fn callees<'a>(
    all: impl Iterator<Item = &'a syntax::Process>,
    names: &BTreeSet<&'a str>,
    read: impl Iterator<Item = &'a syntax::Process>,
) -> BTreeMap<&'a str, callee::Callee<'a>> {
    let mut called = BTreeSet::new();
    for process in all {
        resolve::walk(&process.steps, &mut |step| {
            if let syntax::StepKind::Call(call) = &step.kind {
                called.insert(call.process.value.as_str());
            }
        });
    }
    let named = read.filter_map(|process| Some((process.name.as_ref()?.value.as_str(), process)));
    let named: BTreeMap<&str, &syntax::Process> = named.filter(|(_, process)| too_large(process).is_none()).collect();
    let meant = |name: &str| {
        let name = if names.contains(name) { name } else { suggest::closest(name, names.iter().copied())? };
        named.get(name).copied()
    };
    let small: BTreeMap<&str, &syntax::Process> =
        called.into_iter().filter_map(|name| Some((name, meant(name)?))).collect();
    let single = |name: &str| small.get(name).is_some_and(|process| callee::is_single(process));
    small.iter().map(|(name, process)| (*name, callee::Callee::of(process, &single))).collect()
}

/// Whether a process has to do with people at all.
fn asks_people(process: &&syntax::Process) -> bool {
    let mut found = !process.start.is_empty();
    resolve::walk(&process.steps, &mut |step| {
        found |= matches!(
            step.kind,
            syntax::StepKind::Approve { .. } | syntax::StepKind::Task { .. } | syntax::StepKind::Notify { .. }
        );
    });
    found
}

fn twice((zh, en): (&str, &str), name: &str, span: Span, first: Span) -> Diagnostic {
    Diagnostic::new(
        Code::RepeatedName,
        span,
        Wording::new(
            format!("已经有一个叫 `{name}` 的{zh}，请换一个名称"),
            format!("there is a {en} `{name}` already; give this one another name"),
        ),
    )
    .context(first, Wording::new("第一个", "the first one"))
}
