//! Decision tables: columns as fields, cells typed against them, and what the hit policy asks of the columns.
//!
//! Inputs are the names that cells can use, beside positions and departments; a table knows no case, so that it
//! answers the same for every process. Limits and defaults of columns are constants: proofs rest on them.

use crate::compile::check;
use crate::compile::fields::{Fields, name_of};
use crate::compile::lost::Lost;
use crate::compile::typing::{Typing, constant};
use crate::compile::unread::Reading;
use crate::compile::{World, form, lower, meant, resolve};
use crate::diagnostics::{Code, Context, Diagnostic, Span, Spanned};
use crate::expression::{self, Expected, Scope, is_constant, passes_null, told_by};
use crate::model::form::{FieldKind, Form};
use crate::model::formula::Formula;
use crate::model::rule::{Aggregate, Hit, Rule, Table};
use crate::model::text::{Text, Wording};
use crate::model::value::{Type, Typed};
use crate::syntax::{self, FeelText, FieldType, Process};
use std::collections::{BTreeMap, BTreeSet};

/// The decision tables of a folder.
#[derive(Default)]
pub(crate) struct Tables {
    /// Those without fault, by name.
    pub(crate) sound: BTreeMap<String, Table>,
    /// The names of all of them.
    pub(crate) named: BTreeSet<String>,
    /// Whether a name that is not among them does not exist.
    pub(crate) whole: bool,
}

/// A table in all its forms, to be checked.
pub(crate) struct Decision<'a> {
    /// As written.
    pub(crate) document: &'a syntax::Table,
    /// As it would be looked up.
    pub(crate) table: &'a Table,
    /// What of it is not known.
    pub(crate) lost: &'a Lost,
}

/// Lowers and checks a table; `None` where anything is wrong with it, which is reported.
pub(crate) fn lower(
    document: &syntax::Table,
    reading: Reading,
    world: &World<'_>,
    diagnostics: &mut Vec<Diagnostic>,
) -> Option<Table> {
    let before = diagnostics.len();
    let mut lost = Lost::default();
    let table = typed(document, &reading, world, &mut lost, diagnostics);
    let found = diagnostics.get(before..).unwrap_or_default().iter();
    let errors: Vec<Span> = found.filter(|found| found.is_error()).map(|found| found.span).collect();
    lost.unread(document, &reading);
    errors.iter().for_each(|at| lost.fault(document, *at));
    // Without the directory positions are not told apart.
    let of_people = |input: &&syntax::Field| {
        let kind = input.kind.map(|kind| kind.value);
        matches!(kind, Some(FieldType::Person | FieldType::Position | FieldType::Department))
    };
    let not_told_apart = document.inputs.iter().filter(of_people).filter(|_| !world.people_known);
    not_told_apart.for_each(|input| lost.column(document, &input.name.value));
    check::tables(&Decision { document, table: &table, lost: &lost }, diagnostics);
    let sound = !crate::diagnostics::has_errors(diagnostics.get(before..).unwrap_or_default());
    sound.then_some(table)
}

fn typed(
    document: &syntax::Table,
    reading: &Reading,
    world: &World<'_>,
    lost: &mut Lost,
    diagnostics: &mut Vec<Diagnostic>,
) -> Table {
    let mut inputs = document.inputs.clone();
    for input in &mut inputs {
        let given = Spanned::new(true, input.name.span);
        input.required.get_or_insert(given);
    }
    let twice = |output: &&syntax::Field| inputs.iter().any(|input| input.name.value == output.name.value);
    for output in document.outputs.iter().filter(twice) {
        diagnostics.push(both(output));
    }
    let outputs: Vec<syntax::Field> = document.outputs.iter().filter(|output| !twice(output)).cloned().collect();
    let head = |form: Vec<syntax::Field>| pretended(document.key_span, form);
    let all = head(inputs.iter().chain(&outputs).cloned().collect());
    let clash = resolve::names(&all, &world.declared, diagnostics).clash;
    let (asking, answering) = (head(inputs), head(outputs));
    let [inputs, outputs] = [&asking, &answering].map(|document| {
        let flow = lower::lower(document);
        let mut typing = Typing { clash, ..Typing::of(document, &flow, world, reading.clone()) };
        let fields = Fields::of(document, &mut typing);
        let mut form = form::start(&document.form, &fields, &mut typing);
        // The default of a column answers where no rule hits, and for none that does.
        for column in &document.form {
            let required = column.required.is_some_and(|required| required.value);
            form.entry(name_of(column)).and_modify(|field| field.required = required);
        }
        constants(&document.form, &form, &mut typing.diagnostics);
        diagnostics.append(&mut typing.diagnostics);
        form
    });
    let flow = lower::lower(&asking);
    let mut typing = Typing { clash, ..Typing::of(&asking, &flow, world, reading.clone()) };
    let hit = document.hit.map_or(Hit::First, |hit| hit.value);
    // A column whose type could not be read says nothing of its cells.
    let columns = || document.inputs.iter().chain(&document.outputs);
    let untyped = |name: &str| columns().any(|column| column.name.value == name && column.kind.is_none());
    let rules = document.rules.iter().enumerate().map(|(number, written)| {
        let mut written = written.clone();
        let of_untyped = written.cells.extract_if(.., |(column, _)| untyped(&column.value));
        written.unread.extend(of_untyped.map(|(column, _)| column.value));
        let before = typing.diagnostics.len();
        let rule = rule((number, &written), &inputs, &outputs, lost, &mut typing);
        for found in typing.diagnostics.iter_mut().skip(before) {
            beside_type(found, &written, document);
        }
        rule
    });
    let rules = rules.collect();
    diagnostics.append(&mut typing.diagnostics);
    let name = document.name.as_ref().map_or_else(String::new, |name| name.value.clone());
    let title = document.title.as_ref().map_or(Text::One(name), |title| title.value.clone());
    let table = Table { title, inputs, outputs, hit, rules };
    if let Some(written) = document.hit {
        diagnostics.extend(policy(written.span, &table));
    }
    table
}

