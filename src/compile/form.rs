//! Forms: the types of fields, and their own expressions.
//!
//! What a field's expressions may read follows from when they run: `default`, `when` and `among` while the form
//! is being filled in, when what stands further down may still be empty; `min`, `max` and `check` on a filled
//! form; `value` whenever anything changes. In a list, columns come before fields of the same name.

use crate::compile::assigned::Certain;
use crate::compile::typing::{Typing, fields_read};
use crate::diagnostics::{Code, Diagnostic, Span, Spanned};
use crate::expression::{Expected, Scope};
use crate::model::form::{Check, Field, FieldKind, Form};
use crate::model::id::FieldName;
use crate::model::text::{Text, Wording};
use crate::model::value::{Type, Typed};
use crate::syntax::{self, FeelText, FieldType, Process};
use indexmap::IndexMap;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Every field of a process with its type.
pub(crate) struct Fields<'a> {
    known: IndexMap<FieldName, Known<'a>>,
}

struct Known<'a> {
    field: &'a syntax::Field,
    home: Home,
    /// What it holds once it was asked or written.
    typed: Typed,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Home {
    Start,
    Data,
    /// The form of a step, by its number in the text.
    Step(usize),
}

impl<'a> Fields<'a> {
    /// Collects the fields and finds out which defaults and computed values can be null.
    pub(crate) fn of(document: &'a Process, typing: &mut Typing<'_>) -> Fields<'a> {
        let mut fields = Fields { known: IndexMap::new() };
        let mut declare = |field: &'a syntax::Field, home: Home| {
            let mut typed = typed_of(field);
            // Steps write it: it is null only until then.
            typed.optional &= home != Home::Data;
            // A second declaration is reported; the first one holds.
            fields.known.entry(name_of(field)).or_insert(Known { field, home, typed });
        };
        document.form.iter().for_each(|field| declare(field, Home::Start));
        document.data.iter().for_each(|field| declare(field, Home::Data));
        let mut number = 0;
        super::resolve::walk(&document.steps, &mut |step| {
            step.form.iter().for_each(|field| declare(field, Home::Step(number)));
            number += 1;
        });
        fields.settle(typing);
        fields
    }

    /// Values that depend on values that can be null can be null too: repeated until nothing changes.
    fn settle(&mut self, typing: &mut Typing<'_>) {
        let before = typing.diagnostics.len();
        loop {
            let mut nullable = Vec::new();
            let at_start = self.at_start();
            let mut computing: BTreeMap<Home, Scope> = BTreeMap::new();
            for (name, known) in &self.known {
                if known.typed.optional {
                    continue;
                }
                let field = known.field;
                let required = field.required.is_some_and(|required| required.value);
                let formula = match (&field.value, &field.default) {
                    (Some(value), _) => {
                        let scope = computing.entry(known.home);
                        let scope = scope.or_insert_with(|| self.computing(typing, known.home, &at_start));
                        typing.formula(value, scope, &expected(field))
                    }
                    (None, Some(default)) if !required => {
                        let certain = Certain { fields: at_start.clone(), ..Certain::default() };
                        let own = if known.home == Home::Start { typing.document.form.as_slice() } else { &[] };
                        let unfilled = self.unfilled(typing, &certain, own);
                        typing.formula(default, &unfilled, &expected(field))
                    }
                    _ => None,
                };
                if formula.is_some_and(|formula| formula.of.optional) && !is_list(&known.typed) {
                    nullable.push(name.clone());
                }
            }
            typing.diagnostics.truncate(before);
            if nullable.is_empty() {
                break;
            }
            for name in nullable {
                if let Some(known) = self.known.get_mut(&name) {
                    known.typed.optional = true;
                }
            }
        }
    }

    /// Whether the process has such a field.
    pub(crate) fn contains(&self, name: &str) -> bool {
        self.known.contains_key(name)
    }

    /// Every name.
    pub(crate) fn names(&self) -> impl Iterator<Item = &FieldName> {
        self.known.keys()
    }

    /// What a `set` may write to a field, or why it may write nothing.
    pub(crate) fn writable(&self, name: &str) -> Result<Typed, Unwritable> {
        let known = self.known.get(name).ok_or(Unwritable::Unknown)?;
        match (known.home, &known.field.value) {
            (_, Some(value)) => Err(Unwritable::Computed(value.span)),
            (Home::Data, None) => Ok(Typed { optional: !is_list(&known.typed), ..known.typed.clone() }),
            (Home::Start | Home::Step(_), None) => Err(Unwritable::Asked(known.field.name.span)),
        }
    }

    /// The fields that are set when a case starts. A computed one is computed then for the first time.
    pub(crate) fn at_start(&self) -> BTreeSet<FieldName> {
        let set = |known: &Known<'_>| match known.home {
            Home::Start => true,
            Home::Data => known.field.default.is_some() || known.field.value.is_some(),
            Home::Step(_) => false,
        };
        self.known.iter().filter(|(_, known)| set(known)).map(|(name, _)| name.clone()).collect()
    }

    /// Every field with what it can hold at a place.
    pub(crate) fn at(&self, certain: &Certain) -> impl Iterator<Item = (FieldName, Typed)> {
        self.known.iter().map(|(name, known)| {
            let settled = is_list(&known.typed) || certain.fields.contains(name);
            let typed = Typed { optional: known.typed.optional || !settled, ..known.typed.clone() };
            (name.clone(), typed)
        })
    }

    /// Every field as it is wherever nothing is certain.
    pub(crate) fn anywhere(&self) -> impl Iterator<Item = (FieldName, Typed)> {
        self.known
            .iter()
            .map(|(name, known)| (name.clone(), Typed { optional: !is_list(&known.typed), ..known.typed.clone() }))
    }

    /// What the computed fields of a form may read, where `before` is certain before the form is filled in. Those
    /// of the start form come before all that a case holds besides.
    fn computing(&self, typing: &Typing<'_>, home: Home, before: &BTreeSet<FieldName>) -> Scope {
        let own = |known: &Known<'_>| known.home == home;
        let mut certain = Certain::default();
        certain.fields.extend(self.known.iter().filter(|(_, known)| own(known)).map(|(name, _)| name.clone()));
        if home != Home::Start {
            certain.fields.extend(before.iter().cloned());
        }
        typing.everywhere().fields(self.at(&certain))
    }

    /// What may be read before a form is filled in: nothing of the form itself.
    fn unfilled(&self, typing: &Typing<'_>, certain: &Certain, own: &[syntax::Field]) -> Scope {
        self.loosened(typing, certain, |field| named(own, field))
    }

    /// What may be read while a form is filled in: from the field at `at` on only what must be given, and nothing
    /// that the form computes.
    fn filling(&self, typing: &Typing<'_>, certain: &Certain, own: &[syntax::Field], at: usize) -> Scope {
        let later = own.get(at..).unwrap_or_default();
        self.loosened(typing, certain, |field| {
            named(own, field) && field.value.is_some() || named(later, field) && !asked_always(field)
        })
    }

    fn loosened(&self, typing: &Typing<'_>, certain: &Certain, loose: impl Fn(&syntax::Field) -> bool) -> Scope {
        let reached = self.at(certain).map(|(name, typed)| {
            let loose = self.known.get(&name).is_some_and(|known| loose(known.field));
            (name, Typed { optional: typed.optional || (loose && !is_list(&typed)), ..typed })
        });
        typing.everywhere().fields(reached)
    }
}

