//! Whether a case begins as its test says: a test has nothing to show where its start is refused.
//!
//! What a form holds is for the engine to judge. Told is what is certain before: of values that could be read, by rules
//! that rest on nothing but these, on who starts the case and on when.

use super::lower::Lowering;
use crate::diagnostics::{Code, Diagnostic, quoted_list};
use crate::expression::{self, Context, beside, counts_working_time};
use crate::model::definition::Definition;
use crate::model::form::{Field, FieldKind, Form};
use crate::model::formula::{Formula, Read};
use crate::model::id::{FieldName, PersonId};
use crate::model::text::{Lang, Wording};
use crate::model::value::{Record, Value, in_cents};
use crate::syntax::{self, Data, Given};

impl Lowering<'_> {
    /// Reports what the start of a test would be refused for.
    pub(super) fn begins(&mut self, start: &syntax::Start, by: Option<&PersonId>, data: &Record) {
        let Some(definition) = self.definition else { return };
        self.may_start(start, by, definition);
        let written: &[(String, Data)] = match &start.data {
            None => &[],
            Some(Given { data: Data::Map(entries), .. }) => entries,
            Some(_) => return,
        };
        // A name that means nothing is told already.
        let asked_later = |name: &str| !definition.form.contains_key(name) && data.contains_key(name);
        for (name, _) in written.iter().filter(|(name, _)| asked_later(name)) {
            let at = start.data.as_ref().map_or(start.span, |given| given.key(name));
            let said = Wording::new(
                format!("发起表单里没有 `{name}`，它是后面才有的"),
                format!("the start form has no `{name}`, which comes later"),
            );
            self.diagnostics.push(Diagnostic::new(Code::UnknownName, at, said).hint(refuse()));
        }
        let level = Level::new(&definition.form, data, written, None);
        Beginning { lowering: self, start, by }.filled(&level, "");
    }

    fn may_start(&mut self, start: &syntax::Start, by: Option<&PersonId>, definition: &Definition) {
        let person = by.and_then(|by| self.directory.people.get(by));
        let may = |position| definition.start.contains(position);
        if let (Some(person), Some(by)) = (person, &start.by)
            && !definition.start.is_empty()
            && self.people_known
            && !person.positions.iter().any(may)
        {
            let listed = quoted_list(definition.start.iter().map(|position| position.as_str()));
            let said = Wording::new(
                format!("`{}` 不能发起这个流程，能发起的岗位是 {}", by.value, listed.zh),
                format!("`{}` may not start this process; {} may", by.value, listed.en),
            );
            self.diagnostics.push(Diagnostic::new(Code::MayNotStart, by.span, said).hint(refuse()));
        }
    }
}

/// A form that is filled in: the start form, or one row of a list in it.
struct Level<'l> {
    form: &'l Form,
    /// What could be read.
    data: &'l Record,
    /// What is written.
    written: &'l [(String, Data)],
    /// What is around a row.
    outer: Option<&'l Level<'l>>,
    /// What formulas read: every field of the form, and what is around it.
    whole: Record,
}

impl<'l> Level<'l> {
    fn new(form: &'l Form, data: &'l Record, written: &'l [(String, Data)], outer: Option<&'l Level<'l>>) -> Level<'l> {
        let held = |(name, field): (&FieldName, &Field)| {
            (name.clone(), stored(field, data.get(name).cloned().unwrap_or_default()))
        };
        let mut whole = outer.map(|outer| outer.whole.clone()).unwrap_or_default();
        whole.extend(form.iter().map(held));
        Level { form, data, written, outer, whole }
    }

    fn entry(&self, name: &FieldName) -> Option<&'l Data> {
        self.written.iter().find(|(known, _)| known == name.as_str()).map(|(_, data)| data)
    }

    /// Whether a name is that of a field of which it is certain what it holds.
    fn knows(&self, name: &FieldName) -> bool {
        let Some(field) = self.form.get(name) else { return self.outer.is_some_and(|outer| outer.knows(name)) };
        let held = match self.entry(name) {
            Some(_) => self.data.contains_key(name),
            None => field.default.is_none(),
        };
        held && field.value.is_none() && field.when.is_none() && !matches!(field.kind, FieldKind::List(_))
    }
}

/// The start of a test, as it is judged.
struct Beginning<'b, 'a> {
    lowering: &'b mut Lowering<'a>,
    start: &'b syntax::Start,
    by: Option<&'b PersonId>,
}

impl Beginning<'_, '_> {
    /// Judges the fields of a level, by the path of that within the data.
    fn filled(&mut self, level: &Level<'_>, path: &str) {
        let mut left_out = Vec::new();
        for (name, field) in level.form.iter().filter(|(_, field)| field.value.is_none()) {
            let holds = |when| self.reckoned(when, level) == Some(Value::Boolean(true));
            if !field.when.as_ref().is_none_or(holds) {
                continue;
            }
            let path = if path.is_empty() { name.to_string() } else { format!("{path}.{name}") };
            match (level.data.get(name), level.entry(name)) {
                (Some(value), entry) if !is_blank(value) => {
                    self.keeps(field, &stored(field, value.clone()), level, &path);
                    if let (FieldKind::List(columns), Some(Data::List(written))) = (&field.kind, entry) {
                        self.rows((value, columns, written), level, &path);
                    }
                }
                // What is written and could not be read is told.
                (None, Some(_)) => {}
                (_, entry) => {
                    let filled_in = field.default.is_some() && entry.is_none();
                    left_out.extend(((field.required || field.wants_one()) && !filled_in).then_some(name.as_str()));
                }
            }
        }
        // What is there under a name that means nothing may be what is missing.
        let means = |name: &str| level.form.contains_key(name) || level.data.contains_key(name);
        let unknown = level.written.iter().any(|(name, _)| !means(name));
        if !left_out.is_empty() && !unknown && self.start.whole {
            let listed = quoted_list(left_out);
            let said = Wording::new(
                format!("发起时必须填 {}，这里没有", listed.zh),
                format!("the start form requires {}, and this start does not give it", listed.en),
            );
            self.report(Code::MissingKey, path, said);
        }
    }