/// Shows beside a cell of the wrong type what its column asks for.
fn beside_type(found: &mut Diagnostic, rule: &syntax::Rule, document: &syntax::Table) {
    let within = |text: &FeelText| text.span.holds(found.span);
    let cell = rule.cells.iter().find(|(_, text)| within(text));
    let mut columns = document.inputs.iter().chain(&document.outputs);
    let column = cell.and_then(|(name, _)| columns.find(|column| column.name.value == name.value));
    if let (Code::WrongType | Code::UnlikeTypes, Some(kind)) = (found.code, column.and_then(|column| column.kind)) {
        found
            .context
            .push(Context { span: kind.span, text: Wording::new("这一列的类型", "the type of the column") });
    }
}

/// A process that asks nothing but these fields: columns are typed as its form.
pub(super) fn pretended(key_span: Span, form: Vec<syntax::Field>) -> Process {
    Process {
        name: None,
        key_span,
        title: None,
        number: None,
        key: None,
        headline: None,
        start: Vec::new(),
        form,
        data: Vec::new(),
        steps: Vec::new(),
        policy: syntax::Policy::default(),
        single: None,
        about: None,
        schedule: None,
        stages: Vec::new(),
    }
}

fn rule(
    (number, written): (usize, &syntax::Rule),
    inputs: &Form,
    outputs: &Form,
    lost: &mut Lost,
    typing: &mut Typing<'_>,
) -> Rule {
    let note = written.note.as_ref().map(|note| note.value.clone());
    let mut rule = Rule { note, when: Default::default(), then: Default::default() };
    let scope = Scope::new().directory(typing.world.directory.clone()).kept(typing.kept.clone());
    let asking = scope.clone().fields(inputs.iter().map(|(name, field)| (name.clone(), field.typed())));
    for (column, text) in &written.cells {
        let Some((name, _)) = inputs.get_key_value(column.value.as_str()) else { continue };
        match tests(text, name.as_str(), &asking, typing) {
            Some(tests) => {
                rule.when.insert(name.clone(), tests);
            }
            None => lost.asks(number, name.as_str()),
        }
    }
    // What a rule asks something of is set where it hits.
    let known = inputs.iter().map(|(name, field)| {
        let typed = field.typed();
        let asked = rule.when.get(name).is_some_and(|tests| !passes_null(tests));
        (name.clone(), Typed { optional: typed.optional && !asked, ..typed })
    });
    let proved = rule.when.values().flat_map(expression::proved_by);
    let answering = scope.fields(known).knowing(proved);
    for (column, text) in &written.cells {
        let Some((name, field)) = outputs.get_key_value(column.value.as_str()) else { continue };
        let typed = Typed { optional: !field.required, of: field.typed().of };
        let expected = Expected::held(typed, told_by(field).map(|told| told.unit()));
        let Some(value) = typing.formula(text, &answering, &expected) else {
            lost.answers(number, name.as_str());
            continue;
        };
        if let Some(value) = constant(&value)
            && !value.is_null()
            && !crate::expression::can_answer(field, value)
        {
            typing.diagnostics.push(out_of_bounds(text, column));
            lost.answers(number, name.as_str());
        }
        rule.then.insert(name.clone(), value);
    }
    // What could not be read may be meant for it, unless that is an input.
    let hidden = |name: &str| {
        let mut unread = written.unread.iter().filter(|key| *key != syntax::NOTE);
        unread.any(|key| key == name || !inputs.contains_key(key.as_str()) && !outputs.contains_key(key.as_str()))
    };
    for (name, field) in outputs.iter().filter(|(name, _)| !written.gives(name.as_str())) {
        if field.required && !hidden(name.as_str()) {
            typing.diagnostics.push(missing_output(written.span, name.as_str()));
            lost.answers(number, name.as_str());
        }
    }
    rule
}

