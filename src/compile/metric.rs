//! Metrics: each side typed against the process that it counts.
//!
//! What a case holds depends on how far it came, so every field may be unset in some case. That is no fault of the
//! metric: a case in which an expression cannot be computed is left out and counted as such when it is measured.
//! So fields are typed as if they were set, and all else (names, types, options) is as strict as anywhere.

use crate::compile::scenario::ends;
use crate::compile::table::pretended;
use crate::compile::typing::Typing;
use crate::compile::unread::Reading;
use crate::compile::{World, lower, organisation, twice};
use crate::diagnostics::{Code, Diagnostic, SourceId, Span, Spanned};
use crate::expression::{self, Expected, Scope};
use crate::model::definition::Definition;
use crate::model::form::{Field, FieldKind};
use crate::model::formula::{Formula, Op};
use crate::model::id::{FieldName, ProcessId};
use crate::model::metric::{Better, Dimension, ENDED, Every, Metric, ReadAs, STARTED, Source, Take};
use crate::model::text::{Text, Wording};
use crate::model::value::{Record, Type, Typed};
use crate::syntax::{self, FeelText, TakeWord};
use chrono::{DateTime, Utc};
use indexmap::IndexMap;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What metrics are compiled against.
pub(crate) struct Ground<'a> {
    /// All that processes are compiled against.
    pub(crate) world: &'a World<'a>,
    /// The processes without fault.
    pub(crate) definitions: &'a [Definition],
    /// The names of all processes, where all could be read.
    pub(crate) known: Option<&'a BTreeSet<&'a str>>,
}

/// The metrics of a folder.
#[derive(Default)]
pub(crate) struct Metrics {
    /// Those without fault, in the order of their files.
    pub(crate) sound: Vec<Metric>,
    /// The names of all of them.
    pub(crate) named: BTreeSet<String>,
    /// Whether the name of one could not be read.
    pub(crate) unnamed: bool,
}

/// Compiles the metrics of a folder.
pub(crate) fn metrics(
    documents: &[(SourceId, syntax::Metric)],
    broken: &BTreeSet<SourceId>,
    ground: &Ground<'_>,
    diagnostics: &mut Vec<Diagnostic>,
) -> Metrics {
    let mut metrics = Metrics::default();
    let mut first_of: BTreeMap<&str, Span> = BTreeMap::new();
    for (id, document) in documents {
        let Some(name) = &document.name else {
            metrics.unnamed = true;
            continue;
        };
        if let Some(first) = first_of.insert(name.value.as_str(), name.span) {
            diagnostics.push(twice(("指标", "metric"), &name.value, name.span, first));
            continue;
        }
        metrics.named.insert(name.value.clone());
        let before = diagnostics.len();
        let metric = metric(document, name, ground, diagnostics);
        if !broken.contains(id) && diagnostics.len() == before {
            metrics.sound.extend(metric);
        }
    }
    metrics
}

/// One source with what its numbers are.
struct Side {
    source: Source,
    money: bool,
}

fn metric(
    document: &syntax::Metric,
    name: &Spanned<String>,
    ground: &Ground<'_>,
    diagnostics: &mut Vec<Diagnostic>,
) -> Option<Metric> {
    let mut dimensions: IndexMap<Arc<str>, Dimension> = IndexMap::new();
    let mut sides = |sources: &[syntax::Source], diagnostics: &mut Vec<Diagnostic>| {
        let mut found = Vec::new();
        for written in sources {
            found.push(source(written, document, ground, &mut dimensions, diagnostics)?);
        }
        same_kind(sources, &found, diagnostics);
        Some(found)
    };
    let numerator = sides(&document.numerator, diagnostics);
    let denominator = sides(&document.denominator, diagnostics);
    let (numerator, denominator) = (numerator?, denominator?);
    let money = |sides: &[Side]| sides.first().is_some_and(|side| side.money);
    let alike = money(&numerator) == money(&denominator);
    let reading = match &document.unit {
        Some(unit) if unit.value.get(crate::model::text::Lang::En) == "%" => ReadAs::Percent,
        Some(unit) => ReadAs::Number(Some(unit.value.clone())),
        None if !denominator.is_empty() && alike => ReadAs::Percent,
        None if money(&numerator) => ReadAs::Money,
        None => ReadAs::Number(None),
    };
    let plain = |sides: Vec<Side>| sides.into_iter().map(|side| side.source).collect();
    Some(Metric {
        name: Arc::from(name.value.as_str()),
        title: document.title.as_ref().map_or_else(|| Text::One(name.value.clone()), |title| title.value.clone()),
        periods: document.periods.iter().map(|every| every.value).collect(),
        numerator: plain(numerator),
        denominator: plain(denominator),
        target: target(document, diagnostics),
        better: document.better.map_or(Better::More, |better| better.value),
        reading,
        by: dimensions,
    })
}

