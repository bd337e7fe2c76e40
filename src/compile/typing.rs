//! Expressions: what each is typed against, and how its faults are shown in the file.
//!
//! [`definition`] puts a process together. What is certain at a step depends on whether the values that `set`
//! writes can be null, and that depends on what is certain there. So both are found together: every `set` is
//! believed to write a value until its expression proves otherwise, and the analysis is made again.

use crate::compile::lower::Flow;
use crate::compile::resolve::Names;
use crate::compile::unread::Unread;
use crate::compile::{World, assigned, fields, form, look_up, meant, step};
use crate::diagnostics::{Code, Diagnostic};
use crate::expression::{self, Expected, Fault, FaultKind, Scope};
use crate::model::definition::{Definition, NumberPattern, OwnCase, Policy};
use crate::model::form::FieldKind;
use crate::model::formula::{Formula, Op, Read};
use crate::model::id::{FieldName, PositionId, ProcessId, StepId, Version};
use crate::model::text::{Text, Wording};
use crate::model::value::{Type, Typed, Value};
use crate::syntax::{self, FeelText, Process, Step, StepKind};
use indexmap::IndexMap;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What types expressions of one process.
pub(crate) struct Typing<'a> {
    /// The process.
    pub(crate) document: &'a Process,
    /// What it is compiled against.
    pub(crate) world: &'a World<'a>,
    /// The graph and its steps.
    pub(crate) flow: &'a Flow<'a>,
    /// What could not be read, and may declare a name that is not known.
    pub(crate) unread: Unread,
    /// Whether the text could be read whole. If not, a `required` or `min` may be what could not be read.
    pub(crate) whole: bool,
    /// Whether names with two meanings are reported already.
    pub(crate) clash: bool,
    /// What is wrong.
    pub(crate) diagnostics: Vec<Diagnostic>,
}

/// How much of the text was understood.
pub(crate) struct Reading {
    /// Whether all of it was.
    pub(crate) whole: bool,
    /// What was not, and may declare names.
    pub(crate) unread: Unread,
}

/// Puts a definition together, with what is certain before each step. What could not be typed is left out and
/// reported.
pub(crate) fn definition(
    document: &Process,
    flow: &Flow<'_>,
    names: &Names,
    reading: Reading,
    world: &World<'_>,
    diagnostics: &mut Vec<Diagnostic>,
) -> (Definition, BTreeMap<StepId, assigned::Certain>) {
    let mut typing = Typing {
        document,
        world,
        flow,
        unread: reading.unread,
        whole: reading.whole,
        clash: names.clash,
        diagnostics: Vec::new(),
    };
    let fields = fields::Fields::of(document, &mut typing);
    let start = typing.start();
    let key = typing.key(&fields);
    let number = typing.number();
    let form = form::start(&document.form, &fields, &mut typing);
    let data = form::start(&document.data, &fields, &mut typing);

    let before_steps = typing.diagnostics.len();
    let mut unsure: BTreeSet<FieldName> = BTreeSet::new();
    let (steps, certain) = loop {
        let certain = assigned::before(document, flow, fields.at_start(), &unsure);
        let (steps, found) = step::steps(&fields, &certain, &mut typing);
        if found.is_subset(&unsure) {
            break (steps, certain);
        }
        typing.diagnostics.truncate(before_steps);
        unsure.extend(found);
    };

    let process = document.name.as_ref().map_or_else(String::new, |name| name.value.clone());
    let mut definition = Definition {
        title: document.title.as_ref().map_or_else(|| Text::One(process.clone()), |title| title.value.clone()),
        process: ProcessId::from(process),
        version: Version(Arc::from("")),
        number,
        key,
        headline: None,
        start,
        form,
        data,
        steps,
        graph: flow.graph.clone(),
        policy: policy(&document.policy, &Policy::default()),
        single: false,
        about: None,
        schedule: None,
        stages: IndexMap::new(),
        tables: look_up::tables(flow, world),
    };
    definition.headline = headline(&definition);
    diagnostics.append(&mut typing.diagnostics);
    (definition, certain)
}

/// A policy over the one that it departs from.
pub(crate) fn policy(written: &syntax::Policy, base: &Policy) -> Policy {
    use crate::model::definition::Nobody;
    Policy {
        own_case: written.own_case.map_or(base.own_case, |own_case| match own_case.value {
            syntax::OwnCase::Superior => OwnCase::Superior,
            syntax::OwnCase::Nobody => OwnCase::Nobody,
            syntax::OwnCase::Allow => OwnCase::Allow,
        }),
        nobody: written.nobody.map_or(base.nobody, |nobody| match nobody.value {
            syntax::Nobody::Incident => Nobody::Incident,
            syntax::Nobody::Skip => Nobody::Skip,
            syntax::Nobody::Escalate => Nobody::Escalate,
        }),
    }
}

