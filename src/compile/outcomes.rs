//! What steps can come to.

use crate::model::definition::outcome;
use crate::model::id::Outcome;
use crate::model::text::Text;
use crate::syntax::{Allow, Join, Nobody, Process, Step, StepKind, Then};

/// An answer of a step and what the author calls it.
pub(crate) fn answers(step: &Step) -> Vec<(Outcome, Option<Text>)> {
    let may_return = |unsaid: bool| {
        let said = step.allow.as_ref().map(|allow| allow.iter().any(|allow| allow.value == Allow::Return));
        said.unwrap_or(unsaid)
    };
    let mut found: Vec<(Outcome, Option<Text>)> = match &step.kind {
        StepKind::Approve { .. } => vec![(outcome::APPROVED.into(), None), (outcome::REJECTED.into(), None)],
        StepKind::Task { outcomes, .. } if outcomes.is_empty() => vec![(outcome::DONE.into(), None)],
        StepKind::Task { outcomes, .. } => outcomes
            .iter()
            .map(|option| (Outcome::from(option.name.value.as_str()), Some(option.title.clone())))
            .collect(),
        _ => return Vec::new(),
    };
    if may_return(matches!(step.kind, StepKind::Approve { .. })) {
        found.push((outcome::RETURNED.into(), None));
    }
    found
}

/// What a step passes without waiting: because its `when` does not hold, or nobody can be asked.
pub(crate) fn skippable(step: &Step, process: &Process) -> bool {
    let nobody = step.policy.nobody.or(process.policy.nobody).map(|nobody| nobody.value);
    step.when.is_some() || nobody == Some(Nobody::Skip)
}

/// Where `on` of a call leads what it does not name.
pub(crate) const OTHERWISE: &str = "otherwise";

/// The outcomes that `on` of a step may name; `None` where they are not known here, as of a call.
pub(crate) fn named(step: &Step) -> Option<Vec<String>> {
    Some(match &step.kind {
        StepKind::Approve { .. } | StepKind::Task { .. } => {
            answers(step).into_iter().map(|(name, _)| name.to_string()).collect()
        }
        StepKind::Race { branches } => branches.iter().map(|branch| branch.name.value.clone()).collect(),
        StepKind::Parallel { branches, join } if join.is_some_and(|join| join.value == Join::Any) => {
            branches.iter().map(|branch| branch.name.value.clone()).collect()
        }
        StepKind::Http(_) | StepKind::Job(_) => vec![outcome::FAILED.to_owned()],
        StepKind::Call(_) => return None,
        _ => Vec::new(),
    })
}

/// Everything that `steps.<id>.outcome` can be. `called` are the outcomes of the process that a call names.
pub(crate) fn all(step: &Step, process: &Process, called: Option<&[String]>) -> Vec<String> {
    let done = || vec![outcome::DONE.to_owned()];
    let mut found = match &step.kind {
        StepKind::Call(call) if !call.detached => called.map_or_else(done, <[String]>::to_vec),
        StepKind::Http(_) | StepKind::Job(_) => {
            let failed = step.on.iter().any(|(name, _)| name.value == outcome::FAILED);
            done().into_iter().chain(failed.then(|| outcome::FAILED.to_owned())).collect()
        }
        _ => named(step).filter(|named| !named.is_empty()).unwrap_or_else(done),
    };
    if skippable(step, process) {
        found.push(outcome::SKIPPED.to_owned());
    }
    let overdue = step.overdue.as_ref().and_then(|overdue| overdue.then.as_ref());
    if matches!(overdue, Some(Then::Go(_))) {
        found.push(outcome::OVERDUE.to_owned());
    }
    // A jump out of a block ends it so.
    let block = matches!(step.kind, StepKind::Parallel { .. } | StepKind::Each { .. } | StepKind::Race { .. });
    if block {
        found.push(outcome::CANCELLED.to_owned());
    }
    found
}

/// Those of all outcomes of a step that nobody has answered with.
pub(crate) fn unanswered(step: &Step, all: &[String]) -> Vec<String> {
    let by_time = decided_by_time(step);
    let asks = matches!(step.kind, StepKind::Approve { .. } | StepKind::Task { .. });
    let nobody = |outcome: &&String| {
        !asks || matches!(outcome.as_str(), outcome::SKIPPED | outcome::OVERDUE) || by_time == Some(outcome.as_str())
    };
    all.iter().filter(nobody).cloned().collect()
}

/// The outcomes with which a case flows on from a step that people are asked, as no `on` and no rule leads elsewhere.
pub(crate) fn flowing(step: &Step, process: &Process) -> Vec<String> {
    let leads = |name: &str| step.on.iter().any(|(on, _)| on.value == name);
    let ends = |name: &str| matches!(name, outcome::REJECTED | outcome::RETURNED | outcome::OVERDUE);
    all(step, process, None).into_iter().filter(|name| !leads(name) && !ends(name)).collect()
}

/// The answer that time gives, where it does.
pub(crate) fn decided_by_time(step: &Step) -> Option<&str> {
    match step.overdue.as_ref()?.then.as_ref()? {
        Then::Decide(outcome) => Some(&outcome.value),
        Then::Reassign(_) | Then::Go(_) => None,
    }
}
