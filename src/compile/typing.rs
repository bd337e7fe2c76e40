//! Expressions: what each is typed against, and how its faults are shown in the file.
//!
//! [`definition`] puts a process together. What is certain at a step depends on whether the values that `set`
//! writes can be null, and that depends on what is certain there. So both are found together: every `set` is
//! believed to write a value until its expression proves otherwise, and the analysis is made again.

use crate::compile::lower::{Flow, Part};
use crate::compile::resolve::Names;
use crate::compile::texts::expressions;
use crate::compile::unread::{Reading, Unread, of_lost_rows};
use crate::compile::{World, assigned, conditions, fields, form, kept, look_up, meant, outcomes, proved, rows, step};
use crate::diagnostics::{Code, Diagnostic};
use crate::expression::{self, Asked, Expected, Fault, FaultKind, Kept, Known, Scope};
use crate::model::definition::{Definition, OwnCase, Policy};
use crate::model::form::FieldKind;
use crate::model::formula::{Formula, Op, Read};
use crate::model::id::{FieldName, ProcessId, StepId, Version};
use crate::model::text::{Text, Wording};
use crate::model::value::{Type, Typed, Value};
use crate::syntax::{self, FeelText, Field, FieldType, Process, ScalarForm, Step, StepKind};
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
    /// How much of its text was understood. A `required` or `min` may be what was not.
    pub(crate) reading: Reading,
    /// Whether names with two meanings are reported already.
    pub(crate) clash: bool,
    /// What forms keep fields from.
    pub(crate) kept: Arc<Kept>,
    /// The lists that forms of steps take only with an item in them.
    pub(crate) full: Vec<&'a str>,
    /// Where each field is filled in that a form requires under a condition.
    pub(crate) asked: BTreeMap<FieldName, Asked>,
    /// The fields that are filled in wherever a step came to some answers.
    pub(crate) answered: Vec<conditions::Answered>,
    /// What is wrong.
    pub(crate) diagnostics: Vec<Diagnostic>,
}

