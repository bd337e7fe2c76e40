//! Steps: the kind key, the common keys, and what each kind takes.

use crate::diagnostics::{Code, Diagnostic, Span, Spanned, quoted_list, suggest};
use crate::model::text::{Text, Wording};
use crate::syntax::feel::FeelText;
use crate::syntax::field::{FIELD, Field, OptionDef};
use crate::syntax::fields::{Fields, GROUP, Lowering, NameRule, Place, missing_value, unsupported_value};
use crate::syntax::node::{Entry, Node, NodeKind};
use crate::syntax::process::{POLICY, PROCESS, Policy};

/// A step as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The whole step.
    pub span: Span,
    /// The key that says what kind it is; where a fault of the step as a whole is shown.
    pub key: Span,
    /// Its name. Only `set`, `notify`, `go` and `end` may lack one.
    pub id: Option<Spanned<String>>,
    /// What people read instead of the name.
    pub title: Option<Spanned<Text>>,
    /// The step is skipped unless this holds.
    pub when: Option<FeelText>,
    /// What it does.
    pub kind: StepKind,
    /// When it should be done.
    pub due: Option<FeelText>,
    /// How long after the assignment to remind.
    pub remind: Vec<FeelText>,
    /// Where outcomes lead: outcome → target.
    pub on: Vec<(Spanned<String>, Target)>,
    /// Who sees which fields.
    pub shown: Shown,
    /// The outcomes that need an opinion; `None` if nothing is said.
    pub opinion: Option<Vec<Spanned<String>>>,
    /// What deciders can do beside deciding; `None` if nothing is said.
    pub allow: Option<Vec<Spanned<Allow>>>,
    /// Whether no mail is sent for the task.
    pub quiet: Option<Spanned<bool>>,
    /// Fields that are filled in at this step.
    pub form: Vec<Field>,
    /// Departures from the policy of the process.
    pub policy: Policy,
}

/// What a step does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StepKind {
    /// `approve`: yes or no.
    Approve {
        /// Who decides.
        who: Who,
    },
    /// `task`: work with a form and outcomes of its own.
    Task {
        /// Who does it.
        who: Who,
        /// Its outcomes; empty means `done`.
        outcomes: Vec<OptionDef>,
    },
    /// `choose`: the first case that holds.
    Choose {
        /// The cases in order.
        cases: Vec<Case>,
        /// The steps if no case holds; `None` if not written.
        otherwise: Option<Spanned<Vec<Step>>>,
    },
    /// `set`: computes fields.
    Set {
        /// Field → value.
        values: Vec<(Spanned<String>, FeelText)>,
    },
    /// `notify`: tells people.
    Notify {
        /// Whom.
        who: Who,
        /// The mail template; `None` for the built-in one.
        template: Option<Spanned<String>>,
    },
    /// `go`: a jump.
    Go {
        /// Where to.
        target: Target,
    },
    /// `end`: ends the case with a named outcome.
    End {
        /// The outcome.
        outcome: Spanned<String>,
    },
    /// A kind that is not performed yet, or one that could not be read. It is reported.
    Unknown,
}

/// The people of a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Who {
    /// The whole value.
    pub span: Span,
    /// Each entry is one signature.
    pub entries: Vec<FeelText>,
    /// How several signatures count; `None` if not written.
    pub mode: Option<Spanned<Mode>>,
}

/// How several signatures count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// The first answer counts (或签).
    Any,
    /// Everybody must agree (会签).
    All,
}

/// What deciders can do beside deciding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Allow {
    /// Send back to the applicant (退回).
    Return,
}

/// Which fields deciders see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shown {
    /// All of them.
    Everything,
    /// Only these.
    Only(Vec<Spanned<String>>),
    /// All but these.
    Except(Vec<Spanned<String>>),
}

/// Where a jump leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// A step's id, or `next`.
    pub name: String,
    /// Where it is written.
    pub span: Span,
}

/// One case of `choose`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// The whole case.
    pub span: Span,
    /// When it is taken; `None` if that could not be read, which is reported.
    pub when: Option<FeelText>,
    /// What then happens.
    pub steps: Vec<Step>,
}

/// Every kind key, in the order of the language reference.
const KINDS: &[&str] = &[
    "approve", "task", "choose", "set", "notify", "go", "end", "parallel", "each", "call", "wait", "receive", "race",
    "table", "http", "job",
];
const UNSUPPORTED: &[&str] = &["parallel", "each", "call", "wait", "receive", "race", "table", "http", "job"];

