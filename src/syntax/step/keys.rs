//! The kinds of steps and the keys of each, in one table.

use crate::syntax::field::FIELD;
use crate::syntax::fields::Place;
use crate::syntax::process::{POLICY, PROCESS};

/// Every kind key, in the order of the language reference.
pub(super) const KINDS: &[&str] = &[
    "approve", "task", "choose", "set", "table", "notify", "go", "end", "parallel", "each", "call", "wait", "receive",
    "race", "http", "job",
];

macro_rules! step_place {
    ($place:ident, $name:expr, [$($key:literal),*], [$($later:literal),*]) => {
        pub(super) static $place: Place = Place {
            name: $name,
            keys: &[$($key,)* "id", "title", "when"],
            later: &[$($later,)*],
            relatives: STEP_RELATIVES,
        };
    };
}

static STEPS: &[&Place] = &[
    &APPROVE, &TASK, &CHOOSE, &PARALLEL, &EACH, &CALL, &HTTP, &JOB, &RACE, &NOTIFY, &TABLE, &RECEIVE, &WAIT, &SET, &GO,
    &END,
];

/// The mappings that may be meant where a key stands at a wrong place of a step.
pub(super) static STEP_RELATIVES: &[&Place] = &[
    &APPROVE, &TASK, &CHOOSE, &PARALLEL, &EACH, &CALL, &HTTP, &JOB, &RACE, &NOTIFY, &PROCESS, &TABLE, &RECEIVE,
    &POLICY, &FIELD,
];

/// Whether a key says what a step does.
pub(crate) fn is_kind(word: &str) -> bool {
    KINDS.contains(&word)
}

/// Whether a step of any kind has such a key.
pub(crate) fn is_key(word: &str) -> bool {
    STEPS.iter().any(|place| place.keys.contains(&word) || place.later.contains(&word))
}

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
        "parallel",
        "each",
        "call",
        "wait",
        "receive",
        "race",
        "http",
        "job",
        "id",
        "when",
        "mode",
        "due",
        "remind",
        "overdue",
        "opinion",
        "allow",
        "show",
        "hide",
        "on",
        "outcomes",
        "quiet",
        "copy",
        "edit",
        "depends_on",
        "otherwise",
        "template",
        "join",
        "as",
        "until",
        "into",
        "by",
        "with",
        "take",
        "detached",
        "headers",
        "body",
        "retry",
        "lease",
        "keep",
        "undo",
        "stage",
        "lock",
    ],
    later: &["weights"],
    relatives: &[],
};

step_place!(
    APPROVE,
    ("`approve` 步骤", "an `approve` step"),
    [
        "approve",
        "mode",
        "due",
        "remind",
        "overdue",
        "opinion",
        "allow",
        "show",
        "hide",
        "on",
        "form",
        "quiet",
        "copy",
        "edit",
        "depends_on",
        "policy",
        "undo",
        "stage",
        "lock"
    ],
    ["weights"]
);
step_place!(
    TASK,
    ("`task` 步骤", "a `task` step"),
    [
        "task",
        "mode",
        "due",
        "remind",
        "overdue",
        "opinion",
        "allow",
        "show",
        "hide",
        "on",
        "form",
        "outcomes",
        "quiet",
        "copy",
        "edit",
        "depends_on",
        "policy",
        "undo",
        "stage",
        "lock"
    ],
    ["weights"]
);
step_place!(CHOOSE, ("`choose` 步骤", "a `choose` step"), ["choose", "otherwise", "stage"], []);
step_place!(
    PARALLEL,
    ("`parallel` 步骤", "a `parallel` step"),
    ["parallel", "join", "on", "due", "overdue", "stage", "lock"],
    []
);
step_place!(
    EACH,
    ("`each` 步骤", "an `each` step"),
    ["each", "as", "mode", "until", "into", "steps", "due", "overdue", "stage", "lock"],
    []
);
step_place!(
    CALL,
    ("`call` 步骤", "a `call` step"),
    ["call", "by", "with", "take", "detached", "on", "due", "overdue", "undo", "stage", "lock"],
    []
);
step_place!(WAIT, ("`wait` 步骤", "a `wait` step"), ["wait", "stage", "lock"], []);
step_place!(
    RECEIVE,
    ("`receive` 步骤", "a `receive` step"),
    ["receive", "key", "take", "keep", "due", "overdue", "undo", "stage", "lock"],
    []
);
step_place!(RACE, ("`race` 步骤", "a `race` step"), ["race", "on", "due", "overdue", "stage", "lock"], []);
step_place!(
    HTTP,
    ("`http` 步骤", "an `http` step"),
    ["http", "headers", "body", "take", "retry", "on", "due", "overdue", "undo", "stage", "lock"],
    []
);
step_place!(
    JOB,
    ("`job` 步骤", "a `job` step"),
    ["job", "with", "take", "lease", "retry", "on", "due", "overdue", "undo", "stage", "lock"],
    []
);
step_place!(SET, ("`set` 步骤", "a `set` step"), ["set", "undo", "stage"], []);
step_place!(TABLE, ("`table` 步骤", "a `table` step"), ["table", "with", "take", "stage"], []);
step_place!(NOTIFY, ("`notify` 步骤", "a `notify` step"), ["notify", "template", "undo", "stage"], []);
step_place!(GO, ("`go` 步骤", "a `go` step"), ["go"], []);
step_place!(END, ("`end` 步骤", "an `end` step"), ["end", "undo", "stage"], []);

/// The keys of a step of this kind.
pub(super) fn place(kind: &str) -> &'static Place {
    match kind {
        "approve" => &APPROVE,
        "task" => &TASK,
        "choose" => &CHOOSE,
        "parallel" => &PARALLEL,
        "each" => &EACH,
        "call" => &CALL,
        "wait" => &WAIT,
        "receive" => &RECEIVE,
        "race" => &RACE,
        "http" => &HTTP,
        "job" => &JOB,
        "set" => &SET,
        "table" => &TABLE,
        "notify" => &NOTIFY,
        "go" => &GO,
        _ => &END,
    }
}
