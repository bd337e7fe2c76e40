//! Where a value goes, and what is said of one that may be beyond the limits there.
//!
//! Of a list it is judged how many rows there are, and each column by itself.

use super::impossible_field::broken;
use crate::diagnostics::{Code, Diagnostic};
use crate::expression::domain::Domain;
use crate::expression::fixed;
use crate::model::form::{Field, FieldKind};
use crate::model::formula::{Arithmetic, Expr, Formula, Op};
use crate::model::id::FieldName;
use crate::model::text::{Lang, Wording};
use crate::model::value::{Type, Value, plain};
use crate::syntax::{self, FeelText};
use rust_decimal::Decimal;

/// What an expression can come to.
pub(super) type Reckon<'r> = dyn Fn(&Expr) -> Domain + 'r;

/// Where a value goes.
pub(super) struct To<'f> {
    name: Wording,
    field: &'f Field,
    /// As it is declared, where that is in the same document.
    limit: Option<&'f syntax::Field>,
    /// The column, where it is one of a list.
    column: Option<&'f FieldName>,
}

impl<'f> To<'f> {
    pub(super) fn new(name: Wording, field: &'f Field, limit: Option<&'f syntax::Field>) -> To<'f> {
        To { name, field, limit, column: None }
    }

    /// What is wrong with a value that has to be proved to be within.
    pub(super) fn judged(&self, text: &FeelText, formula: &Formula, reckon: &Reckon<'_>) -> Vec<Diagnostic> {
        let FieldKind::List(columns) = &self.field.kind else {
            let constants: Vec<Value> = fixed(formula).into_iter().collect();
            return self.single(text, &constants, &formula.root, reckon).into_iter().collect();
        };
        let mut found: Vec<Diagnostic> = self.counted(text, formula, reckon).into_iter().collect();
        let rows = fixed(formula).and_then(|rows| rows.as_list().map(<[Value]>::to_vec)).unwrap_or_default();
        let given = |name: &FieldName| match &formula.of.of {
            Type::List(item) => !matches!(&item.of, Type::Record(columns) if !columns.contains_key(name)),
            _ => true,
        };
        for (name, column) in columns.iter().filter(|(name, column)| column.value.is_none() && given(name)) {
            let written =
                self.limit.and_then(|list| list.fields.iter().find(|field| field.name.value == name.as_str()));
            let of = Wording::new(
                format!("{} 的列 `{name}`", self.name.zh),
                format!("the column `{name}` of {}", self.name.en),
            );
            let to = To { name: of, field: column, limit: written, column: Some(name) };
            let in_row = |row: &Value| if let Value::Record(row) = row { row.get(name).cloned() } else { None };
            let constants: Vec<Value> = rows.iter().filter_map(in_row).collect();
            let all = Expr::new(Op::Path(formula.root.clone(), name.clone()));
            found.extend(to.single(text, &constants, &all, reckon));
        }
        found
    }

    /// What is wrong with a value where somebody is asked for what is refused: only what always is.
    pub(super) fn refused(&self, text: &FeelText, formula: &Formula, found: &Domain) -> Option<Diagnostic> {
        let constants: Vec<Value> = fixed(formula).into_iter().collect();
        match self.is_never_within(&constants, found) {
            true => Some(self.beyond(text, &constants)),
            false => self.fraction(text, &formula.root, found),
        }
    }

    /// What may be no whole number, or is none.
    pub(super) fn no_integer(&self, text: &FeelText, formula: &Formula, found: &Domain) -> Option<Diagnostic> {
        let constants: Vec<Value> = fixed(formula).into_iter().collect();
        match constants.iter().any(|value| self.has_fraction(value)) {
            true => Some(self.beyond(text, &constants)),
            false => self.fraction(text, &formula.root, found),
        }
    }

    fn single(&self, text: &FeelText, constants: &[Value], of: &Expr, reckon: &Reckon<'_>) -> Option<Diagnostic> {
        let (held, found) = (Domain::of_items(self.field), &reckon(of));
        if self.is_never_within(constants, found) {
            return Some(self.beyond(text, constants));
        }
        if matches!(self.field.kind, FieldKind::Text | FieldKind::LongText) && !self.field.many {
            return self.lettered(text, of, reckon);
        }
        if !held.has_limits() || held.takes(found) {
            return None;
        }
        let written = self.written(text);
        let (below, above) = held.passed_by(found);
        let limited = above.is_some();
        let (below, above) = (below.map(|low| self.shown(&low)), above.map(|high| self.shown(&high)));
        let (what, instead) = match (&below, &above) {
            (Some(low), Some(high)) => (
                (format!("比 {low} 小或比 {high} 大"), format!("less than {low} or more than {high}")),
                Some(format!("min({high}, max({low}, {written}))")),
            ),
            (Some(low), None) => {
                ((format!("比 {low} 小"), format!("less than {low}")), Some(format!("max({low}, {written})")))
            }
            (None, Some(high)) => {
                ((format!("比 {high} 大"), format!("more than {high}")), Some(format!("min({high}, {written})")))
            }
            (None, None) if !held.takes_fractions_of(found) => return self.fraction(text, of, found),
            (None, None) => (("在范围之外".to_owned(), "beyond its limits".to_owned()), None),
        };
        let ends = [below.map(|low| format!(">= {low}")), above.map(|high| format!("<= {high}"))];
        let kept: Vec<String> =
            self.column.iter().flat_map(|name| ends.iter().flatten().map(move |end| format!("{name} {end}"))).collect();
        let unset = self.column.filter(|_| self.field.typed().optional && !kept.is_empty());
        let kept = unset.map(|name| format!("{name} = null or ")).unwrap_or_default() + &kept.join(" and ");
        let help = instead.map(|instead| self.instead(&instead, &kept));
        Some(self.at_limit(self.maybe(text, &format!("可能{}", what.0), &format!("may be {}", what.1), help), limited))
    }

    /// What is wrong with how many characters a text has, where that is known.
    fn lettered(&self, text: &FeelText, of: &Expr, reckon: &Reckon<'_>) -> Option<Diagnostic> {
        let limit = |limit: &Option<Formula>| fixed(limit.as_ref()?)?.as_number();
        let (low, high) = (limit(&self.field.min), limit(&self.field.max));
        low.or(high)?;
        let length = Expr::new(Op::Call("string length".into(), vec![of.clone()]));
        let (least, most) = reckon(&length).ends();
        let low = low.filter(|low| least.is_some_and(|least| least > Decimal::ZERO && least < *low));
        let high = high.filter(|high| most.is_some_and(|most| most > *high));
        let written = self.written(text);
        let ((zh, en), help) = match (low, high) {
            (_, Some(high)) => {
                let instead = format!("substring({written}, 1, {high})");
                (
                    (format!("可能多于 {high} 个字"), format!("may have more than {high} characters")),
                    self.instead(&instead, ""),
                )
            }
            (Some(low), None) => {
                let asked = format!("when: string length({written}) >= {low}");
                let help = Wording::new(
                    format!("先判断，例如 `{asked}`，或限制它读的字段。"),
                    format!("Ask first, as with `{asked}`, or limit what it reads."),
                );
                ((format!("可能少于 {low} 个字"), format!("may have fewer than {low} characters")), help)
            }
            (None, None) => return None,
        };
        Some(self.at_limit(self.maybe(text, &zh, &en, Some(help)), high.is_some()))
    }

    /// What may be no whole number where only those are held.
    fn fraction(&self, text: &FeelText, of: &Expr, found: &Domain) -> Option<Diagnostic> {
        // Of days only those count that are over.
        let by_length = |by: &Expr| matches!(by.op(), Op::Literal(Value::Duration(_)));
        let days = matches!(of.op(), Op::Arithmetic(Arithmetic::Divide, _, by) if by_length(by));
        let (cut, places) = if days { ("floor", "") } else { ("round half up", ", 0") };
        let help = || self.instead(&format!("{cut}({}{places})", self.written(text)), "");
        let maybe = || self.maybe(text, "可能不是整数", "may be no whole number", (!self.field.many).then(help));
        (!Domain::of_items(self.field).takes_fractions_of(found)).then(maybe)
    }

    /// What is wrong with how many rows there are.
    fn counted(&self, text: &FeelText, formula: &Formula, reckon: &Reckon<'_>) -> Option<Diagnostic> {
        let limit = |limit: &Option<Formula>| fixed(limit.as_ref()?)?.as_number();
        let (low, high) = (limit(&self.field.min), limit(&self.field.max));
        let count = Expr::new(Op::Call("count".into(), vec![formula.root.clone()]));
        let (least, most) = if low.or(high).is_some() { reckon(&count).ends() } else { return None };
        if low.zip(most).is_some_and(|(low, most)| most < low)
            || high.zip(least).is_some_and(|(high, least)| least > high)
        {
            return Some(self.beyond(text, &[]));
        }
        let low = low.filter(|low| least.is_none_or(|least| least < *low));
        let high = high.filter(|high| most.is_none_or(|most| most > *high));
        let rows = |count: Decimal| if count == Decimal::ONE { "row" } else { "rows" };
        let zh = [low.map(|low| format!("少于 {low} 行")), high.map(|high| format!("多于 {high} 行"))];
        let en = [
            low.map(|low| format!("fewer than {low} {}", rows(low))),
            high.map(|high| format!("more than {high} {}", rows(high))),
        ];
        let said = |words: [Option<String>; 2], or: &str| words.into_iter().flatten().collect::<Vec<_>>().join(or);
        let (zh, en) = (said(zh, "或"), said(en, " or "));
        let asked = [low.map(|low| format!(">= {low}")), high.map(|high| format!("<= {high}"))];
        let asked = asked.into_iter().flatten().next_back()?;
        let source = source(&formula.root).map(FieldName::as_str);
        let when = format!("when: count({}) {asked}", text.text.trim());
        let help = match (source, high) {
            (Some(source), Some(high)) => {
                let first = format!("if count({source}) > {high} then sublist({source}, 1, {high}) else {source}");
                let first = if source == text.text.trim() { first } else { format!("({first})") };
                Wording::new(
                    format!("把 `{source}` 换成 `{first}`，或先判断，例如 `{when}`。"),
                    format!("Write `{first}` instead of `{source}`, or ask first, as with `{when}`."),
                )
            }
            _ => Wording::new(format!("先判断，例如 `{when}`。"), format!("Ask first, as with `{when}`.")),
        };
        let shown = self.maybe(text, &format!("可能{zh}"), &format!("may have {en}"), Some(help));
        Some(self.at_limit(shown, high.is_some()))
    }

    fn maybe(&self, text: &FeelText, zh: &str, en: &str, help: Option<Wording>) -> Diagnostic {
        let (written, name) = (&text.text, &self.name);
        let words = Wording::new(
            format!("`{written}` {zh}，而{} 不允许", name.zh),
            format!("`{written}` {en}, which {} does not allow", name.en),
        );
        Diagnostic::new(Code::MaybeOutOfBounds, text.span, words).hint_if(help)
    }

    /// The value as it is written, of which each row has its own.
    fn written<'t>(&self, text: &'t FeelText) -> &'t str {
        if self.column.is_some() { "…" } else { &text.text }
    }

    /// What to write instead; in rows, of which those may be left out that are not `kept`.
    fn instead(&self, instead: &str, kept: &str) -> Wording {
        let Some(column) = self.column else {
            return Wording::new(
                format!("写成 `{instead}`，或先判断，或限制它读的字段。"),
                format!("Write `{instead}`, or ask first, or limit what it reads."),
            );
        };
        let (zh, en) = match kept {
            "" => Default::default(),
            kept => (format!("或用 `[{kept}]` 去掉这样的行，"), format!("leave such rows out with `[{kept}]`, ")),
        };
        Wording::new(
            format!("各行写成 `{column}: {instead}`，{zh}或限制它读的字段。"),
            format!("In each row write `{column}: {instead}`, {en}or limit what it reads."),
        )
    }

    fn at_limit(&self, shown: Diagnostic, greatest: bool) -> Diagnostic {
        let limit = self.limit.and_then(|field| if greatest { field.max.as_ref() } else { field.min.as_ref() });
        match limit {
            Some(limit) => shown.context(limit.span, Wording::new("限制", "the limit")),
            None => shown,
        }
    }

    fn is_never_within(&self, constants: &[Value], found: &Domain) -> bool {
        let held = Domain::asked(self.field);
        held.has_limits() && held.is_apart_from(found)
            || constants
                .iter()
                .filter(|value| !value.is_null())
                .any(|value| broken(self.field, value).is_some() || self.has_fraction(value))
    }

    fn has_fraction(&self, value: &Value) -> bool {
        let number = value.as_number();
        Domain::asked(self.field).is_whole() && number.is_some_and(|number| !number.is_integer())
    }

    fn beyond(&self, text: &FeelText, constants: &[Value]) -> Diagnostic {
        let (written, name) = (&text.text, &self.name);
        if constants.iter().any(|value| self.has_fraction(value)) {
            return Diagnostic::new(
                Code::OutOfBounds,
                text.span,
                Wording::new(
                    format!("`{written}` 不是整数，而{} 只有整数", name.zh),
                    format!("`{written}` is no whole number, which is all that {} holds", name.en),
                ),
            );
        }
        let found = Diagnostic::new(
            Code::OutOfBounds,
            text.span,
            Wording::new(
                format!("`{written}` 超出了{} 的范围。请改它，或改那里的限制", name.zh),
                format!("`{written}` is beyond what {} allows; change it, or the limits there", name.en),
            ),
        );
        match self.limit.and_then(|field| field.max.as_ref().or(field.min.as_ref())) {
            Some(limit) => found.context(limit.span, Wording::new("限制", "the limit")),
            None => found,
        }
    }

    /// A limit as it is written in an expression.
    fn shown(&self, limit: &Value) -> String {
        match (limit, &self.field.kind) {
            (Value::Number(limit), FieldKind::Percent) => format!("{} %", (limit * Decimal::ONE_HUNDRED).normalize()),
            (Value::Number(limit), _) => limit.normalize().to_string(),
            (Value::Duration(length), _) => {
                let words = length.words(Lang::En);
                // What needs several units is written as one text.
                if words.split(' ').count() > 3 { format!("@\"{length}\"") } else { words }
            }
            (other, _) => plain(other).to_string(),
        }
    }
}

/// The list that an expression goes through, row by row.
fn source(of: &Expr) -> Option<&FieldName> {
    match of.op() {
        Op::Field(name) => Some(name),
        Op::Filter { list, .. } => source(list),
        Op::For(sources, _) => match sources.as_slice() {
            [one] if one.to.is_none() => source(&one.from),
            _ => None,
        },
        _ => None,
    }
}
