//! A percentage that is written without its sign: `25` is 2500 %. In limits and defaults, where one is written or
//! answered, and in whatever is compared with one.

use super::Subject;
use super::proof::Areas;
use crate::compile::table::Decision;
use crate::compile::texts::expressions;
use crate::diagnostics::{Code, Diagnostic, Span};
use crate::expression::fixed;
use crate::model::definition::StepKind as Kind;
use crate::model::form::{Field, FieldKind};
use crate::model::formula::{Expr, Formula, Op};
use crate::model::text::Wording;
use crate::model::value::Value;
use crate::syntax::{self, FeelText, StepKind};
use rust_decimal::Decimal;
use std::collections::BTreeSet;
use std::ops::Range;

pub(super) fn check(subject: &Subject<'_>, diagnostics: &mut Vec<Diagnostic>) {
    let percentages = Percentages::of(subject);
    subject.each_field(&mut |written, field| {
        diagnostics.extend(of(written, field));
        diagnostics.extend(percentages.within(written, field));
    });
    for placed in &subject.flow.steps {
        let Some(step) = subject.definition.steps.get(&placed.id) else { continue };
        let formulas = step.formulas();
        let of_form = |text: &FeelText| {
            let holds = |field: &syntax::Field| field.span.holds(text.span);
            placed.source.form.iter().any(holds)
        };
        for text in expressions(placed.source).into_iter().filter(|text| !of_form(text)) {
            let meant = formulas.iter().find(|formula| formula.text == text.text);
            diagnostics.extend(meant.into_iter().flat_map(|formula| percentages.compared(text, formula)));
        }
        if let (StepKind::Set { values }, Kind::Set(formulas)) = (&placed.source.kind, &step.kind) {
            let written = values.iter().filter(|(name, _)| percentages.0.contains(name.value.as_str()));
            diagnostics.extend(written.filter_map(|(name, text)| {
                let formula = formulas.get(name.value.as_str())?;
                without_sign(text, formula)
            }));
        }
    }
}

/// What is said of the cells of a table.
pub(super) fn check_table(decision: &Decision<'_>, _: &Areas, diagnostics: &mut Vec<Diagnostic>) {
    let (document, table, lost) = (decision.document, decision.table, decision.lost);
    let is = |field: Option<&Field>| field.is_some_and(|field| field.kind == FieldKind::Percent);
    for (number, (written, rule)) in document.rules.iter().zip(&table.rules).enumerate() {
        for (name, text) in written.cells.iter().filter(|(name, _)| lost.column_known(&name.value)) {
            let name = name.value.as_str();
            if let Some(cell) = rule.when.get(name).filter(|_| is(table.inputs.get(name))) {
                diagnostics.extend(bare(text, &numbers(&cell.root)));
            }
            if let Some(cell) =
                rule.then.get(name).filter(|_| is(table.outputs.get(name)) && lost.answered(number, name))
            {
                diagnostics.extend(without_sign(text, cell));
            }
        }
    }
}

/// What is said of the limits of a field or a column.
fn of(written: &syntax::Field, field: &Field) -> Vec<Diagnostic> {
    if field.kind != FieldKind::Percent {
        return Vec::new();
    }
    let keys: [(&Option<FeelText>, &Option<Formula>); 3] =
        [(&written.min, &field.min), (&written.max, &field.max), (&written.default, &field.default)];
    let meant = keys.into_iter().filter_map(|(text, formula)| Some((text.as_ref()?, formula.as_ref()?)));
    meant.filter_map(|(text, formula)| without_sign(text, formula)).collect()
}

/// The names of fields and columns that are percentages, and nothing else anywhere.
struct Percentages(BTreeSet<String>);

impl Percentages {
    fn of(subject: &Subject<'_>) -> Percentages {
        let (mut names, mut others) = (BTreeSet::new(), BTreeSet::new());
        subject.each_field(&mut |written, field| {
            let of = if field.kind == FieldKind::Percent { &mut names } else { &mut others };
            of.insert(written.name.value.clone());
        });
        Percentages(names.difference(&others).cloned().collect())
    }

    /// What is said of the expressions of a field.
    fn within(&self, written: &syntax::Field, field: &Field) -> Vec<Diagnostic> {
        let check = (written.check.as_ref().map(|check| &check.that), field.check.as_ref().map(|check| &check.that));
        let others = [
            (&written.when, &field.when),
            (&written.value, &field.value),
            (&written.default, &field.default),
            (&written.min, &field.min),
            (&written.max, &field.max),
        ];
        let all = others.into_iter().map(|(text, formula)| (text.as_ref(), formula.as_ref())).chain([check]);
        let meant = all.filter_map(|(text, formula)| text.zip(formula));
        meant.flat_map(|(text, formula)| self.compared(text, formula)).collect()
    }