/// Why a `set` may not write to a field.
pub(crate) enum Unwritable {
    /// There is no such field.
    Unknown,
    /// It is computed, here.
    Computed(Span),
    /// People fill it in; declared here.
    Asked(Span),
}

/// The start form, or the data.
pub(crate) fn start(written: &[syntax::Field], fields: &Fields<'_>, typing: &mut Typing<'_>) -> Form {
    let certain = Certain { fields: fields.at_start(), ..Certain::default() };
    let filled = typing.everywhere().fields(fields.at(&certain));
    form(written, fields, &certain, &filled, None, typing)
}

/// The form of a step, whose answers are `outcomes`.
pub(crate) fn of_step(
    source: &syntax::Step,
    fields: &Fields<'_>,
    before: &Certain,
    outcomes: &[String],
    typing: &mut Typing<'_>,
) -> Form {
    let written = source.form.as_slice();
    let mut certain = before.clone();
    certain.fields.extend(written.iter().map(name_of));
    let filled = typing.at_step(source, fields, &certain).outcome(outcomes.iter());
    form(written, fields, &certain, &filled, Some(outcomes), typing)
}

fn form(
    written: &[syntax::Field],
    fields: &Fields<'_>,
    certain: &Certain,
    filled: &Scope,
    outcomes: Option<&[String]>,
    typing: &mut Typing<'_>,
) -> Form {
    let mut form = Form::new();
    let Some(first) = written.first() else { return form };
    let home = fields.known.get(name_of(first).as_str()).map_or(Home::Start, |known| known.home);
    let unfilled = fields.unfilled(typing, certain, written);
    let computing = fields.computing(typing, home, &certain.fields);
    for (at, field) in written.iter().enumerate() {
        let mut own = None;
        if field.when.is_some() || field.among.is_some() || !field.fields.is_empty() {
            let filling = fields.filling(typing, certain, written, at);
            own = Some(match outcomes {
                Some(outcomes) => filling.instance(typing.numbered()).outcome(outcomes.iter()),
                None => filling,
            });
        }
        let filling = own.as_ref().unwrap_or(&unfilled);
        let scopes = Scopes { unfilled: &unfilled, filling, filled, computing: &computing };
        let lowered = lower(field, &scopes, typing);
        form.entry(name_of(field)).or_insert(lowered);
    }
    ordered(form, written, typing)
}