/// What is added up is of one kind.
fn same_kind(written: &[syntax::Source], sides: &[Side], diagnostics: &mut Vec<Diagnostic>) {
    let Some(first) = sides.first() else { return };
    for (written, _) in written.iter().zip(sides).filter(|(_, side)| side.money != first.money) {
        diagnostics.push(Diagnostic::new(
            Code::BadMeasure,
            written.span,
            Wording::new(
                "这一边的几处要加起来，可是有的是金额，有的是个数。请让它们一样",
                "the parts of this side are added up, but some are amounts and some are numbers; make them alike",
            ),
        ));
    }
}

fn source(
    written: &syntax::Source,
    document: &syntax::Metric,
    ground: &Ground<'_>,
    dimensions: &mut IndexMap<Arc<str>, Dimension>,
    diagnostics: &mut Vec<Diagnostic>,
) -> Option<Side> {
    let of = written.of.as_ref()?;
    let Some(definition) = ground.definitions.iter().find(|one| one.process.as_str() == of.value) else {
        if let Some(known) = ground.known.filter(|known| !known.contains(of.value.as_str())) {
            diagnostics.push(organisation::unknown(of, known.iter().copied(), ("流程", "process"), "processes"));
        }
        return None;
    };
    if let [_, (second, _), ..] = written.take.as_slice() {
        diagnostics.push(two_ways(second));
        return None;
    }
    let pretended = pretended(document.key_span, Vec::new());
    let flow = lower::lower(&pretended);
    let mut typing = Typing::of(&pretended, &flow, ground.world, Reading::default());
    // What cannot be computed of a case leaves it out: units are met when the values come.
    typing.kept = Arc::default();
    let scope = scope(definition, of, &mut typing);
    let each = each(written, &scope, &mut typing);
    let scope = match &each {
        Some(Some((_, alias, row))) => scope.field(alias.clone(), row.clone()),
        _ => scope,
    };
    let when = written.when.as_ref().map(|text| typing.formula(text, &scope, &Expected::condition()));
    let at = written.at.as_ref().and_then(|text| at(text, &scope, &mut typing));
    let take = take(written, &scope, &mut typing);
    let mut by = IndexMap::new();
    let own = |name: &str| written.by.iter().find(|(own, _)| own.value == name);
    let shared = document.by.iter().filter(|(name, _)| own(&name.value).is_none());
    for (name, text) in shared.chain(&written.by) {
        if let Some(formula) = dimension(text, &scope, &mut typing) {
            let words = described(&name.value, &formula, definition);
            let known = dimensions.entry(Arc::from(name.value.as_str())).or_insert_with(|| words.clone());
            known.options.extend(words.options);
            by.insert(Arc::from(name.value.as_str()), formula);
        }
    }
    diagnostics.append(&mut typing.diagnostics);
    let (take, money) = take?;
    let each = each.unwrap_or_default().map(|(list, alias, _)| (list, alias));
    Some(Side {
        source: Source { of: ProcessId::from(of.value.as_str()), each, when: when.flatten(), at: at?, take, by },
        money,
    })
}

