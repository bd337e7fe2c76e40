//! What stands in the way of a deployment: open cases that would lose what their version names.
//!
//! A case stays with the version that it began with, but people are always the current ones and a call starts the
//! newest version. So a deployment is refused where a version that some open case runs on names a position, a
//! department, a person or a process that would be gone, or calls a process by fields that it would not have.
//! People who would be gone while they still have work do not stand in its way; they are told of, as a hand-over
//! helps.

use super::{Deployment, Error, InstanceFilter, Runtime, Standing, TaskFilter};
use crate::model::definition::{Definition, StepKind};
use crate::model::formula::Read;
use crate::model::id::{PersonId, ProcessId, Version};
use crate::model::text::Wording;
use serde_json::Value as Json;
use std::collections::{BTreeMap, BTreeSet};

/// How many open tasks of a person are counted.
const MOST_TASKS: u32 = 1_000;

/// What a deployment would do to open cases.
#[derive(Clone, Debug, Default)]
pub struct Obstacles {
    /// Why it cannot be.
    pub refused: Vec<Wording>,
    /// What to know of it.
    pub told: Vec<Wording>,
}

/// The open cases of one version that would not be live any more.
struct Old {
    process: ProcessId,
    /// The first of them, as people name it.
    first: String,
    count: usize,
}

impl Runtime {
    /// What a deployment would do to open cases.
    ///
    /// # Errors
    /// What the store says.
    pub async fn obstacles(&self, deployment: &Deployment) -> Result<Obstacles, Error> {
        let mut found = Obstacles::default();
        for (version, old) in self.old_versions(deployment).await? {
            let Some(definition) = self.version(&version).await? else { continue };
            for (zh, en) in lacking(&definition, deployment) {
                let Old { process, first, count } = &old;
                let (cases_zh, cases_en) = match count {
                    1 => (format!("未结束的案例 {first} "), format!("the open case {first}")),
                    _ => (
                        format!("{first} 等 {count} 件未结束的案例"),
                        format!("{first} and {} other open cases", count - 1),
                    ),
                };
                found.refused.push(Wording::new(
                    format!("{cases_zh}仍按旧版 `{process}` 运行，{zh}"),
                    format!("An old version of `{process}` is what {cases_en} still runs on, and {en}"),
                ));
            }
        }
        for (person, name) in gone(&self.directory(), deployment) {
            let filter = TaskFilter { person: Some(person.clone()), limit: MOST_TASKS, ..TaskFilter::default() };
            let tasks = self.tasks(&filter).await?.len();
            let filter = InstanceFilter {
                applicant: Some(person.clone()),
                standing: Some(Standing::Open),
                limit: MOST_TASKS,
                ..InstanceFilter::default()
            };
            let cases = self.instances(&filter).await?.len();
            if tasks + cases > 0 {
                found.told.push(Wording::new(
                    format!(
                        "{name}不在新的通讯录里，手上还有 {tasks} 项待办、{cases} 件未结束的申请。用 `countersign handover {person} --to 接手的人` 交接。"
                    ),
                    format!(
                        "{name} is not in the new directory and still has {tasks} open tasks and {cases} open cases of \
                         their own. Hand them over with `countersign handover {person} --to PERSON`."
                    ),
                ));
            }
        }
        Ok(found)
    }

    /// The versions that open cases run on and that would no longer be live.
    async fn old_versions(&self, deployment: &Deployment) -> Result<BTreeMap<Version, Old>, Error> {
        let new: BTreeSet<&Version> = deployment.definitions.iter().map(|definition| &definition.version).collect();
        let mut found: BTreeMap<Version, Old> = BTreeMap::new();
        for row in self.open_cases(None).await?.iter().filter(|row| !new.contains(&row.version)) {
            let old = Old { process: row.process.clone(), first: row.reference(), count: 0 };
            found.entry(row.version.clone()).or_insert(old).count += 1;
        }
        Ok(found)
    }
}