/// The first computed amount, else the first amount.
fn headline(definition: &Definition) -> Option<FieldName> {
    let amounts = || definition.fields().filter(|(_, field)| field.kind == FieldKind::Money && !field.many);
    let computed = amounts().find(|(_, field)| field.value.is_some());
    computed.or_else(|| amounts().next()).map(|(name, _)| name.clone())
}

/// The value of a formula that is written as a constant.
pub(crate) fn constant(formula: &Formula) -> Option<&Value> {
    match formula.root.op() {
        Op::Literal(value) => Some(value),
        _ => None,
    }
}

/// The fields that a formula reads.
pub(crate) fn fields_read(formula: &Formula) -> impl Iterator<Item = &FieldName> {
    formula.reads.iter().filter_map(|read| match read {
        Read::Field(name) => Some(name),
        _ => None,
    })
}

impl Typing<'_> {
    /// Whether every case has a business number.
    pub(crate) fn numbered(&self) -> bool {
        self.document.number.is_some()
    }

    /// What is in reach everywhere: the applicant and the directory.
    pub(crate) fn everywhere(&self) -> Scope {
        Scope::new().directory(self.world.directory.clone()).applicant()
    }

    /// Types an expression; `None` if anything is wrong with it, which is reported.
    pub(crate) fn formula(&mut self, text: &FeelText, scope: &Scope, expected: &Expected) -> Option<Formula> {
        self.told(text, expression::compile(&text.text, scope, expected))
    }

    /// Types the unary tests of a column's cell; `None` if anything is wrong with them, which is reported.
    pub(crate) fn tests(&mut self, text: &FeelText, column: &str, scope: &Scope) -> Option<Formula> {
        self.told(text, expression::compile_tests(&text.text, column, scope))
    }

    fn told(&mut self, text: &FeelText, typed: Result<Formula, Vec<Fault>>) -> Option<Formula> {
        match typed {
            Ok(formula) => Some(formula),
            Err(faults) => {
                for mut fault in faults {
                    let noise = match fault.kind {
                        FaultKind::UnknownName | FaultKind::UnknownProperty => {
                            let name = text.text.get(fault.range.clone()).unwrap_or("");
                            let unlike = fault.suggestion.is_none() && fault.kind == FaultKind::UnknownName;
                            self.unread.may_declare(name.trim_matches('"')) || self.unread.no_directory && unlike
                        }
                        FaultKind::MaybeUnset | FaultKind::MaybeZeroDivision => !self.whole,
                        FaultKind::AmbiguousName => self.clash,
                        _ => false,
                    };
                    if fault.kind == FaultKind::UnknownName && fault.suggestion.is_none() {
                        let name = text.text.get(fault.range.clone()).unwrap_or("");
                        if let Some(name) = meant::instead(name, self.document, self.world) {
                            fault.hint =
                                Some(Wording::new(format!("是不是 `{name}`？"), format!("Did you mean `{name}`?")));
                            fault.suggestion = Some(name);
                        }
                    }
                    if !noise {
                        self.diagnostics.push(shown(text, fault));
                    }
                }
                None
            }
        }
    }

    fn start(&mut self) -> Vec<PositionId> {
        let scope = Scope::new().directory(self.world.directory.clone());
        let expected = Expected::Type(Typed::always(Type::Position));
        let document = self.document;
        let mut positions = Vec::new();
        for entry in &document.start {
            let Some(formula) = self.formula(entry, &scope, &expected) else { continue };
            match constant(&formula) {
                Some(Value::Position(position)) => positions.push(position.clone()),
                _ => self.diagnostics.push(Diagnostic::new(
                    Code::WrongType,
                    entry.span,
                    Wording::new(
                        "`start` 里只写岗位的名称，例如 `start: [客户专员]`",
                        "`start` takes the names of positions only, such as `start: [clerk]`",
                    ),
                )),
            }
        }
        positions
    }

    fn key(&mut self, fields: &fields::Fields<'_>) -> Option<FieldName> {
        let document = self.document;
        let key = document.key.as_ref()?;
        let scope = self.everywhere().fields(fields.anywhere());
        let formula = self.formula(key, &scope, &Expected::Any)?;
        match formula.root.op() {
            Op::Field(name) => Some(name.clone()),
            _ => {
                self.diagnostics.push(Diagnostic::new(
                    Code::WrongType,
                    key.span,
                    Wording::new(
                        "`key` 写一个字段的名称，例如 `key: customer`",
                        "`key` names one field, such as `key: customer`",
                    ),
                ));
                None
            }
        }
    }

    fn number(&mut self) -> Option<NumberPattern> {
        let written = self.document.number.as_ref()?;
        let pattern = NumberPattern::parse(&written.value);
        if pattern.is_none() {
            self.diagnostics.push(
                Diagnostic::new(
                    Code::BadNumber,
                    written.span,
                    Wording::new(
                        format!(
                            "`{}` 不能当编号规则。花括号里可以写 `{{year}}`、`{{month}}`、`{{seq:4}}`，其中 `{{seq}}` 恰好一次",
                            written.value
                        ),
                        format!(
                            "`{}` makes no business number; braces hold `{{year}}`, `{{month}}` or `{{seq:4}}`, and `{{seq}}` stands there exactly once",
                            written.value
                        ),
                    ),
                )
                .hint(Wording::new("number: \"LP-{year}-{seq:4}\"", "number: \"LP-{year}-{seq:4}\"")),
            );
        }
        pattern
    }

    /// What is in reach at a step: the fields as certain as they are there, and what steps came to.
    pub(crate) fn at_step(&self, source: &Step, fields: &fields::Fields<'_>, certain: &assigned::Certain) -> Scope {
        let scope = self.everywhere().instance(self.numbered()).fields(fields.at(certain));
        // Few expressions ask for steps, and a process may have many.
        if expressions(source).any(|text| text.text.contains("steps")) {
            return self.with_steps(scope, &certain.steps);
        }
        scope
    }

    fn with_steps(&self, mut scope: Scope, walked: &BTreeSet<StepId>) -> Scope {
        use crate::compile::lower::{Part, answers, skippable};
        use crate::model::definition::outcome;
        for placed in self.flow.steps.iter().filter(|placed| placed.part == Part::Whole) {
            let mut outcomes: Vec<String> =
                answers(placed.source).into_iter().map(|(name, _)| name.to_string()).collect();
            if outcomes.is_empty() {
                outcomes.push(outcome::DONE.to_owned());
            }
            if skippable(placed.source, self.document) {
                outcomes.push(outcome::SKIPPED.to_owned());
            }
            scope = scope.step(placed.id.clone(), outcomes, walked.contains(&placed.id));
        }
        scope
    }
}

