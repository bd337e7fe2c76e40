//! What a process says of itself before its form and steps: who starts it and when, its number, what ties it to
//! other cases.

use crate::compile::fields::{Fields, Home, typed_of};
use crate::compile::organisation::unknown;
use crate::compile::touch::sets;
use crate::compile::typing::{Typing, constant, fields_read, why_empty};
use crate::diagnostics::{Code, Diagnostic, Fix, Spanned, quoted_list};
use crate::expression::{self, Expected, Scope};
use crate::model::control::Schedule;
use crate::model::cron::{fires_after, is_cron, wrong_field};
use crate::model::definition::NumberPattern;
use crate::model::formula::Op;
use crate::model::id::{FieldName, PositionId};
use crate::model::text::Wording;
use crate::model::value::{Type, Typed, Value};
use crate::syntax::{FeelText, Field};
use chrono::{DateTime, Utc};
use std::collections::BTreeSet;

/// The most positions that are listed.
const LISTED: usize = 12;

/// What each field of a schedule holds.
const CRON_FIELDS: [(&str, &str); 5] = [
    ("分钟写 0 到 59", "the minute, from 0 to 59"),
    ("小时写 0 到 23", "the hour, from 0 to 23"),
    ("日写 1 到 31", "the day, from 1 to 31"),
    ("月写 1 到 12，或 JAN 到 DEC", "the month, from 1 to 12 or JAN to DEC"),
    ("星期写 0 到 6（0 是星期日），或 SUN 到 SAT", "the weekday, from 0 (Sunday) to 6 or SUN to SAT"),
];