macro_rules! step_place {
    ($place:ident, $name:expr, [$($key:literal),*], [$($later:literal),*]) => {
        static $place: Place = Place {
            name: $name,
            keys: &[$($key,)* "id", "title", "when"],
            later: &[$($later,)* "stage", "undo"],
            relatives: STEP_RELATIVES,
        };
    };
}

static STEP_RELATIVES: &[&Place] = &[&APPROVE, &TASK, &CHOOSE, &NOTIFY, &PROCESS, &POLICY, &FIELD];

/// Any step, to say where a key belongs.
pub(crate) static STEP: Place = Place {
    name: ("步骤", "a step"),
    keys: &[
        "approve",
        "task",
        "choose",
        "set",
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
step_place!(NOTIFY, ("`notify` 步骤", "a `notify` step"), ["notify", "template"], []);
step_place!(GO, ("`go` 步骤", "a `go` step"), ["go"], []);
step_place!(END, ("`end` 步骤", "an `end` step"), ["end"], []);

static CASE: Place = Place {
    name: ("`choose` 的一个分支", "a case of `choose`"),
    keys: &["when", "steps"],
    later: &[],
    relatives: STEP_RELATIVES,
};

impl Lowering<'_> {
    /// The steps of a list.
    pub(crate) fn steps(&mut self, node: &Node) -> Vec<Step> {
        let Some(items) = self.items(node) else { return Vec::new() };
        items.iter().filter_map(|item| self.step(item)).collect()
    }

    fn step(&mut self, node: &Node) -> Option<Step> {
        let entries = self.entries(node, GROUP)?;
        let kinds: Vec<&Node> =
            entries.iter().map(|entry| &entry.key).filter(|key| KINDS.contains(&key.text().unwrap_or(""))).collect();
        let at = entries.first().map_or(node.span, |entry| entry.key.span);
        let kind = match kinds.as_slice() {
            [] => {
                return match self.no_kind(node, at) {
                    Some(meant) => self.step(&meant),
                    None => self.unknown_step(node, at),
                };
            }
            [one] => *one,
            [first, rest @ ..] => {
                self.report(several_kinds(first, rest));
                return self.unknown_step(node, first.span);
            }
        };
        let word = kind.text().unwrap_or("");
        if UNSUPPORTED.contains(&word) {
            self.report(unsupported_step(kind.span, word));
            return self.unknown_step(node, kind.span);
        }
        let place = match word {
            "approve" => &APPROVE,
            "task" => &TASK,
            "choose" => &CHOOSE,
            "set" => &SET,
            "notify" => &NOTIFY,
            "go" => &GO,
            _ => &END,
        };
        let fields = self.fields(node, place, kind.span)?;
        let id = match word {
            "set" | "notify" | "go" | "end" => fields.get("id"),
            _ => fields.required(self, "id"),
        };
        let step = Step {
            span: node.span,
            key: kind.span,
            id: id.and_then(|node| self.name(node, NameRule::Word)),
            title: fields.get("title").and_then(|node| self.text(node)),
            when: fields.get("when").and_then(|node| self.feel(node, "when")),
            due: fields.get("due").and_then(|node| self.feel(node, "due")),
            remind: fields.get("remind").map(|node| self.feels(node, "remind")).unwrap_or_default(),
            on: fields.get("on").map(|node| self.on(node)).unwrap_or_default(),
            shown: self.shown(&fields),
            opinion: fields.get("opinion").and_then(|node| self.names(node)),
            allow: fields.get("allow").and_then(|node| self.allow(node)),
            quiet: fields.get("quiet").and_then(|node| self.boolean(node)),
            form: fields.get("form").map(|node| self.form(node)).unwrap_or_default(),
            policy: fields.get("policy").map(|node| self.policy(node)).unwrap_or_default(),
            kind: self.kind(word, &fields),
        };
        Some(step)
    }

    fn kind(&mut self, word: &str, fields: &Fields<'_>) -> StepKind {
        let Some(node) = fields.get(word) else { return StepKind::Unknown };
        match word {
            "approve" => StepKind::Approve { who: self.who(node, word, fields) },
            "task" => {
                let outcomes = fields.get("outcomes").map(|node| self.options(node)).unwrap_or_default();
                StepKind::Task { who: self.who(node, word, fields), outcomes }
            }
            "choose" => {
                let cases = self.items(node).unwrap_or_default();
                let cases = cases.iter().filter_map(|case| self.case(case)).collect();
                let otherwise = fields.get("otherwise").map(|node| Spanned::new(self.steps(node), node.span));
                StepKind::Choose { cases, otherwise }
            }
            "set" => StepKind::Set { values: self.values(node) },
            "notify" => {
                let template = fields.get("template").and_then(|node| self.name(node, NameRule::Document));
                let who = Who { span: node.span, entries: self.feels(node, word), mode: None };
                StepKind::Notify { who, template }
            }
            "go" => match self.target(node) {
                Some(target) => StepKind::Go { target },
                None => StepKind::Unknown,
            },
            _ => match self.name(node, NameRule::Word) {
                Some(outcome) => StepKind::End { outcome },
                None => StepKind::Unknown,
            },
        }
    }

    fn who(&mut self, node: &Node, key: &str, fields: &Fields<'_>) -> Who {
        let entries = self.feels(node, key);
        let several = matches!(&node.kind, NodeKind::Sequence(items) if items.len() > 1);
        if matches!(&node.kind, NodeKind::Sequence(items) if items.is_empty()) {
            self.report(missing_value(node.span, key));
        }
        let mode = fields.get("mode").and_then(|node| self.mode(node));
        if several && fields.key("mode").is_none() {
            self.report(
                Diagnostic::new(
                    Code::MissingKey,
                    self.first_line(node.span),
                    Wording::new(
                        "有几个签字人时要写 `mode`：`any` 任一人即可（或签），`all` 全部同意（会签）",
                        "several signers need a `mode`: `any` if one answer is enough, `all` if everybody must agree",
                    ),
                )
                .hint(Wording::new("mode: all", "mode: all")),
            );
        }
        Who { span: node.span, entries, mode }
    }

    fn mode(&mut self, node: &Node) -> Option<Spanned<Mode>> {
        let words = node.text().unwrap_or("");
        if words == "in order" || words.starts_with("quorum") {
            self.report(unsupported_value(node.span, "mode", words));
            return None;
        }
        self.one_of(node, &[("any", Mode::Any), ("all", Mode::All)])
    }

    fn allow(&mut self, node: &Node) -> Option<Vec<Spanned<Allow>>> {
        let items = self.items(node)?;
        let words = [
            ("return", Some(Allow::Return)),
            ("transfer", None),
            ("delegate", None),
            ("add signer", None),
            ("ask", None),
        ];
        let mut found = Vec::new();
        for item in items {
            match self.one_of(item, &words) {
                Some(Spanned { value: Some(allow), span }) => found.push(Spanned::new(allow, span)),
                Some(_) => self.report(unsupported_value(item.span, "allow", item.text().unwrap_or(""))),
                None => {}
            }
        }
        Some(found)
    }

    fn shown(&mut self, fields: &Fields<'_>) -> Shown {
        if let (Some(show), Some(hide)) = (fields.key("show"), fields.key("hide")) {
            self.report(
                Diagnostic::new(
                    Code::MisplacedKey,
                    hide,
                    Wording::new("`show` 和 `hide` 只写一个", "write either `show` or `hide`, not both"),
                )
                .context(show, Wording::new("`show` 在这里", "`show` is here")),
            );
        }
        if let Some(names) = fields.get("show").and_then(|node| self.names(node)) {
            return Shown::Only(names);
        }
        fields.get("hide").and_then(|node| self.names(node)).map_or(Shown::Everything, Shown::Except)
    }

    fn on(&mut self, node: &Node) -> Vec<(Spanned<String>, Target)> {
        let Some(entries) = self.entries(node, GROUP) else { return Vec::new() };
        let mut found = Vec::new();
        for entry in entries {
            let outcome = self.name(&entry.key, NameRule::Word);
            let target = self.target(&entry.value);
            if let (Some(outcome), Some(target)) = (outcome, target) {
                found.push((outcome, target));
            }
        }
        found
    }

    fn target(&mut self, node: &Node) -> Option<Target> {
        if node.is_empty() {
            self.report(missing_value(node.span, "go"));
            return None;
        }
        let name = self.name(node, NameRule::Word)?;
        Some(Target { name: name.value, span: name.span })
    }

    fn case(&mut self, node: &Node) -> Option<Case> {
        let fields = self.fields(node, &CASE, self.first_line(node.span))?;
        let when = fields.required(self, "when").and_then(|node| self.feel(node, "when"));
        let steps = fields.required(self, "steps").map(|node| self.steps(node)).unwrap_or_default();
        Some(Case { span: node.span, when, steps })
    }

    fn values(&mut self, node: &Node) -> Vec<(Spanned<String>, FeelText)> {
        let Some(entries) = self.entries(node, GROUP) else { return Vec::new() };
        let mut found = Vec::new();
        for entry in entries {
            let name = self.name(&entry.key, NameRule::Word);
            let shown = entry.key.text().unwrap_or("");
            if entry.value.is_empty() {
                self.report(missing_value(entry.key.span, shown));
                continue;
            }
            if let (Some(name), Some(value)) = (name, self.feel_value(&entry.value, shown)) {
                found.push((name, value));
            }
        }
        found
    }

    /// A step that is not understood keeps its name, so that jumps to it are no further fault.
    fn unknown_step(&mut self, node: &Node, key: Span) -> Option<Step> {
        let NodeKind::Mapping(entries) = &node.kind else { return None };
        let id = entries.iter().find(|entry| entry.key.text() == Some("id")).map(|entry| &entry.value);
        let id = id.and_then(|node| self.name(node, NameRule::Word));
        Some(Step {
            span: node.span,
            key,
            id,
            title: None,
            when: None,
            kind: StepKind::Unknown,
            due: None,
            remind: Vec::new(),
            on: Vec::new(),
            shown: Shown::Everything,
            opinion: None,
            allow: None,
            quiet: None,
            form: Vec::new(),
            policy: Policy::default(),
        })
    }

    /// Reports a step without a kind. Where one of its keys is a kind misspelt, answers the step as it is meant, so
    /// that what else is wrong with it is told too.
    fn no_kind(&mut self, node: &Node, at: Span) -> Option<Node> {
        let NodeKind::Mapping(entries) = &node.kind else { return None };
        let known = |key: &str| {
            STEP_RELATIVES.iter().take(4).any(|place| place.keys.contains(&key) || place.later.contains(&key))
        };
        let meant = entries.iter().enumerate().find_map(|(number, entry)| {
            let word = entry.key.text().unwrap_or("");
            let close = if known(word) { None } else { suggest::closest(word, KINDS.iter().copied()) };
            close.map(|close| (number, &entry.key, close))
        });
        if let Some((number, key, close)) = meant {
            let word = key.text().unwrap_or("");
            self.report(
                Diagnostic::new(
                    Code::StepKind,
                    key.span,
                    Wording::new(
                        format!("没有 `{word}` 这种步骤，是不是 `{close}`？"),
                        format!("there is no step kind `{word}`; did you mean `{close}`?"),
                    ),
                )
                .fix(
                    key.span,
                    close,
                    Wording::new(format!("改成 `{close}`"), format!("write `{close}`")),
                ),
            );
            let mut entries = entries.clone();
            if let Some(Entry { key: Node { kind: NodeKind::Scalar { text, .. }, .. }, .. }) = entries.get_mut(number) {
                close.clone_into(text);
            }
            return Some(Node { span: node.span, kind: NodeKind::Mapping(entries) });
        }
        let listed = quoted_list(KINDS.iter().take(7).copied());
        self.report(
            Diagnostic::new(
                Code::StepKind,
                at,
                Wording::new(
                    "这个步骤没有说做什么。请加一个种类键，例如 `approve: 客户部经理`",
                    "this step does not say what it does; add a kind, such as `approve: head_of(applicant.department)`",
                ),
            )
            .hint(Wording::new(format!("种类有：{}", listed.zh), format!("the kinds: {}", listed.en))),
        );
        None
    }
}

fn several_kinds(first: &Node, rest: &[&Node]) -> Diagnostic {
    let word = first.text().unwrap_or("");
    let mut diagnostic = Diagnostic::new(
        Code::StepKind,
        rest.first().map_or(first.span, |key| key.span),
        Wording::new(
            format!("一个步骤只做一件事，这里已经有 `{word}`。请拆成两个步骤"),
            format!("a step does one thing, and this one has `{word}` already; make two steps of it"),
        ),
    )
    .context(first.span, Wording::new("第一种", "the first kind"));
    for key in rest.iter().skip(1) {
        diagnostic = diagnostic.context(key.span, Wording::new("还有一种", "one more"));
    }
    diagnostic
}

fn unsupported_step(span: Span, word: &str) -> Diagnostic {
    Diagnostic::new(
        Code::UnsupportedStep,
        span,
        Wording::new(
            format!("这个版本还不支持 `{word}` 步骤"),
            format!("`{word}` steps are not supported in this version yet"),
        ),
    )
    .hint(Wording::new(
        "现在可用：`approve`、`task`、`choose`、`set`、`notify`、`go`、`end`",
        "supported are `approve`, `task`, `choose`, `set`, `notify`, `go` and `end`",
    ))
}