/// Every expression of a step itself, not of the lists in it.
fn expressions(step: &Step) -> impl Iterator<Item = &FeelText> {
    let mut found: Vec<&FeelText> = step.when.iter().chain(&step.due).chain(&step.remind).collect();
    match &step.kind {
        StepKind::Approve { who } | StepKind::Task { who, .. } | StepKind::Notify { who, .. } => {
            found.extend(&who.entries);
        }
        StepKind::Choose { cases, .. } => found.extend(cases.iter().filter_map(|case| case.when.as_ref())),
        StepKind::Set { values } => found.extend(values.iter().map(|(_, text)| text)),
        StepKind::Table { with, take, .. } => found.extend(with.iter().chain(take).map(|(_, text)| text)),
        StepKind::Go { .. } | StepKind::End { .. } | StepKind::Unknown => {}
    }
    form::expressions(&step.form, &mut found);
    found.into_iter()
}

/// A fault of an expression, in the file.
fn shown(text: &FeelText, fault: Fault) -> Diagnostic {
    let length = fault.range.len();
    let span = text.span_of(fault.range);
    let Some(better) = fault.suggestion else {
        return Diagnostic::new(code(fault.kind), span, fault.message).hint_if(fault.hint);
    };
    // What is wrong and what was meant are one sentence; the mend shows the rest.
    let (message, hint) = match fault.hint {
        Some(hint) if hint.en.starts_with("Did you mean") => (
            Wording::new(
                format!("{}，是不是 `{better}`？", fault.message.zh),
                format!("{}; did you mean `{better}`?", fault.message.en),
            ),
            None,
        ),
        hint => (fault.message, hint),
    };
    let found = Diagnostic::new(code(fault.kind), span, message).hint_if(hint);
    // Where the file does not hold the expression as it is, with escapes or folded lines, a word cannot be put in.
    if (span.end - span.start) as usize == length { found.fix_word(span, better) } else { found }
}

fn code(kind: FaultKind) -> Code {
    match kind {
        FaultKind::BadExpression => Code::BadExpression,
        FaultKind::ForeignSyntax => Code::ForeignSyntax,
        FaultKind::UnknownName => Code::UnknownName,
        FaultKind::AmbiguousName => Code::AmbiguousName,
        FaultKind::UnknownFunction => Code::UnknownFunction,
        FaultKind::WrongArguments => Code::WrongArguments,
        FaultKind::UnknownProperty => Code::UnknownProperty,
        FaultKind::UnlikeTypes => Code::UnlikeTypes,
        FaultKind::WrongType => Code::WrongType,
        FaultKind::UnknownOption => Code::UnknownOption,
        FaultKind::MaybeUnset => Code::MaybeUnset,
        FaultKind::MaybeZeroDivision => Code::MaybeZeroDivision,
        FaultKind::BadTemporal => Code::BadTemporal,
        FaultKind::TooComplex => Code::TooComplex,
    }
}
