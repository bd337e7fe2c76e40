//! Checks: what is proved of a process once its names and types are settled.
//!
//! One file a check, each a plain function over the [`Subject`], named for the fault that it finds. To add one,
//! write the file and a row of [`ALL`].

mod bad_default;
mod bad_template;
mod bad_undo;
mod bare_percent;
mod builtin_outcome;
mod dead_end;
mod decided_race;
mod early_join;
mod endless_call;
mod endless_loop;
mod idle_condition;
mod idle_step;
mod impossible_field;
mod impossible_join;
mod jump_into_block;
mod late_reminder;
mod lengths;
mod limits;
mod may_not_start;
mod maybe_impossible_field;
mod maybe_out_of_bounds;
mod missing_mode;
mod missing_otherwise;
mod nested_lock;
mod nested_rows;
mod no_approver;
mod no_time;
mod opened;
mod own_case_allowed;
mod place;
mod proof;
mod race_opening;
mod racing_branches;
mod refused_call;
mod repeated_http;
mod repeated_step;
mod several_heads;
mod shadowed_case;
mod shared_form;
mod table_gap;
mod table_overlap;
mod unhandled_outcome;
mod unknown_outcome;
mod unknown_step;
mod unproved_table;
mod unreachable_rule;
mod unreachable_step;
mod unused_field;
mod unused_position;
mod unused_table;
mod unused_template;
mod unwritten_field;
mod vacant_start;

use crate::compile::assigned::Certain;
use crate::compile::lower::{Flow, Found, Placed};
use crate::compile::table::Decision;
use crate::compile::unread::{self, Reading, Unread};
use crate::compile::{SourceMap, Templates, World};
use crate::diagnostics::{Diagnostic, Sources, Span};
use crate::expression::Kept;
use crate::model::definition::Definition;
use crate::model::form::{Field, FieldKind, Form};
use crate::model::graph::Node;
use crate::model::id::StepId;
use crate::model::metric::Metric;
use crate::model::people::Directory;
use crate::syntax::{self, FeelText, Process, StepKind};
pub(crate) use impossible_field::{are_reversed, reversed_limits};
use proof::Areas;
use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};

/// What is checked: a process in all its forms.
pub(crate) struct Subject<'a> {
    /// As written.
    pub(crate) document: &'a Process,
    /// Its steps and how control moves between them.
    pub(crate) flow: &'a Flow<'a>,
    /// What is certain before each step that can be reached.
    pub(crate) certain: &'a BTreeMap<StepId, Certain>,
    /// As it would run; an expression with a fault is absent from it.
    pub(crate) definition: &'a Definition,
    /// What forms and limits keep its fields from.
    pub(crate) kept: &'a Kept,
    /// What it is compiled against.
    pub(crate) world: &'a World<'a>,
    /// How much of its text was understood.
    pub(crate) reading: Reading,
    /// What could not be read, and may declare a name that is not known.
    pub(crate) unread: Unread,
    /// The fields that are computed by an expression with a fault, once somebody asks.
    pub(crate) faulty: OnceCell<BTreeSet<String>>,
}

