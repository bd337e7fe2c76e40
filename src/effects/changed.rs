//! What a story tells of fields that were asked again: which, what it was and what it is now.
//!
//! Only what a person changed by an answer is told, in an `edit` or a revision, and what a hand-over changed; what
//! follows from it is computed, and what was empty before is filled in and not changed. A reader is told of the fields
//! that they see.

use super::format::{Words, clean_line};
use super::timeline::{Mark, Moment, Scene};
use super::view::{Change, Shown, changes_of};
use crate::engine::command::Ask;
use crate::engine::event::{Entry, Event};
use crate::engine::state::TaskKind;
use crate::model::control::Each;
use crate::model::definition::StepKind;
use crate::model::form::{Field, FieldKind};
use crate::model::id::{FieldName, ScopeId, StepId, TaskId};
use crate::model::text::Lang;
use crate::model::value::{Record, Value};
use std::collections::BTreeMap;

/// The most changes that one line tells.
const MOST: usize = 8;

/// What is known of the data as a log is read.
pub(super) struct Changed<'a> {
    shown: Shown<'a>,
    data: Record,
    rows: BTreeMap<ScopeId, (u32, Record)>,
    tasks: BTreeMap<TaskId, (&'a StepId, TaskKind)>,
    /// The task that was answered just now, until what it set is known.
    answered: Option<TaskId>,
}

impl<'a> Changed<'a> {
    /// Told to who sees this.
    pub(super) fn new(shown: Shown<'a>) -> Changed<'a> {
        Changed { shown, data: Record::new(), rows: BTreeMap::new(), tasks: BTreeMap::new(), answered: None }
    }

    /// What there is to tell of an event, if anything.
    pub(super) fn tell(
        &mut self,
        scene: &Scene<'a>,
        words: &Words<'_>,
        entry: &'a Entry,
        event: &'a Event,
    ) -> Option<Moment> {
        match event {
            Event::Started { data, .. } => self.data.clone_from(data),
            Event::TaskOpened { task, opened } => drop(self.tasks.insert(*task, (&opened.step, opened.kind))),
            Event::Answered { task, .. } => self.answered = Some(*task),
            Event::TaskClosed { .. } | Event::TaskParked { .. } => self.answered = None,
            Event::ScopeOpened { scope, block, row: Some(row), .. } => {
                self.rows.insert(*scope, (*block, row.columns.clone()));
            }
            Event::DataSet { values } => {
                let mut after = self.data.clone();
                after.extend(values.clone());
                let before = std::mem::replace(&mut self.data, after);
                let found = match entry.command.ask {
                    Ask::HandOver { .. } => self.handed(scene, words, &before),
                    _ => self.found(scene, words, None, &before, &self.data),
                };
                return self.line(scene, words, entry, &found);
            }
            Event::RowSet { scope, values } => {
                let (block, before) = self.rows.get(scope)?.clone();
                let mut after = before.clone();
                after.extend(values.clone());
                self.rows.insert(*scope, (block, after.clone()));
                let of = scene.definition.graph.block_at(block)?.of.as_ref()?;
                let StepKind::Each(each) = &scene.definition.steps.get(of)?.kind else { return None };
                let found = self.found(scene, words, Some(each), &before, &after);
                return self.line(scene, words, entry, &found);
            }
            _ => {}
        }
        None
    }

    /// What of the fields that an answer was asked again is another now; in a row, of its columns.
    fn found(
        &self,
        scene: &Scene<'a>,
        words: &Words<'_>,
        each: Option<&'a Each>,
        before: &Record,
        after: &Record,
    ) -> Vec<Change> {
        let Some((step, kind)) = self.answered.and_then(|task| self.tasks.get(&task)) else { return Vec::new() };
        let definition = scene.definition;
        let fields: Vec<(&FieldName, &Field)> = match each {
            None => definition.fields().collect(),
            Some(each) => {
                let declared = definition.fields().find_map(|(name, field)| match &field.kind {
                    FieldKind::List(columns) if *name == each.list => Some(columns),
                    _ => None,
                });
                // What a step in the row asks again is a column that its list has declared.
                let own = each.columns.iter().filter(|(name, _)| declared.is_none_or(|all| !all.contains_key(*name)));
                declared.into_iter().flatten().chain(own).collect()
            }
        };
        let edited = definition.steps.get(*step).and_then(|step| step.human()).map(|human| human.edit.as_slice());
        let again = |name: &FieldName| match kind {
            TaskKind::Approve | TaskKind::Work => edited.is_some_and(|edited| edited.contains(name)),
            TaskKind::Revise { .. } => each.is_some() || definition.form.contains_key(name),
            TaskKind::Begin => false,
        };
        // What is seen of a row is what is seen of its list.
        let seen = |name: &FieldName| match each {
            None => self.shown.field(name),
            Some(each) => self.shown.field(&each.list) && self.shown.column(&each.list, name),
        };
        // What was empty is filled in; in what was handed in before, that is a change too.
        let held = |name: &FieldName| {
            let value = before.get(name).unwrap_or(&Value::Null);
            let empty = value.is_null() || value.as_list().is_some_and(<[Value]>::is_empty);
            !empty || matches!(kind, TaskKind::Revise { .. })
        };
        let asked = fields.into_iter().filter(|(name, field)| field.value.is_none() && again(name) && seen(name));
        let asked = asked.filter(|(name, _)| held(name));
        match each {
            None => changes_of(definition, asked, &self.shown.of(before), &self.shown.of(after), words),
            Some(_) => changes_of(definition, asked, before, after, words),
        }
    }

    /// What a hand-over changed: the fields that hold a person.
    fn handed(&self, scene: &Scene<'a>, words: &Words<'_>, before: &Record) -> Vec<Change> {
        let fields = scene.definition.fields().filter(|(name, field)| field.value.is_none() && self.shown.field(name));
        changes_of(scene.definition, fields, &self.shown.of(before), &self.shown.of(&self.data), words)
    }

    fn line(&mut self, scene: &Scene<'a>, words: &Words<'_>, entry: &Entry, found: &[Change]) -> Option<Moment> {
        let title = match &entry.command.ask {
            Ask::HandOver { .. } => words.pick("交接", "Hand-over").to_owned(),
            Ask::Decide { .. } | Ask::Revise { .. } => {
                let (step, kind) = *self.tasks.get(&self.answered.take()?)?;
                words.task(scene.definition, step, kind)
            }
            _ => return None,
        };
        if found.is_empty() {
            return None;
        }
        let nothing = words.pick("（空）", "(empty)");
        let value = |text: &str| match text {
            "" => nothing.to_owned(),
            text => clean_line(text),
        };
        let one = |change: &Change| {
            let (label, before, after) = (clean_line(&change.label), value(&change.before), value(&change.after));
            match words.lang {
                Lang::Zh => format!("{label}：{before} → {after}"),
                Lang::En => format!("{label}: {before} → {after}"),
            }
        };
        let mut told = found.iter().take(MOST).map(one).collect::<Vec<_>>().join(words.pick("；", "; "));
        if found.len() > MOST {
            told += &match words.lang {
                Lang::Zh => format!("；另有 {} 处改动", found.len() - MOST),
                Lang::En => format!("; and {} more changes", found.len() - MOST),
            };
        }
        Some(Moment {
            mark: Mark::Note,
            title,
            when: words.moment(entry.at),
            words: match words.lang {
                Lang::Zh => format!("改动：{told}"),
                Lang::En => format!("changed: {told}"),
            },
            who: words.actor(&entry.command.actor),
            ..Moment::default()
        })
    }
}