/// Puts a definition together, with what is certain before each step and what fields are kept from. What could not be
/// typed is left out and reported.
pub(crate) fn definition(
    document: &Process,
    flow: &Flow<'_>,
    names: &Names,
    reading: Reading,
    world: &World<'_>,
    diagnostics: &mut Vec<Diagnostic>,
) -> (Definition, BTreeMap<StepId, assigned::Certain>, Arc<Kept>) {
    let mut typing = Typing { clash: names.clash, ..Typing::of(document, flow, world, reading) };
    let fields = fields::Fields::of(document, &mut typing);
    typing.asked = conditions::asked(&fields, &mut typing);
    typing.answered = conditions::answered(&fields, &mut typing);
    let start = typing.start();
    let key = typing.key(&fields);
    let headlined = typing.headline(&fields);
    let number = typing.number();
    let single = typing.single(&fields);
    let about = typing.about(&fields);
    let schedule = typing.schedule();
    let stages =
        document.stages.iter().map(|stage| (Arc::from(stage.name.value.as_str()), stage.title.clone())).collect();
    let form = form::start(&document.form, &fields, &mut typing);
    let data = form::start(&document.data, &fields, &mut typing);

    let before_steps = typing.diagnostics.len();
    let mut unsure: BTreeSet<FieldName> = BTreeSet::new();
    let proved = proved::Proved::of(&fields, &typing);
    let lists = fields.rows().iter().map(|rows| (rows.each.clone(), rows.list.clone())).collect();
    let (steps, certain) = loop {
        let mut certain = assigned::before(document, flow, &fields, &unsure, &lists);
        for (id, certain) in &mut certain {
            certain.known = proved.before(id);
        }
        let (steps, found) = step::steps(&fields, &certain, &proved, &mut typing);
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
        single,
        about,
        schedule,
        stages,
        tables: look_up::tables(flow, world),
    };
    definition.headline = headlined.or_else(|| headline(&definition));
    rows::complete(&mut definition, &fields, flow);
    diagnostics.append(&mut typing.diagnostics);
    (definition, certain, typing.kept)
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

impl<'a> Typing<'a> {
    /// Nothing has been typed yet.
    pub(crate) fn of(document: &'a Process, flow: &'a Flow<'a>, world: &'a World<'a>, reading: Reading) -> Typing<'a> {
        Typing {
            document,
            world,
            flow,
            unread: world.unread.with(&reading),
            reading,
            clash: false,
            kept: Arc::new(kept::kept(document, &world.directory)),
            full: kept::full(document),
            asked: BTreeMap::new(),
            answered: Vec::new(),
            diagnostics: Vec::new(),
        }
    }

    /// Whether every case has a business number.
    pub(crate) fn numbered(&self) -> bool {
        self.document.number.is_some()
    }

    /// What is in reach everywhere: the applicant and the directory.
    pub(crate) fn everywhere(&self) -> Scope {
        let scope = Scope::new().directory(self.world.directory.clone()).applicant();
        scope.kept(self.kept.clone())
    }

    /// What is expected where a field or a column takes a value.
    pub(crate) fn held(&self, name: &str, typed: Typed) -> Expected {
        let unit = self.kept.units.as_ref().and_then(|units| units.get(name)).copied();
        Expected::held(typed, unit)
    }

    /// Types an expression; `None` if anything is wrong with it, which is reported. One whose words are only misspelt is
    /// read as it was meant, and a condition as if it asked first for what may be unset, so that what is proved of it is
    /// told beside them.
    pub(crate) fn formula(&mut self, text: &FeelText, scope: &Scope, expected: &Expected) -> Option<Formula> {
        let typed = expression::compile(&text.text, scope, expected);
        let condition = matches!(expected, Expected::Type(typed) if typed.of == Type::Boolean);
        // Which rows are meant is known by the name as it is written.
        let faults = typed.as_ref().err().filter(|_| *expected != Expected::List);
        let meant = faults.and_then(|faults| meant::mended(&text.text, faults, condition));
        let meant = meant.and_then(|text| expression::compile(&text, scope, expected).ok());
        self.told(text, expected, typed).or(meant)
    }

    /// Types the unary tests of a column's cell; `None` if anything is wrong with them, which is reported.
    pub(crate) fn tests(&mut self, text: &FeelText, column: &str, scope: &Scope) -> Option<Formula> {
        self.told(text, &Expected::Any, expression::compile_tests(&text.text, column, scope))
    }

    fn told(&mut self, text: &FeelText, expected: &Expected, typed: Result<Formula, Vec<Fault>>) -> Option<Formula> {
        match typed {
            Ok(formula) => Some(formula),
            Err(faults) if is_plain_text(text, expected, &faults) => {
                self.diagnostics.push(syntax::quoted_text(text));
                None
            }
            Err(faults) => {
                for mut fault in faults {
                    let noise = match fault.kind {
                        _ if fault.doubtful => true,
                        FaultKind::UnknownName | FaultKind::UnknownProperty => {
                            let name = text.text.get(fault.range.clone()).unwrap_or("");
                            let unlike = fault.suggestion.is_none() && fault.kind == FaultKind::UnknownName;
                            self.unread.may_declare(name.trim_matches('"'))
                                || self.unread.no_directory && unlike
                                || fault.kind == FaultKind::UnknownProperty && of_lost_rows(name, self.document)
                        }
                        FaultKind::UnknownOption => {
                            let name = text.text.get(fault.range.clone()).unwrap_or("");
                            !self.reading.whole() && self.unread.may_declare(name.trim_matches('"'))
                        }
                        FaultKind::MaybeUnset
                        | FaultKind::MaybeZeroDivision
                        | FaultKind::MaybeBackwards
                        | FaultKind::MaybeTooFar
                        | FaultKind::MaybeTooLarge
                        | FaultKind::MaybeNobody => {
                            let read = text.text.get(fault.range.clone()).unwrap_or("");
                            self.reading.may_set(read, text.span, self.document)
                        }
                        FaultKind::AmbiguousName => self.clash,
                        _ => false,
                    };
                    if noise {
                        continue;
                    }
                    let name = text.text.get(fault.range.clone()).unwrap_or("").to_owned();
                    meant::explain(&mut fault, &name, expected, self.document, self.world);
                    meant::unlike_place(&mut fault, &text.text, expected);
                    let unset = fault.kind == FaultKind::MaybeUnset;
                    let document = self.document;
                    let asked =
                        document.form.iter().chain(document.data.iter().filter(|field| fields::may_be_missing(field)));
                    let declared = asked.filter(|_| unset).find(|field| field.name.value == name);
                    let found = shown(text, fault);
                    self.diagnostics.push(match declared {
                        Some(field) if field.when.is_some() => found.context(
                            field.name.span,
                            Wording::new("只在 `when` 成立时才填", "asked only where its `when` holds"),
                        ),
                        Some(field) if fields::may_be_missing(field) => found.context(
                            field.name.span,
                            Wording::new(
                                "这里写了 `required: false`，可以没有",
                                "declared with `required: false`: it may be missing",
                            ),
                        ),
                        Some(field) if field.required.is_some_and(|required| required.value) => found.context(
                            field.name.span,
                            Wording::new("打开表单时它还没有填", "not filled in yet as the form opens"),
                        ),
                        Some(field) if field.value.is_some() => {
                            found.context(field.name.span, why_empty(field, document))
                        }
                        Some(field) => found.context(
                            field.name.span,
                            Wording::new("这里没有写 `required: true`", "declared without `required: true`"),
                        ),
                        None => found,
                    });
                }
                None
            }
        }
    }

    /// What is in reach at a step: the fields as certain as they are there, what steps came to, and what is proved.
    pub(crate) fn at_step(&self, source: &Step, fields: &fields::Fields<'_>, certain: &assigned::Certain) -> Scope {
        self.reach(source, fields, certain).knowing(certain.known.iter().cloned())
    }

    /// The same without what conditions have proved.
    pub(crate) fn reach(&self, source: &Step, fields: &fields::Fields<'_>, certain: &assigned::Certain) -> Scope {
        let scope = self.everywhere().instance(self.numbered()).fields(fields.at(certain));
        let scope = self.knowing_full(scope, certain);
        let scope = scope.asked(self.asked_among(certain));
        // Few expressions ask for steps, and a process may have many.
        let asks = expressions(source).iter().any(|text| text.text.contains("steps"));
        let scope = if asks { self.with_steps(scope, certain) } else { scope };
        if asks || certain.known.iter().any(Known::is_of_step) {
            let answered = self.answered.iter().filter(|answered| answered.holds(certain));
            return scope.asked(answered.map(|answered| (answered.field.clone(), answered.areas.clone())));
        }
        scope
    }

    /// The fields among those that are certain that are filled in wherever a condition holds.
    pub(crate) fn asked_among(&self, certain: &assigned::Certain) -> impl Iterator<Item = (FieldName, Asked)> {
        let asked = self.asked.iter().filter(|(name, _)| certain.fields.contains(*name));
        asked.map(|(name, asked)| (name.clone(), asked.clone()))
    }

    /// The lists that earlier steps have asked for and that have items since.
    fn knowing_full(&self, scope: Scope, certain: &assigned::Certain) -> Scope {
        let asked = self.full.iter().filter(|name| certain.fields.contains(**name));
        let full = asked.flat_map(|name| expression::proved(&format!("count({name}) > 0"), &scope, true));
        let full: Vec<_> = full.collect();
        scope.knowing(full)
    }

    pub(crate) fn with_steps(&self, mut scope: Scope, certain: &assigned::Certain) -> Scope {
        for placed in self.flow.steps.iter().filter(|placed| placed.part == Part::Whole) {
            // What a row came to is known in that row only, and what is taken back is over.
            let row = self.flow.row_of(&placed.id);
            if row.is_some() && row != certain.row.as_ref() || self.flow.undo_of(&placed.id).is_some() {
                continue;
            }
            let called = match &placed.source.kind {
                StepKind::Call(call) => self.world.callees.get(call.process.value.as_str()),
                _ => None,
            };
            let called = called.map(|callee| callee.outcomes.as_slice());
            let outcomes = outcomes::all(placed.source, self.document, called);
            let unanswered = outcomes::unanswered(placed.source, &outcomes);
            scope = scope.step(placed.id.clone(), outcomes, certain.steps.contains(&placed.id));
            scope = scope.unanswered(&placed.id, unanswered);
        }
        scope
    }
}

/// Whether a text was meant whose quotes YAML takes away: it stands in quotes where a text is asked, and has nothing of
/// an expression.
fn is_plain_text(text: &FeelText, expected: &Expected, faults: &[Fault]) -> bool {
    let asked = matches!(expected, Expected::Type(typed) if typed.of == Type::Text);
    let plain = !text.text.contains(['(', '"', '+', '=', '<', '>', '{', '[', '\n']) && !text.text.starts_with("if ");
    asked && text.form.is_quoted() && plain && faults.iter().all(|fault| fault.suggestion.is_none())
}

/// Why a computed field may have no value: the list that it looks at may have no rows, or it reads what may be unset.
pub(crate) fn why_empty(field: &Field, document: &Process) -> Wording {
    let formula = field.value.as_ref().map_or("", |value| value.text.as_str());
    let reads = |name: &str| formula.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word == name);
    let is_list = |field: &Field| field.kind.as_ref().is_some_and(|kind| kind.value == FieldType::List);
    match document.form.iter().find(|list| is_list(list) && list.min.is_none() && reads(&list.name.value)) {
        Some(list) => {
            let list = &list.name.value;
            Wording::new(
                format!("由 `{list}` 的各行算出，而那里可能一行也没有；给 `{list}` 写上 `min: 1` 就至少有一行"),
                format!("computed from the rows of `{list}`, which may have none; `min: 1` of `{list}` asks for one"),
            )
        }
        None => Wording::new("它的算式读了可能没有值的内容", "computed from what may be unset"),
    }
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
    if (span.end - span.start) as usize != length {
        return found;
    }
    let written = match text.form {
        ScalarForm::Double => better.replace('\\', "\\\\").replace('"', "\\\""),
        ScalarForm::Single => better.replace('\'', "''"),
        ScalarForm::Plain | ScalarForm::Literal | ScalarForm::Folded => better,
    };
    // A text at the front of a plain value would be read by YAML, which takes its quotes away.
    if text.form == ScalarForm::Plain && written.starts_with(['"', '[', '{']) && span.start == text.span.start {
        let behind = text.text.get(length..).filter(|rest| (text.span.end - span.end) as usize == rest.len());
        return match behind {
            Some(behind) => {
                found.fix_word(text.span, format!("'{}'", format!("{written}{behind}").replace('\'', "''")))
            }
            None => found,
        };
    }
    let written = if text.wants_quotes() && span == text.span { format!("'{written}'") } else { written };
    found.fix_word(span, written)
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
        FaultKind::MaybeBackwards => Code::MaybeBackwards,
        FaultKind::MaybeTooFar => Code::MaybeTooFar,
        FaultKind::MaybeTooLarge => Code::MaybeTooLarge,
        FaultKind::MaybeNobody => Code::NoApprover,
        FaultKind::BadTemporal => Code::BadTemporal,
        FaultKind::TooComplex => Code::TooComplex,
    }
}