/// The fields of the process as if they were set, and what is known of a case besides.
fn scope(definition: &Definition, of: &Spanned<String>, typing: &mut Typing<'_>) -> Scope {
    let fields = definition.fields().map(|(name, field)| (name.clone(), set(field.typed())));
    for word in [STARTED, ENDED] {
        if definition.fields().any(|(name, _)| name.as_str() == word) {
            typing.diagnostics.push(Diagnostic::new(
                Code::AmbiguousName,
                of.span,
                Wording::new(
                    format!("流程 `{}` 有一个字段叫 `{word}`，而指标里这个词是案例开始或结束的时间。请给字段换个名称", of.value),
                    format!(
                        "process `{}` has a field `{word}`, a word that in metrics means when a case began or ended; rename the field",
                        of.value
                    ),
                ),
            ));
        }
    }
    let outcomes = ends(definition);
    typing
        .everywhere()
        .instance(definition.number.is_some())
        .outcome(outcomes.iter().map(|outcome| outcome.as_str().to_owned()))
        .fields(fields)
        .field(STARTED, Typed::always(Type::DateTime))
        .field(ENDED, Typed::always(Type::DateTime))
}

/// A type as it is where everything is set, in rows too.
fn set(typed: Typed) -> Typed {
    let of = match typed.of {
        Type::List(item) => Type::List(Box::new(set(*item))),
        Type::Record(columns) => {
            Type::Record(Arc::new(columns.iter().map(|(name, typed)| (name.clone(), set(typed.clone()))).collect()))
        }
        of => of,
    };
    Typed::always(of)
}

type Rows = Option<(Formula, FieldName, Typed)>;

/// The rows that are counted; `None` where they could not be read.
fn each(written: &syntax::Source, scope: &Scope, typing: &mut Typing<'_>) -> Option<Rows> {
    let (list, alias) = match (&written.each, &written.alias) {
        (None, None) => return Some(None),
        (Some(list), Some(alias)) => (list, alias),
        (Some(list), None) => {
            typing.diagnostics.push(half(list.span, "each", "as"));
            return None;
        }
        (None, Some(alias)) => {
            typing.diagnostics.push(half(alias.span, "as", "each"));
            return None;
        }
    };
    let formula = typing.formula(list, scope, &Expected::List)?;
    let row = match &formula.of.of {
        Type::List(item) => set((**item).clone()),
        _ => Typed::always(Type::Any),
    };
    Some(Some((formula, FieldName::from(alias.value.as_str()), row)))
}

fn half(span: Span, one: &str, other: &str) -> Diagnostic {
    Diagnostic::new(
        Code::MissingKey,
        span,
        Wording::new(
            format!("`{one}` 旁边要有 `{other}`：`each` 说数哪个列表的行，`as` 说一行叫什么"),
            format!("`{one}` needs `{other}` beside it: `each` is the list whose rows are counted, `as` what a row is called"),
        ),
    )
    .hint(Wording::new("each: items, as: item", "each: items, as: item"))
}

fn two_ways(second: &Spanned<TakeWord>) -> Diagnostic {
    Diagnostic::new(
        Code::BadMeasure,
        second.span,
        Wording::new(
            "一边只数一样：`sum`、`average`、`distinct` 写一个；都不写就是数案例",
            "a side is counted in one way: write one of `sum`, `average` and `distinct`, or none to count cases",
        ),
    )
}

/// When a case counts.
fn at(text: &FeelText, scope: &Scope, typing: &mut Typing<'_>) -> Option<Formula> {
    let formula = typing.formula(text, scope, &Expected::Any)?;
    let time = |of: &Type| matches!(of, Type::Date | Type::DateTime | Type::Any);
    let fits = match &formula.of.of {
        Type::Range(of) => time(of),
        of => time(of),
    };
    if fits {
        return Some(formula);
    }
    typing.diagnostics.push(
        Diagnostic::new(
            Code::WrongType,
            text.span,
            Wording::new(
                format!("`{}` 不是时间。`at` 说案例算在哪个期间，要写日期或时间", text.text),
                format!(
                    "`{}` is no time; `at` says in which period a case counts, so it is a date or a date-time",
                    text.text
                ),
            ),
        )
        .hint(Wording::new(
            "写 `started`、`ended` 或一个日期字段；`\"[started..ended]\"` 算在它经过的每个期间",
            "write `started`, `ended` or a date field; `\"[started..ended]\"` counts in every period that it touches",
        )),
    );
    None
}