/// What an old version needs and a deployment lacks, as the end of a sentence in both languages.
fn lacking(definition: &Definition, deployment: &Deployment) -> Vec<(String, String)> {
    let mut lacks = Vec::new();
    let mut named = Named::default();
    if let Ok(json) = serde_json::to_value(definition) {
        named.read(&json);
    }
    let directory = &deployment.directory;
    for name in named.positions.iter().filter(|name| !directory.positions.contains_key(name.as_str())) {
        lacks.push((
            format!("要找岗位“{name}”，新的通讯录里没有。请留着这个岗位，直到这些案例结束。"),
            format!(
                "it asks the position `{name}`, which the new directory lacks. Keep it until these cases have ended."
            ),
        ));
    }
    for name in named.departments.iter().filter(|name| !directory.departments.contains_key(name.as_str())) {
        lacks.push((
            format!("用到部门“{name}”，新的通讯录里没有。请留着这个部门，直到这些案例结束。"),
            format!(
                "it names the department `{name}`, which the new directory lacks. Keep it until these cases have ended."
            ),
        ));
    }
    for name in named.people.iter().filter(|name| !directory.people.contains_key(name.as_str())) {
        lacks.push((
            format!("写明要找“{name}”，新的通讯录里没有这个人。请留着，直到这些案例结束。"),
            format!(
                "it names the person `{name}`, whom the new directory lacks. Keep them until these cases have ended."
            ),
        ));
    }
    for step in definition.steps.values() {
        let StepKind::Call(call) = &step.kind else { continue };
        let process = &call.process;
        let Some(callee) = deployment.definitions.iter().find(|one| one.process == *process) else {
            lacks.push((
                format!("要调用流程 `{process}`，这个文件夹里没有。请留着这个流程，直到这些案例结束。"),
                format!(
                    "it calls `{process}`, which this folder lacks. Keep that process until these cases have ended."
                ),
            ));
            continue;
        };
        let takes = call.take.values().flat_map(|formula| &formula.reads).filter_map(|read| match read {
            Read::Field(name) => Some(name),
            _ => None,
        });
        let given = call.with.keys().filter(|name| !callee.form.contains_key(*name));
        let taken = takes.filter(|name| callee.fields().all(|(known, _)| known != *name));
        for name in given.chain(taken).collect::<BTreeSet<_>>() {
            lacks.push((
                format!(
                    "调用 `{process}` 时用到字段 `{name}`，新的 `{process}` 里没有。请留着这个字段，直到这些案例结束。"
                ),
                format!(
                    "it calls `{process}` by the field `{name}`, which the new one lacks. Keep the field until these \
                     cases have ended."
                ),
            ));
        }
    }
    lacks
}

/// Whom a definition names outright. Every value says its own type in the stored form, so nothing is overlooked
/// whatever kind of step holds it.
#[derive(Default)]
struct Named {
    positions: BTreeSet<String>,
    departments: BTreeSet<String>,
    people: BTreeSet<String>,
}

impl Named {
    fn read(&mut self, json: &Json) {
        match json {
            Json::Array(items) => items.iter().for_each(|item| self.read(item)),
            Json::Object(entries) => {
                if let (1, Some((key, Json::String(name)))) = (entries.len(), entries.iter().next()) {
                    match key.as_str() {
                        "pos" => drop(self.positions.insert(name.clone())),
                        "dep" => drop(self.departments.insert(name.clone())),
                        "p" => drop(self.people.insert(name.clone())),
                        _ => {}
                    }
                }
                entries.values().for_each(|value| self.read(value));
            }
            _ => {}
        }
    }
}

/// The people of one directory that another lacks, with their names.
fn gone(old: &crate::model::people::Directory, deployment: &Deployment) -> Vec<(PersonId, String)> {
    let people = old.people.iter().filter(|(id, _)| !deployment.directory.people.contains_key(*id));
    people.map(|(id, person)| (id.clone(), person.name.clone())).collect()
}