    fn is(&self, expr: &Expr) -> bool {
        match expr.op() {
            Op::Field(name) | Op::Path(_, name) | Op::Column { name, .. } => self.0.contains(name.as_str()),
            _ => false,
        }
    }

    /// What is said of the numbers that an expression compares percentages with.
    fn compared(&self, text: &FeelText, formula: &Formula) -> Vec<Diagnostic> {
        if self.0.is_empty() {
            return Vec::new();
        }
        let mut found: Vec<Decimal> = Vec::new();
        formula.root.any(&mut |expr| {
            match expr.op() {
                Op::Compare(_, a, b) if self.is(a) => found.extend(number(b)),
                Op::Compare(_, a, b) if self.is(b) => found.extend(number(a)),
                Op::Between(of, low, high) if self.is(of) => found.extend([low, high].into_iter().filter_map(number)),
                Op::In(of, tests) if self.is(of) => found.extend(tests.iter().flat_map(numbers)),
                _ => {}
            }
            false
        });
        bare(text, &found)
    }
}

/// A number that stands in an expression.
fn number(expr: &Expr) -> Option<Decimal> {
    match expr.op() {
        Op::Literal(Value::Number(number)) => Some(*number),
        _ => None,
    }
}

fn numbers(expr: &Expr) -> Vec<Decimal> {
    let mut found = Vec::new();
    expr.any(&mut |part| {
        match part.op() {
            Op::Literal(Value::Range(range)) => {
                found.extend([&range.low, &range.high].into_iter().filter_map(Value::as_number));
            }
            _ => found.extend(number(part)),
        }
        false
    });
    found
}

/// What is said of numbers in a text, each where it stands bare. Where the same number stands beside what is no
/// percentage too, nobody knows which is which.
fn bare(text: &FeelText, numbers: &[Decimal]) -> Vec<Diagnostic> {
    let digits = |text: &str| text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let mut written: Vec<(Decimal, Range<usize>)> = Vec::new();
    let mut from = 0;
    while let Some(start) = text.text.get(from..).and_then(|rest| rest.find(|c: char| c.is_ascii_digit())) {
        let start = from + start;
        let (before, rest) = text.text.split_at(start);
        let whole = digits(rest);
        // Two dots are a range.
        let fraction = rest.get(whole..).and_then(|rest| rest.strip_prefix('.')).map_or(0, digits);
        let length = if fraction > 0 { whole + 1 + fraction } else { whole };
        let (word, after) = rest.split_at(length);
        from = start + length;
        let alone = !before.ends_with(|c: char| c.is_alphanumeric() || c == '_');
        if let Some(number) = word.parse().ok().filter(|_| alone && !after.trim_start().starts_with('%')) {
            written.push((number, start..from));
        }
    }
    let times = |number: &Decimal| numbers.iter().filter(|other| *other == number).count();
    let known = |number: &Decimal| written.iter().filter(|(other, _)| other == number).count() == times(number);
    let found = written.iter().filter(|(number, _)| is_beyond(*number) && known(number));
    let word = |range: &Range<usize>| text.text.get(range.clone()).unwrap_or_default();
    found.map(|(number, range)| told(text.span_of(range.clone()), word(range), *number)).collect()
}

fn without_sign(text: &FeelText, formula: &Formula) -> Option<Diagnostic> {
    let bare = text.text.trim();
    let Some(Value::Number(number)) = fixed(formula) else { return None };
    (is_beyond(number) && bare.parse::<Decimal>().is_ok()).then(|| told(text.span, bare, number))
}

/// Up to double a number may be meant as it stands.
fn is_beyond(number: Decimal) -> bool {
    number.abs() > Decimal::TWO
}

fn told(span: Span, bare: &str, number: Decimal) -> Diagnostic {
    let shown = (number * Decimal::ONE_HUNDRED).normalize();
    let meant = format!("{bare} %");
    Diagnostic::new(
        Code::BarePercent,
        span,
        Wording::new(
            format!("`{bare}` 是 {shown} %，是不是 `{meant}`？"),
            format!("`{bare}` is {shown} %; did you mean `{meant}`?"),
        ),
    )
    .fix_word(span, meant)
}