/// Every expression of some fields and of their columns.
pub(crate) fn expressions<'f>(fields: &'f [syntax::Field], found: &mut Vec<&'f FeelText>) {
    for field in fields {
        let own = [&field.default, &field.value, &field.when, &field.min, &field.max, &field.among];
        found.extend(own.into_iter().flatten());
        found.extend(field.check.as_ref().map(|check| &check.that));
        expressions(&field.fields, found);
    }
}

/// What the expressions of a field may read.
struct Scopes<'s> {
    /// Before anything of the form is filled in.
    unfilled: &'s Scope,
    /// While it is being filled in.
    filling: &'s Scope,
    /// When it is.
    filled: &'s Scope,
    /// Whenever anything changes.
    computing: &'s Scope,
}

fn lower(field: &syntax::Field, scopes: &Scopes<'_>, typing: &mut Typing<'_>) -> Field {
    let own = typed_of(field);
    let name = name_of(field);
    // A rule is only asked of a field that is filled in.
    let mut own_scope = None;
    if field.min.is_some() || field.max.is_some() || field.check.is_some() {
        own_scope = Some(scopes.filled.clone().field(name, Typed::always(own.of.clone())));
    }
    let present = own_scope.as_ref().unwrap_or(scopes.filled);
    let value = expected(field);
    let limit = Expected::Type(Typed::always(limit_of(field)));
    for (key, text) in [("min", &field.min), ("max", &field.max)] {
        if let (Some(text), Some(kind)) = (text, field.kind.filter(|_| !has_limits(field))) {
            typing.diagnostics.push(no_limit(key, text, kind));
        }
    }
    if let Some(pattern) = &field.pattern
        && let Err(fault) = regex_lite::Regex::new(&format!("^(?:{})$", pattern.value))
    {
        typing.diagnostics.push(bad_pattern(pattern, &fault.to_string()));
    }
    let limited = has_limits(field);
    let min = field.min.as_ref().filter(|_| limited);
    let max = field.max.as_ref().filter(|_| limited);
    Field {
        title: field.title.as_ref().map_or_else(|| Text::One(field.name.value.clone()), |title| title.value.clone()),
        help: field.help.as_ref().map(|help| help.value.clone()),
        kind: kind(field, scopes, typing),
        many: many(field),
        required: field.required.is_some_and(|required| required.value),
        when: field.when.as_ref().and_then(|text| typing.formula(text, scopes.filling, &Expected::condition())),
        default: field.default.as_ref().and_then(|text| typing.formula(text, scopes.unfilled, &value)),
        value: field.value.as_ref().and_then(|text| typing.formula(text, scopes.computing, &value)),
        min: min.and_then(|text| typing.formula(text, present, &limit)),
        max: max.and_then(|text| typing.formula(text, present, &limit)),
        pattern: field.pattern.as_ref().map(|pattern| pattern.value.clone()),
        check: field.check.as_ref().and_then(|check| {
            let that = typing.formula(&check.that, present, &Expected::condition())?;
            Some(Check { that, say: check.say.value.clone() })
        }),
        unit: field.unit.as_ref().map(|unit| unit.value.clone()),
    }
}