type Check = fn(&Subject<'_>, &mut Vec<Diagnostic>);

/// Every check.
const ALL: &[Check] = &[
    repeated_step::check,
    unknown_step::check,
    jump_into_block::check,
    unknown_outcome::check,
    builtin_outcome::check,
    missing_otherwise::check,
    shadowed_case::check,
    unreachable_step::check,
    endless_loop::check,
    dead_end::check,
    nested_lock::check,
    nested_rows::check,
    impossible_join::check,
    race_opening::check,
    early_join::check,
    decided_race::check,
    racing_branches::check,
    unhandled_outcome::check,
    endless_call::check,
    refused_call::check,
    bad_undo::check,
    repeated_http::check,
    missing_mode::check,
    shared_form::check,
    no_approver::check,
    vacant_start::check,
    may_not_start::check,
    own_case_allowed::check,
    late_reminder::check,
    no_time::check,
    impossible_field::check,
    maybe_impossible_field::check,
    bad_default::check,
    maybe_out_of_bounds::check,
    bare_percent::check,
    idle_condition::check,
    idle_step::check,
    bad_template::check,
];

type TableCheck = fn(&Decision<'_>, &Areas, &mut Vec<Diagnostic>);

/// Every check of a decision table.
const OF_TABLES: &[TableCheck] = &[
    table_gap::check,
    table_overlap::check,
    unreachable_rule::check,
    unproved_table::check,
    maybe_out_of_bounds::check_table,
    bare_percent::check_table,
];

/// Runs every check.
pub(crate) fn all(subject: &Subject<'_>, diagnostics: &mut Vec<Diagnostic>) {
    for check in ALL {
        check(subject, diagnostics);
    }
}

impl<'a> Subject<'a> {
    /// Whether the graph is what the author meant: nothing unread, and no jump without a target.
    fn flow_known(&self) -> bool {
        let unread = |placed: &Placed<'_>| matches!(placed.source.kind, StepKind::Unknown);
        self.reading.flow()
            && !self.flow.steps.iter().any(unread)
            && self.flow.circles.is_empty()
            && self.flow.jumps.iter().all(|jump| jump.found == Found::Fine)
    }

    /// Whether the graph of a part of the text is what the author meant, whatever is wrong elsewhere.
    fn flow_known_in(&self, part: Span) -> bool {
        self.reading.flow_in(part)
            && !self.flow.circles.iter().any(|circle| part.holds(circle.span))
            && self.flow.jumps.iter().all(|jump| jump.found == Found::Fine || !part.holds(jump.target.span))
    }

    /// Whether an expression rests on what was not understood, or is computed with a fault, so that nothing is proved of it.
    fn rests_on_unread(&self, text: &FeelText) -> bool {
        self.reading.may_set(&text.text, text.span, self.document) || self.reads_faulty(text)
    }

    /// Whether an expression reads what is computed with a fault.
    fn reads_faulty(&self, text: &FeelText) -> bool {
        let faulty = self.faulty.get_or_init(|| {
            let mut found = BTreeSet::new();
            self.each_field(&mut |source, field| {
                if source.value.is_some() && field.value.is_none() {
                    found.insert(source.name.value.clone());
                }
            });
            found
        });
        !faulty.is_empty() && unread::behind(&text.text, self.document).iter().any(|word| faulty.contains(*word))
    }

    /// Every field of the process and every column, as written and as it would run.
    fn each_field(&self, visit: &mut dyn FnMut(&syntax::Field, &Field)) {
        walk(&self.document.form, &self.definition.form, visit);
        walk(&self.document.data, &self.definition.data, visit);
        for placed in &self.flow.steps {
            if let Some(human) = self.definition.steps.get(&placed.id).and_then(|step| step.human()) {
                walk(&placed.source.form, &human.form, visit);
            }
        }
    }

    fn placed(&self, id: &StepId) -> Option<&'a Placed<'a>> {
        self.flow.steps.iter().find(|placed| placed.id == *id)
    }

    /// Where a step is shown: its id, or the key that says what it does.
    fn at(&self, id: &StepId) -> Option<Span> {
        self.placed(id).map(at)
    }
}

fn at(placed: &Placed<'_>) -> Span {
    placed.source.id.as_ref().map_or(placed.source.key, |id| id.span)
}

/// What a step is called in a message: the id that is written, or what it does.
fn called(placed: &Placed<'_>) -> String {
    placed.source.id.as_ref().map_or(kind_word(placed), |id| id.value.as_str()).to_owned()
}

/// The key that says what a step does.
fn kind_word(placed: &Placed<'_>) -> &'static str {
    match &placed.source.kind {
        StepKind::Approve { .. } => "approve",
        StepKind::Task { .. } => "task",
        StepKind::Choose { .. } => "choose",
        StepKind::Set { .. } => "set",
        StepKind::Table { .. } => "table",
        StepKind::Notify { .. } => "notify",
        StepKind::Go { .. } => "go",
        StepKind::Parallel { .. } => "parallel",
        StepKind::Each { .. } => "each",
        StepKind::Race { .. } => "race",
        StepKind::Wait { .. } => "wait",
        StepKind::Receive { .. } => "receive",
        StepKind::Call(_) => "call",
        StepKind::Http(_) => "http",
        StepKind::Job(_) => "job",
        StepKind::End { .. } | StepKind::Unknown => "end",
    }
}

fn step_of(node: &Node) -> Option<&StepId> {
    match node {
        Node::Step(id) | Node::Join(id) | Node::Undone(id) => Some(id),
        Node::Start | Node::Finish(_) => None,
    }
}

/// Runs every check of a decision table, as far as nothing that it rests on is lost.
pub(crate) fn tables(decision: &Decision<'_>, diagnostics: &mut Vec<Diagnostic>) {
    let lost = decision.lost;
    if lost.all() {
        return;
    }
    // Lengths of time of unlike units have no common line.
    let Some(areas) = Areas::of_table(decision) else {
        let unproved = table_gap::may_be_told(decision);
        diagnostics.extend(unproved.then(|| unproved_table::gap(decision)));
        return;
    };
    for check in OF_TABLES {
        check(decision, &areas, diagnostics);
    }
}

/// What is checked once everything of a folder is without fault: all of it.
pub(crate) struct Folder<'a> {
    /// The processes.
    pub(crate) definitions: &'a [Definition],
    /// What is counted over their cases.
    pub(crate) metrics: &'a [Metric],
    /// Where their parts are written.
    pub(crate) source_map: &'a SourceMap,
    /// The directory as written.
    pub(crate) positions: &'a [syntax::Position],
    /// The people.
    pub(crate) directory: &'a Directory,
    /// The decision tables: where each is named.
    pub(crate) tables: Vec<&'a syntax::Table>,
    /// The mail templates.
    pub(crate) templates: &'a dyn Templates,
}

type FolderCheck = fn(&Folder<'_>, &mut Sources, &mut Vec<Diagnostic>);

/// Every check of a folder: what is there and of no use.
const OF_FOLDERS: &[FolderCheck] = &[
    several_heads::check,
    unwritten_field::check,
    unused_field::check,
    unused_position::check,
    unused_table::check,
    unused_template::check,
];

/// Runs every check of a folder.
pub(crate) fn folder(folder: &Folder<'_>, sources: &mut Sources, diagnostics: &mut Vec<Diagnostic>) {
    for check in OF_FOLDERS {
        check(folder, sources, diagnostics);
    }
}

fn walk(written: &[syntax::Field], form: &Form, visit: &mut dyn FnMut(&syntax::Field, &Field)) {
    for field in written {
        let Some(lowered) = form.get(field.name.value.as_str()) else { continue };
        visit(field, lowered);
        if let FieldKind::List(columns) = &lowered.kind {
            walk(&field.fields, columns, visit);
        }
    }
}