    fn rows(&mut self, (value, columns, written): (&Value, &Form, &[Data]), around: &Level<'_>, path: &str) {
        for (number, (written, row)) in written.iter().zip(value.as_list().unwrap_or_default()).enumerate() {
            if let (Data::Map(written), Value::Record(row)) = (written, row) {
                self.filled(&Level::new(columns, row, written, Some(around)), &format!("{path}.{number}"));
            }
        }
    }

    /// Reports which rules of its field a value does not keep.
    fn keeps(&mut self, field: &Field, value: &Value, level: &Level<'_>, path: &str) {
        let mut broken: Vec<Wording> = Vec::new();
        let rule = |key: &str, text: &str| Wording::new(format!("`{key}: {text}`"), format!("`{key}: {text}`"));
        for (key, limit, low) in [("min", &field.min, true), ("max", &field.max, false)] {
            let Some(formula) = limit else { continue };
            // Moments are compared to the minute.
            let bound = self.reckoned(formula, level).filter(|_| !matches!(value, Value::DateTime(_)));
            let side = bound.and_then(|bound| beside(value, &bound));
            if side.is_some_and(|side| if low { side.is_lt() } else { side.is_gt() }) {
                broken.push(rule(key, &formula.text));
            }
        }
        if let Some(pattern) = field.pattern.as_ref().filter(|_| !field.keeps_pattern(value)) {
            broken.push(rule("pattern", pattern));
        }
        if let Some(check) = &field.check
            && self.reckoned(&check.that, level) == Some(Value::Boolean(false))
        {
            let (zh, en) = (check.say.get(Lang::Zh), check.say.get(Lang::En));
            broken.push(Wording::new(format!("`check`：{zh}"), format!("`check`: {en}")));
        }
        let items = value.as_list().unwrap_or(std::slice::from_ref(value));
        if let FieldKind::Person(Some(among)) = &field.kind
            && let Some(Value::List(offered)) = self.reckoned(among, level)
            && offered.iter().all(|one| matches!(one, Value::Person(_)))
            && !items.iter().all(|one| offered.contains(one))
        {
            broken.push(rule("among", &among.text));
        }
        for rule in broken {
            let said = Wording::new(
                format!("`{path}` 不符合字段的 {}，这样发起会被拒绝", rule.zh),
                format!("`{path}` does not keep {} of its field, so this start is refused", rule.en),
            );
            self.report(Code::BadValue, path, said);
        }
        if let FieldKind::File(rule) = &field.kind {
            let refused =
                items.iter().filter_map(|item| if let Value::File(file) = item { rule.refuses(file) } else { None });
            refused.for_each(|what| self.report(Code::BadValue, path, what));
        }
    }

    /// What a formula comes to, if all that it reads is certain.
    fn reckoned(&self, formula: &Formula, level: &Level<'_>) -> Option<Value> {
        let Lowering { directory, calendar, now, people_known, now_known, .. } = *self.lowering;
        let known = |read: &Read| match read {
            Read::Field(name) => level.knows(name),
            Read::Applicant => self.by.is_some() && people_known,
            Read::Now => now_known,
            Read::Directory => people_known,
            Read::Step(_) | Read::Assignee | Read::Outcome | Read::Instance => false,
        };
        if !formula.reads.iter().all(known) || counts_working_time(formula) {
            return None;
        }
        let context = Context::new(&level.whole, directory, calendar, now);
        expression::evaluate(formula, &Context { applicant: self.by, ..context }).ok()
    }

    /// Reports what is wrong at a path of the data; at the whole of it where that is empty.
    fn report(&mut self, code: Code, path: &str, said: Wording) {
        let given = self.start.data.as_ref().filter(|_| !path.is_empty());
        let at = given.map_or(self.start.span, |given| given.place(path));
        self.lowering.diagnostics.push(Diagnostic::new(code, at, said).hint(refuse()));
    }
}

fn is_blank(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Text(text) => text.trim().is_empty(),
        Value::List(items) => items.is_empty(),
        _ => false,
    }
}

/// A value as its field stores it.
fn stored(field: &Field, value: Value) -> Value {
    match value {
        Value::Number(number) if field.kind == FieldKind::Money => Value::Number(in_cents(number)),
        Value::Null if field.is_several() => Value::List(Vec::new()),
        value => value,
    }
}

fn refuse() -> Wording {
    Wording::new(
        "如果就是要看它被拒绝，把 `start` 写进 `do` 的 `refuse` 里",
        "where the refusal is what the test shows, write that `start` into a `refuse` of `do`",
    )
}