fn kind(field: &syntax::Field, scopes: &Scopes<'_>, typing: &mut Typing<'_>) -> FieldKind {
    // A type that could not be read is reported, and the definition is not used.
    let Some(kind) = field.kind else { return FieldKind::Text };
    if let (Some(among), FieldType::Position | FieldType::Department) = (&field.among, kind.value) {
        typing.diagnostics.push(Diagnostic::new(
            Code::UnsupportedKey,
            among.span,
            Wording::new(
                "这个版本里 `among` 只用于 `type: person` 的字段，请删掉它",
                "in this version `among` works for fields of `type: person` only; delete it",
            ),
        ));
    }
    match kind.value {
        FieldType::Text => FieldKind::Text,
        FieldType::LongText => FieldKind::LongText,
        FieldType::Integer => FieldKind::Integer,
        FieldType::Decimal => FieldKind::Decimal,
        FieldType::Money => FieldKind::Money,
        FieldType::Percent => FieldKind::Percent,
        FieldType::Boolean => FieldKind::Boolean,
        FieldType::Date => FieldKind::Date,
        FieldType::DateTime => FieldKind::DateTime,
        FieldType::Duration => FieldKind::Duration,
        FieldType::Choice => FieldKind::Choice(
            field.options.iter().map(|option| (Arc::from(option.name.value.as_str()), option.title.clone())).collect(),
        ),
        FieldType::Person => FieldKind::Person(
            field.among.as_ref().and_then(|among| typing.formula(among, scopes.filling, &Expected::People)),
        ),
        FieldType::Position => FieldKind::Position,
        FieldType::Department => FieldKind::Department,
        FieldType::List => FieldKind::List(columns(&field.fields, scopes, typing)),
    }
}

/// The columns of a list: they are read by their own names, before the fields of the case.
fn columns(written: &[syntax::Field], outer: &Scopes<'_>, typing: &mut Typing<'_>) -> Form {
    let mut form = Form::new();
    let typed = |loose: &dyn Fn(&syntax::Field) -> bool| -> Vec<(FieldName, Typed)> {
        let column = |field: &syntax::Field| {
            let typed = typed_of(field);
            let optional = !is_list(&typed) && (typed.optional || loose(field));
            (name_of(field), Typed { optional, ..typed })
        };
        written.iter().map(column).collect()
    };
    let filled = outer.filling.clone().fields(typed(&|_| false));
    for (at, field) in written.iter().enumerate() {
        if let Some(first) = written.iter().take(at).find(|other| other.name.value == field.name.value) {
            typing.diagnostics.push(twice(field, first));
            continue;
        }
        let later = written.get(at..).unwrap_or_default();
        let loose = |field: &syntax::Field| field.value.is_some() || (named(later, field) && !asked_always(field));
        let filling = outer.filling.clone().fields(typed(&loose));
        let unfilled = outer.filling.clone().fields(typed(&|_| true));
        let scopes = Scopes { unfilled: &unfilled, filling: &filling, filled: &filled, computing: &filled };
        let lowered = lower(field, &scopes, typing);
        form.insert(name_of(field), lowered);
    }
    ordered(form, written, typing)
}