/// What is done with the cases, and whether that gives an amount.
fn take(written: &syntax::Source, scope: &Scope, typing: &mut Typing<'_>) -> Option<(Take, bool)> {
    let Some((word, text)) = written.take.first() else { return Some((Take::Count, false)) };
    let formula = typing.formula(text, scope, &Expected::Any)?;
    let of = formula.of.of.clone();
    if word.value == TakeWord::Distinct {
        return Some((Take::Distinct(formula), false));
    }
    if !matches!(of, Type::Number | Type::Money | Type::Any) {
        typing.diagnostics.push(Diagnostic::new(
            Code::WrongType,
            text.span,
            Wording::new(
                format!("`{}` 不是数字，也不是金额，不能相加或求平均", text.text),
                format!("`{}` is neither a number nor an amount, so it has no sum and no mean", text.text),
            ),
        ));
        return None;
    }
    let take = if word.value == TakeWord::Sum { Take::Sum(formula) } else { Take::Average(formula) };
    Some((take, of == Type::Money))
}

fn dimension(text: &FeelText, scope: &Scope, typing: &mut Typing<'_>) -> Option<Formula> {
    let formula = typing.formula(text, scope, &Expected::Any)?;
    if matches!(formula.of.of, Type::List(_) | Type::Record(_) | Type::Range(_) | Type::File) {
        typing.diagnostics.push(Diagnostic::new(
            Code::WrongType,
            text.span,
            Wording::new(
                format!("`{}` 不是单个的值，不能按它细分", text.text),
                format!("`{}` is not a single value, so nothing can be broken down by it", text.text),
            ),
        ));
        return None;
    }
    Some(formula)
}

/// What a dimension and its values are called.
fn described(name: &str, formula: &Formula, definition: &Definition) -> Dimension {
    let field: Option<&Field> = match formula.root.op() {
        Op::Field(name) => definition.fields().find(|(own, _)| *own == name).map(|(_, field)| field),
        _ => None,
    };
    let both = |zh: &str, en: &str| Text::Each { zh: Some(zh.to_owned()), en: Some(en.to_owned()) };
    let title = match (&formula.of.of, field) {
        (Type::Person, _) => both("人员", "Person"),
        (Type::Department, _) => both("部门", "Department"),
        (Type::Position, _) => both("岗位", "Position"),
        (_, Some(field)) => field.title.clone(),
        _ => Text::One(name.to_owned()),
    };
    let options = match field.map(|field| &field.kind) {
        Some(FieldKind::Choice(options)) => options.clone(),
        _ => IndexMap::new(),
    };
    Dimension { title, options }
}

/// What is wanted in each kind of period.
fn target(document: &syntax::Metric, diagnostics: &mut Vec<Diagnostic>) -> IndexMap<Every, rust_decimal::Decimal> {
    let mut found = IndexMap::new();
    for (every, text) in &document.target {
        let Ok(crate::model::value::Value::Number(number)) =
            expression::run(&text.text, &Record::new(), DateTime::<Utc>::default())
        else {
            diagnostics.push(
                Diagnostic::new(
                    Code::WrongType,
                    text.span,
                    Wording::new(
                        format!("目标 `{}` 不是一个固定的数", text.text),
                        format!("the target `{}` is no fixed number", text.text),
                    ),
                )
                .hint(Wording::new(
                    "写 `target: 95 %`，或按期间写 `target: { quarter: 2, year: 6 }`",
                    "write `target: 95 %`, or by period `target: { quarter: 2, year: 6 }`",
                )),
            );
            continue;
        };
        match every {
            None => found.extend(document.periods.iter().map(|every| (every.value, number))),
            Some(every) if document.periods.iter().any(|one| one.value == every.value) => {
                found.insert(every.value, number);
            }
            Some(every) => diagnostics.push(Diagnostic::new(
                Code::BadMeasure,
                every.span,
                Wording::new(
                    format!("`{0}` 有目标，可是 `periods` 里没有 `{0}`。请加上，或删掉这个目标", every.value.word()),
                    format!(
                        "there is a target for `{0}`, but `periods` has no `{0}`; add it, or delete the target",
                        every.value.word()
                    ),
                ),
            )),
        }
    }
    found
}
