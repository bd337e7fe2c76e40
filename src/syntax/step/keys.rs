//! The kinds of steps and the keys of each, in one table.

use crate::syntax::field::FIELD;
use crate::syntax::fields::Place;
use crate::syntax::process::{POLICY, PROCESS};

/// Every kind key, in the order of the language reference.
pub(super) const KINDS: &[&str] = &[
    "approve", "task", "choose", "set", "table", "notify", "go", "end", "parallel", "each", "call", "wait", "receive",
    "race", "http", "job",
];
pub(super) const UNSUPPORTED: &[&str] = &["parallel", "each", "call", "wait", "receive", "race", "http", "job"];

macro_rules! step_place {
    ($place:ident, $name:expr, [$($key:literal),*], [$($later:literal),*]) => {
        pub(super) static $place: Place = Place {
            name: $name,
            keys: &[$($key,)* "id", "title", "when"],
            later: &[$($later,)* "stage", "undo"],
            relatives: STEP_RELATIVES,
        };
    };
}

pub(super) static STEP_RELATIVES: &[&Place] = &[&APPROVE, &TASK, &CHOOSE, &NOTIFY, &TABLE, &PROCESS, &POLICY, &FIELD];

/// Any step, to say where a key belongs.
pub(crate) static STEP: Place = Place {
    name: ("步骤", "a step"),
    keys: &[
        "approve",
        "task",
        "choose",
        "set",
        "table",
        "notify",
        "go",
        "end",
        "id",
        "when",
        "mode",
        "due",
        "remind",
        "opinion",
        "allow",
        "show",
        "hide",
        "on",
        "outcomes",
        "quiet",
        "otherwise",
        "template",
        "with",
        "take",
    ],
    later: &["weights", "overdue", "depends_on", "edit", "copy", "stage", "undo"],
    relatives: &[],
};

step_place!(
    APPROVE,
    ("`approve` 步骤", "an `approve` step"),
    ["approve", "mode", "due", "remind", "opinion", "allow", "show", "hide", "on", "form", "quiet", "policy"],
    ["weights", "overdue", "depends_on", "edit", "copy"]
);
step_place!(
    TASK,
    ("`task` 步骤", "a `task` step"),
    ["task", "mode", "due", "remind", "opinion", "allow", "show", "hide", "on", "form", "outcomes", "quiet", "policy"],
    ["weights", "overdue", "depends_on", "edit", "copy"]
);
step_place!(CHOOSE, ("`choose` 步骤", "a `choose` step"), ["choose", "otherwise"], ["due", "overdue"]);
step_place!(SET, ("`set` 步骤", "a `set` step"), ["set"], []);
step_place!(TABLE, ("`table` 步骤", "a `table` step"), ["table", "with", "take"], []);
step_place!(NOTIFY, ("`notify` 步骤", "a `notify` step"), ["notify", "template"], []);
step_place!(GO, ("`go` 步骤", "a `go` step"), ["go"], []);
step_place!(END, ("`end` 步骤", "an `end` step"), ["end"], []);