/// Puts computed fields after those that they are computed from, and leaves all others in their order. A circle
/// is reported.
fn ordered(form: Form, written: &[syntax::Field], typing: &mut Typing<'_>) -> Form {
    let computed: BTreeMap<&FieldName, Vec<&FieldName>> = form
        .iter()
        .filter_map(|(name, field)| Some((name, field.value.as_ref()?)))
        .map(|(name, value)| {
            let needs = fields_read(value).filter(|read| form.get(*read).is_some_and(|field| field.value.is_some()));
            (name, needs.collect())
        })
        .collect();
    if let Some(mut circle) = circle(&computed) {
        let place = |name: &FieldName| form.get_index_of(name);
        if let Some(first) = (0..circle.len()).min_by_key(|at| circle.get(*at).and_then(|name| place(name))) {
            circle.rotate_left(first);
        }
        let span = |name: &FieldName| {
            let field = written.iter().find(|field| field.name.value == name.as_str());
            field.and_then(|field| field.value.as_ref()).map(|value| value.span)
        };
        if let Some(at) = circle.first().and_then(|first| span(first)) {
            let turn: Vec<&str> = circle.iter().chain(circle.first()).map(|name| name.as_str()).collect();
            let shown = turn.join(" → ");
            typing.diagnostics.push(Diagnostic::new(
                Code::CyclicValue,
                at,
                Wording::new(
                    format!("这些字段互相计算，谁也算不出来：{shown}。请改掉其中一个 `value`"),
                    format!("these fields are computed from each other, so none can be: {shown}; change one `value`"),
                ),
            ));
        }
        return form;
    }
    let mut order: Vec<FieldName> = Vec::with_capacity(form.len());
    while order.len() < form.len() {
        let ready = |name: &FieldName| {
            let needs = computed.get(name).map_or(&[][..], Vec::as_slice);
            !order.contains(name) && needs.iter().all(|need| order.contains(*need))
        };
        let Some(next) = form.keys().find(|name| ready(name)).cloned() else { break };
        order.push(next);
    }
    let mut form = form;
    form.sort_by_cached_key(|name, _| order.iter().position(|found| found == name));
    form
}

/// Names that need each other in a ring, from the first of them.
fn circle<'n>(needs: &BTreeMap<&'n FieldName, Vec<&'n FieldName>>) -> Option<Vec<&'n FieldName>> {
    fn visit<'n>(
        at: &'n FieldName,
        needs: &BTreeMap<&'n FieldName, Vec<&'n FieldName>>,
        path: &mut Vec<&'n FieldName>,
        done: &mut BTreeSet<&'n FieldName>,
    ) -> Option<Vec<&'n FieldName>> {
        if let Some(from) = path.iter().position(|name| *name == at) {
            return path.get(from..).map(<[_]>::to_vec);
        }
        if !done.insert(at) {
            return None;
        }
        path.push(at);
        let found = needs.get(at).into_iter().flatten().find_map(|next| visit(next, needs, path, done));
        path.pop();
        found
    }
    let mut done = BTreeSet::new();
    needs.keys().find_map(|name| visit(name, needs, &mut Vec::new(), &mut done))
}

/// The type of a field's value, and whether it may be null once the form was filled in.
fn typed_of(field: &syntax::Field) -> Typed {
    let of = type_of(field);
    if matches!(of, Type::List(_)) {
        return Typed::always(of);
    }
    let filled =
        field.required.is_some_and(|required| required.value) || field.default.is_some() || field.value.is_some();
    Typed { of, optional: field.when.is_some() || !filled }
}

