//! Forms: every field with its own expressions.
//!
//! What a field's expressions may read follows from when they run: `default`, `when` and `among` while the form
//! is being filled in, when what stands further down may still be empty; `min`, `max` and `check` on a filled
//! form; `value` whenever anything changes. In a list, columns come before fields of the same name.

use crate::compile::assigned::Certain;
use crate::compile::fields::{
    Fields, asked_always, expected, is_list, keeps_default, many, may_be_missing, name_of, named, type_of, typed_of,
};
use crate::compile::typing::{Typing, fields_read};
use crate::diagnostics::{Code, Diagnostic, Spanned};
use crate::expression::{Expected, Scope};
use crate::model::file::FileRule;
use crate::model::form::{Check, Field, FieldKind, Form, whole};
use crate::model::id::{FieldName, StepId};
use crate::model::text::{Text, Wording};
use crate::model::value::{Type, Typed};
use crate::syntax::{self, FeelText, FieldType};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The start form, or the data.
pub(crate) fn start(written: &[syntax::Field], fields: &Fields<'_>, typing: &mut Typing<'_>) -> Form {
    let certain = Certain { fields: fields.at_start(), ..Certain::default() };
    let filled = typing.everywhere().fields(fields.at(&certain));
    form(written, fields, &certain, &filled, None, typing)
}

/// The form of a step, whose answers are `outcomes`.
pub(crate) fn of_step(
    source: &syntax::Step,
    step: &StepId,
    fields: &Fields<'_>,
    before: &Certain,
    outcomes: &[String],
    typing: &mut Typing<'_>,
) -> Form {
    let written = source.form.as_slice();
    if written.is_empty() {
        return Form::new();
    }
    let mut certain = before.clone();
    certain.fields.extend(written.iter().map(name_of));
    certain.asking = Some(step.clone());
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
    let home = fields.home(&first.name.value);
    let unfilled = fields.unfilled(typing, certain, written);
    let computing = fields.computing(typing, &home, &certain.fields);
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
    let value = match expected(field) {
        Expected::Type(typed) => typing.held(&field.name.value, typed),
        other => other,
    };
    let limit = typing.held(&field.name.value, Typed::always(limit_of(field)));
    for (key, text) in [("min", &field.min), ("max", &field.max)] {
        if let (Some(text), Some(kind)) = (text, field.kind.filter(|_| !has_limits(field))) {
            typing.diagnostics.push(no_limit(key, text, kind));
        }
    }
    if let Some(pattern) = &field.pattern
        && let Err(fault) = whole(&pattern.value)
    {
        typing.diagnostics.push(bad_pattern(pattern, &fault.to_string()));
    }
    let default = field.default.as_ref().and_then(|text| typing.formula(text, scopes.unfilled, &value));
    let has_default = default.as_ref().is_some_and(|default| keeps_default(field) && !default.of.optional);
    let limited = has_limits(field);
    let min = field.min.as_ref().filter(|_| limited);
    let max = field.max.as_ref().filter(|_| limited);
    let min = min.and_then(|text| typing.formula(text, present, &limit));
    let max = max.and_then(|text| typing.formula(text, present, &limit));
    Field {
        title: field.title.as_ref().map_or_else(|| Text::One(field.name.value.clone()), |title| title.value.clone()),
        help: field.help.as_ref().map(|help| help.value.clone()),
        kind: kind(field, scopes, typing),
        many: many(field),
        // A list is never null: one that is emptied is empty.
        required: field.required.is_some_and(|required| required.value) || has_default && !is_list(&own),
        may_be_missing: may_be_missing(field),
        when: field.when.as_ref().and_then(|text| typing.formula(text, scopes.filling, &Expected::condition())),
        default,
        value: field.value.as_ref().and_then(|text| typing.formula(text, scopes.computing, &value)),
        min,
        max,
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
        FieldType::File => {
            FieldKind::File(FileRule { size: field.size.map(|size| size.value), accept: field.accept.clone() })
        }
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
            FieldType::Boolean
                | FieldType::Choice
                | FieldType::Person
                | FieldType::Position
                | FieldType::Department
                | FieldType::File
        )
    });
    many(field) || !bare
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
    .hint(Wording::new(reason(why), format!("the reason: {why}")))
}

/// What is wrong with a pattern, by what the library says in English.
fn reason(why: &str) -> String {
    const SAID: [(&str, &str); 9] = [
        ("nested character classes", "方括号里不能再有字符集"),
        ("character class", "方括号 `[ ]` 没有写完整，要写方括号本身用 `\\[`、`\\]`"),
        ("group", "圆括号 `( )` 没有成对，要写括号本身用 `\\(`、`\\)`"),
        ("closing ')'", "圆括号 `( )` 没有成对，要写括号本身用 `\\(`、`\\)`"),
        ("repetition", "`*`、`+`、`?`、`{ }` 前面要有被重复的内容，次数写成 `{2}` 或 `{2,4}`"),
        ("look-around", "不支持 `(?=…)` 这种前后查看"),
        ("backreferences", "不支持 `\\1` 这种反向引用"),
        ("Unicode", "不支持 `\\p{…}`；汉字写 `[一-龥]`"),
        ("escape", "`\\` 后面的字符不对；要写 `\\` 本身用 `\\\\`"),
    ];
    match SAID.iter().find(|(said, _)| why.contains(said)) {
        Some((_, zh)) => format!("原因：{zh}"),
        None => "请检查括号和 `\\` 后面的字符".to_owned(),
    }
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