/// What a cell asks; as it was meant where its words are only misspelt, which is told.
fn tests(text: &FeelText, column: &str, scope: &Scope, typing: &mut Typing<'_>) -> Option<Formula> {
    typing.tests(text, column, scope).or_else(|| {
        let faults = expression::compile_tests(&text.text, column, scope).err()?;
        expression::compile_tests(&meant::mended(&text.text, &faults, false)?, column, scope).ok()
    })
}

/// Limits of columns that nothing keeps, and limits and defaults that are not the same always.
fn constants(written: &[syntax::Field], form: &Form, diagnostics: &mut Vec<Diagnostic>) {
    for column in written {
        let Some(field) = form.get(&name_of(column)) else { continue };
        diagnostics.extend(check::reversed_limits(column, field));
        let lengths = column.kind.is_some() && matches!(field.kind, FieldKind::Text | FieldKind::LongText);
        for (key, text, formula) in [
            ("min", &column.min, &field.min),
            ("max", &column.max, &field.max),
            ("default", &column.default, &field.default),
        ] {
            let (Some(text), Some(formula)) = (text, formula) else { continue };
            if lengths && key != "default" {
                diagnostics.push(Diagnostic::new(
                    Code::KeyOfOtherField,
                    text.span,
                    Wording::new(
                        format!("决策表的文字列没有 `{key}`。请删掉它"),
                        format!("a text column of a decision table takes no `{key}`; delete it"),
                    ),
                ));
            } else if !is_constant(formula) {
                diagnostics.push(Diagnostic::new(
                    Code::WrongType,
                    text.span,
                    Wording::new(
                        format!("决策表一列的 `{key}` 写固定的值，例如 `{key}: 25 %`"),
                        format!("`{key}` of a column is a fixed value, such as `{key}: 25 %`"),
                    ),
                ));
            }
        }
    }
}

/// What the hit policy asks of the outputs.
fn policy(span: Span, table: &Table) -> Option<Diagnostic> {
    if table.hit.asks_order() && table.ordering().next().is_none() && !table.outputs.is_empty() {
        let word = table.hit.word();
        return Some(
            Diagnostic::new(
                Code::MissingOrder,
                span,
                Wording::new(
                    format!("`{word}` 按输出选项的先后排序，可是没有一个输出是 `type: choice`"),
                    format!("`{word}` goes by the order of an output's options, and no output is a `type: choice`"),
                ),
            )
            .hint(Wording::new(
                "给输出写上选项，最优先的在前：options: [high, low]",
                "give an output its options, the most wanted first: options: [high, low]",
            )),
        );
    }
    let Hit::Collect(aggregate) = table.hit else { return None };
    if aggregate == Aggregate::List || table.outputs.is_empty() {
        return None;
    }
    let number = |of: Type| matches!(of, Type::Number | Type::Money | Type::Any);
    let fits = |field: &crate::model::form::Field| aggregate == Aggregate::Count || number(field.typed().of);
    let word = table.hit.word();
    (table.outputs.len() != 1 || !table.outputs.values().all(fits)).then(|| {
        Diagnostic::new(
            Code::BadAggregate,
            span,
            Wording::new(
                format!("`{word}` 只用于恰好有一个数字或金额输出的表。请改成 `collect`，或只留一个输出"),
                format!(
                    "`{word}` needs exactly one output, a number or an amount; write `collect`, or keep one output"
                ),
            ),
        )
    })
}

fn both(output: &syntax::Field) -> Diagnostic {
    let name = &output.name.value;
    Diagnostic::new(
        Code::RepeatedName,
        output.name.span,
        Wording::new(
            format!("`{name}` 已经是输入了，规则里分不清是哪一个。输出请换个名称"),
            format!("`{name}` is an input already, and a rule could not tell them apart; rename the output"),
        ),
    )
}

fn missing_output(span: Span, name: &str) -> Diagnostic {
    Diagnostic::new(
        Code::MissingKey,
        span,
        Wording::new(
            format!("这条规则没有给出 `{name}`，而这一列是必填的（`required: true`）"),
            format!("this rule does not give `{name}`, and its column says `required: true`"),
        ),
    )
}

fn out_of_bounds(text: &FeelText, column: &Spanned<String>) -> Diagnostic {
    Diagnostic::new(
        Code::OutOfBounds,
        text.span,
        Wording::new(
            format!("`{}` 超出了 `{}` 这一列的范围。请改它，或改这一列的 `min`、`max`", text.text, column.value),
            format!(
                "`{}` is beyond what the column `{}` allows; change it, or the column's `min` and `max`",
                text.text, column.value
            ),
        ),
    )
}