fn type_of(field: &syntax::Field) -> Type {
    let Some(kind) = field.kind else { return Type::Any };
    let one = match kind.value {
        FieldType::Text | FieldType::LongText => Type::Text,
        FieldType::Integer | FieldType::Decimal | FieldType::Percent => Type::Number,
        FieldType::Money => Type::Money,
        FieldType::Boolean => Type::Boolean,
        FieldType::Date => Type::Date,
        FieldType::DateTime => Type::DateTime,
        FieldType::Duration => Type::Duration,
        // Options that could not be read are no reason to refuse every comparison.
        FieldType::Choice if field.options.is_empty() => Type::Any,
        FieldType::Choice => {
            Type::Choice(field.options.iter().map(|option| Arc::from(option.name.value.as_str())).collect())
        }
        FieldType::Person => Type::Person,
        FieldType::Position => Type::Position,
        FieldType::Department => Type::Department,
        FieldType::List => {
            let columns: IndexMap<FieldName, Typed> =
                field.fields.iter().map(|column| (name_of(column), typed_of(column))).collect();
            return Type::List(Box::new(Typed::always(Type::Record(Arc::new(columns)))));
        }
    };
    if many(field) { Type::List(Box::new(Typed::always(one))) } else { one }
}

/// What `default` and `value` must yield.
fn expected(field: &syntax::Field) -> Expected {
    let of = type_of(field);
    Expected::Type(Typed { optional: !matches!(of, Type::List(_)), of })
}

/// The type of a limit: of the value itself, a text's length or a list's rows.
fn limit_of(field: &syntax::Field) -> Type {
    match type_of(field) {
        Type::Text | Type::List(_) => Type::Number,
        of => of,
    }
}

fn has_limits(field: &syntax::Field) -> bool {
    let bare = field.kind.is_some_and(|kind| {
        matches!(
            kind.value,
            FieldType::Boolean | FieldType::Choice | FieldType::Person | FieldType::Position | FieldType::Department
        )
    });
    many(field) || !bare
}

fn named(fields: &[syntax::Field], field: &syntax::Field) -> bool {
    fields.iter().any(|other| std::ptr::eq(other, field))
}

fn asked_always(field: &syntax::Field) -> bool {
    field.required.is_some_and(|required| required.value) && field.when.is_none()
}

fn many(field: &syntax::Field) -> bool {
    field.many.is_some_and(|many| many.value) && field.kind.is_none_or(|kind| kind.value != FieldType::List)
}

fn is_list(typed: &Typed) -> bool {
    matches!(typed.of, Type::List(_))
}

fn name_of(field: &syntax::Field) -> FieldName {
    FieldName::from(field.name.value.as_str())
}

fn no_limit(key: &str, text: &FeelText, kind: Spanned<FieldType>) -> Diagnostic {
    Diagnostic::new(
        Code::KeyOfOtherField,
        text.span,
        Wording::new(
            format!("`{key}` 只用于数字、金额、日期、时长、文字长度和行数，这个字段没有大小。请删掉它"),
            format!("`{key}` limits numbers, amounts, dates, durations, lengths and rows; this field has no size, so delete it"),
        ),
    )
    .context(kind.span, Wording::new("类型", "the type"))
}

fn bad_pattern(pattern: &Spanned<String>, why: &str) -> Diagnostic {
    Diagnostic::new(
        Code::BadPattern,
        pattern.span,
        Wording::new(
            format!("`{}` 不是正确的正则表达式", pattern.value),
            format!("`{}` is no valid regular expression", pattern.value),
        ),
    )
    .hint(Wording::new(format!("原因：{why}"), format!("the reason: {why}")))
}

fn twice(field: &syntax::Field, first: &syntax::Field) -> Diagnostic {
    let name = &field.name.value;
    Diagnostic::new(
        Code::RepeatedName,
        field.name.span,
        Wording::new(
            format!("这个列表里 `{name}` 写了两次，请删掉一个或改名"),
            format!("this list has `{name}` twice; delete one, or rename it"),
        ),
    )
    .context(first.name.span, Wording::new("第一次", "first here"))
}