impl Typing<'_> {
    pub(super) fn start(&mut self) -> Vec<PositionId> {
        let scope = Scope::new().directory(self.world.directory.clone()).positions();
        let expected = Expected::Type(Typed::always(Type::Position));
        let document = self.document;
        let mut positions = Vec::new();
        for entry in &document.start {
            let before = self.diagnostics.len();
            let Some(formula) = self.formula(entry, &scope, &expected) else {
                self.positions_only(entry, before);
                continue;
            };
            match constant(&formula) {
                Some(Value::Position(position)) => positions.push(position.clone()),
                _ => self.diagnostics.push(Diagnostic::new(
                    Code::WrongType,
                    entry.span,
                    Wording::new(
                        "`start` 里只写岗位的名称，例如 `start: [市场专员]`",
                        "`start` takes the names of positions only, such as `start: [clerk]`",
                    ),
                )),
            }
        }
        positions
    }

    /// Takes back that a department was meant, which may start nothing.
    fn positions_only(&mut self, entry: &FeelText, before: usize) {
        let directory = &self.world.directory;
        let department = |fix: &Fix| directory.departments.contains_key(fix.replacement.as_str());
        for found in self.diagnostics.iter_mut().skip(before).filter(|found| found.fix.as_ref().is_some_and(department))
        {
            let name = Spanned::new(entry.text.trim().to_owned(), entry.span);
            let known: Vec<&str> = directory.positions.keys().map(PositionId::as_str).collect();
            let listed = quoted_list(known.iter().take(LISTED).copied());
            let more = if known.len() > LISTED { " …" } else { "" };
            *found = unknown(&name, known.into_iter(), ("岗位", "position"), "positions");
            if found.fix.is_none() {
                found.hints = vec![Wording::new(
                    format!("这里写岗位：{}{more}", listed.zh),
                    format!("positions are written here: {}{more}", listed.en),
                )];
            }
        }
    }

    pub(super) fn key(&mut self, fields: &Fields<'_>) -> Option<FieldName> {
        let document = self.document;
        let key = document.key.as_ref()?;
        let scope = self.everywhere().fields(fields.anywhere());
        let formula = self.formula(key, &scope, &Expected::Any)?;
        match formula.root.op() {
            Op::Field(name) if !matches!(formula.of.of, Type::List(_) | Type::Record(_) | Type::File) => {
                Some(name.clone())
            }
            _ => {
                self.diagnostics.push(Diagnostic::new(
                    Code::WrongType,
                    key.span,
                    Wording::new(
                        "`key` 写一个字段的名称，这个字段只有一个值，也不是文件，例如 `key: customer`",
                        "`key` names one field that holds one value and no file, such as `key: customer`",
                    ),
                ));
                None
            }
        }
    }

    /// What lists say of a case at a glance, where the process names it.
    pub(super) fn headline(&mut self, fields: &Fields<'_>) -> Option<FieldName> {
        let document = self.document;
        let headline = document.headline.as_ref()?;
        let scope = self.everywhere().fields(fields.anywhere());
        let formula = self.formula(headline, &scope, &Expected::Any)?;
        match formula.root.op() {
            Op::Field(name) if !matches!(formula.of.of, Type::List(_) | Type::Record(_)) => Some(name.clone()),
            _ => {
                self.diagnostics.push(Diagnostic::new(
                    Code::WrongType,
                    headline.span,
                    Wording::new(
                        "`headline` 写一个字段的名称，这个字段只有一个值，例如 `headline: total`",
                        "`headline` names one field that holds one value, such as `headline: total`",
                    ),
                ));
                None
            }
        }
    }

    pub(super) fn number(&mut self) -> Option<NumberPattern> {
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

    /// One open case a `key`, which therefore has to be there.
    pub(super) fn single(&mut self, fields: &Fields<'_>) -> bool {
        let Some(single) = self.document.single.filter(|single| single.value) else { return false };
        if self.document.key.is_none() && self.reading.head("key") {
            self.diagnostics.push(
                Diagnostic::new(
                    Code::MissingKey,
                    single.span,
                    Wording::new(
                        "`single: true` 表示同一个 `key` 只能有一件在办，所以要写 `key`",
                        "`single: true` allows one open case a `key`, so say with `key` which field that is",
                    ),
                )
                .hint(Wording::new("key: customer", "key: customer")),
            );
        }
        // Cases without a key are held to nothing.
        if let Some(key) = &self.document.key
            && let Some(field) = self.document.form.iter().find(|field| field.name.value == key.text.trim())
            && typed_of(field).optional
            && !self.reading.may_set(&field.name.value, key.span, self.document)
        {
            let name = &field.name.value;
            let asked = ("。请给它写上 `required: true`", "; give the field `required: true`");
            let ((zh, en), why) = match &field.value {
                Some(_) => (("", ""), why_empty(field, self.document)),
                None => (asked, Wording::new("这里没有写 `required: true`", "declared without `required: true`")),
            };
            self.diagnostics.push(
                Diagnostic::new(
                    Code::MaybeUnset,
                    key.span,
                    Wording::new(
                        format!("`{name}` 可能没有值，而没有它的申请不受 `single` 限制，能同时办好几件{zh}"),
                        format!("`{name}` may be left empty, and `single` holds back no case without it{en}"),
                    ),
                )
                .context(field.name.span, why),
            );
        }
        if let Some(key) = &self.document.key
            && let Some((field, home)) = self.known_late(key.text.trim(), fields, &mut BTreeSet::new())
            && !self.reading.may_set(&field.name.value, key.span, self.document)
        {
            let name = key.text.trim();
            let why = match home {
                Home::Data => Wording::new("开始之后才由步骤写入", "written by steps, after the start"),
                _ => Wording::new("开始之后才在某一步的表单里填写", "asked in the form of a step, after the start"),
            };
            self.diagnostics.push(
                Diagnostic::new(
                    Code::MaybeUnset,
                    key.span,
                    Wording::new(
                        format!(
                            "写了 `single`，开始时就要知道 `{name}`，因为之后没有什么能再拦住第二件。请用开始表单里 `required: true` 的字段，或由这样的字段算出"
                        ),
                        format!(
                            "with `single`, `{name}` has to be known at the start, because later nothing can be held back any more; let it be a `required` field of the start form, or computed from such"
                        ),
                    ),
                )
                .context(field.name.span, why),
            );
        }
        true
    }

    /// What gets its value only after the start, of a field and of all that it is computed from.
    fn known_late<'f>(
        &self,
        name: &str,
        fields: &'f Fields<'_>,
        seen: &mut BTreeSet<FieldName>,
    ) -> Option<(&'f Field, &'f Home)> {
        if !seen.insert(FieldName::from(name)) {
            return None;
        }
        let (home, field) = fields.declared().find(|(_, field)| field.name.value == name)?;
        if let Some(value) = &field.value {
            let scope = self.everywhere().fields(fields.settled());
            let formula = expression::compile(&value.text, &scope, &Expected::Any).ok()?;
            return fields_read(&formula).find_map(|read| self.known_late(read.as_str(), fields, seen));
        }
        let late = match home {
            Home::Start => false,
            // A default that nothing replaces is there from the start.
            Home::Data => field.default.is_none() || self.flow.steps.iter().any(|placed| sets(placed.source, name)),
            Home::Step(_) | Home::Row { .. } => true,
        };
        late.then_some((field, home))
    }

    /// Whom the case is about.
    pub(super) fn about(&mut self, fields: &Fields<'_>) -> Option<FieldName> {
        let document = self.document;
        let about = document.about.as_ref()?;
        let scope = self.everywhere().fields(fields.anywhere());
        let formula = self.formula(about, &scope, &Expected::Any)?;
        match formula.root.op() {
            Op::Field(name) if matches!(formula.of.of, Type::Person) => Some(name.clone()),
            _ => {
                self.diagnostics.push(Diagnostic::new(
                    Code::WrongType,
                    about.span,
                    Wording::new(
                        "`for` 写一个 `type: person` 的字段，例如 `for: employee`",
                        "`for` names one field of `type: person`, such as `for: employee`",
                    ),
                ));
                None
            }
        }
    }

    /// When cases start by themselves, and for whom.
    pub(super) fn schedule(&mut self) -> Option<Schedule> {
        let document = self.document;
        let schedule = document.schedule.as_ref()?;
        let scope = Scope::new().directory(self.world.directory.clone());
        let by: Vec<_> = schedule.by.iter().filter_map(|text| self.by(text, &scope)).collect();
        let cron = &schedule.cron;
        // Any instant does: whether it fires at all does not depend on it.
        let fires = fires_after(&cron.value, DateTime::<Utc>::UNIX_EPOCH, chrono_tz::UTC).is_some();
        if !fires {
            let message = if is_cron(&cron.value) {
                Wording::new("这个时间永远不会到，例如二月没有 30 日", "this never comes, as there is no such day")
            } else if let Some((at, field)) = wrong_field(&cron.value) {
                let (zh, en) = CRON_FIELDS.get(at).copied().unwrap_or_default();
                Wording::new(
                    format!("第 {} 个字段的 `{field}` 不对：{zh}", at + 1),
                    format!("field {} cannot be `{field}`: it is {en}", at + 1),
                )
            } else {
                Wording::new(
                    format!("`{}` 不是定时的写法。要写五个字段：分 时 日 月 星期", cron.value),
                    format!("`{}` is no schedule; write five fields: minute, hour, day, month, weekday", cron.value),
                )
            };
            self.diagnostics.push(
                Diagnostic::new(Code::BadSchedule, cron.span, message)
                    .hint(Wording::new("cron: \"0 16 * * FRI\"", "cron: \"0 16 * * FRI\"")),
            );
        }
        Some(Schedule { cron: cron.value.clone(), by })
    }

    fn by(&mut self, text: &FeelText, scope: &Scope) -> Option<crate::model::formula::Formula> {
        self.formula(text, scope, &Expected::People)
    }
}
