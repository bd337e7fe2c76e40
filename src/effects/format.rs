//! One value in the words of its reader. The only place that writes amounts, dates, times and names for people:
//! mail, pages and the shell all show what this file says.
//!
//! Every text that came from a person goes through [`clean`] or [`clean_line`] here, so that no control or
//! direction character of a form reaches a surface.

use crate::model::definition::Definition;
use crate::model::form::{Field, FieldKind};
use crate::model::people::Directory;
use crate::model::text::Lang;
pub use crate::model::text::{clean, clean_line};
use crate::model::time::{Moment, date_words, moment_words, weekday_words};
use crate::model::value::{Record, Value, in_cents};
use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use chrono_tz::Tz;
use rust_decimal::{Decimal, RoundingStrategy};
use std::sync::Arc;

/// For whom and when something is worded.
#[derive(Clone, Copy, Debug)]
pub struct Words<'a> {
    /// The reader's language.
    pub lang: Lang,
    /// The zone of the times that they read.
    pub zone: Tz,
    /// The zone of the calendar, in which people fill in times.
    pub home: Tz,
    /// The time of reading: years are only written where they differ.
    pub now: DateTime<Utc>,
    /// The names of people, positions and departments.
    pub directory: &'a Directory,
    /// The processes that are live, for their titles; none where no other process is spoken of.
    pub live: &'a [Arc<Definition>],
}

impl Words<'_> {
    /// Picks the words of the reader's language.
    pub fn pick<'w>(&self, zh: &'w str, en: &'w str) -> &'w str {
        match self.lang {
            Lang::Zh => zh,
            Lang::En => en,
        }
    }

    /// A moment: `3月2日 11:02`.
    pub fn moment(&self, at: DateTime<Utc>) -> String {
        moment_words(self.local(at), self.local(self.now)).get(self.lang).to_owned()
    }

    /// A moment that somebody filled in: as they did, and by whose clock where that is not the reader's.
    fn filled_in(&self, moment: &Moment) -> String {
        if moment.zone.is_some() || self.home == self.zone {
            return self.moment(moment.instant(self.home));
        }
        let at = Words { zone: self.home, ..*self }.moment(moment.instant(self.home));
        match self.lang {
            Lang::Zh => format!("{at}（{} 时间）", self.home),
            Lang::En => format!("{at} ({} time)", self.home),
        }
    }

    /// A day that must be kept: `2026年3月6日 星期五`, `Friday, 6 March 2026`.
    pub fn day(&self, date: NaiveDate) -> String {
        // An impossible “today” keeps the year in the words.
        let day = date_words(date, NaiveDate::MIN);
        let weekday = weekday_words(date);
        match self.lang {
            Lang::Zh => format!("{} {}", day.zh, weekday.zh),
            Lang::En => format!("{}, {}", weekday.en, day.en),
        }
    }

    /// A day as on a seal: `2026.03.03`.
    pub fn stamp(&self, at: DateTime<Utc>) -> String {
        self.local(at).format("%Y.%m.%d").to_string()
    }

    /// A value of a field: an empty text where nothing is set.
    pub fn value(&self, field: Option<&Field>, value: &Value) -> String {
        let text = self.bare(field, value);
        match field.and_then(|field| field.unit.as_ref()) {
            Some(unit) if matches!(value, Value::Number(_)) => format!("{text} {}", clean_line(unit.get(self.lang))),
            _ => text,
        }
    }

    /// The value that says what an instance is about: an amount with its currency sign, anything else as it is.
    pub fn headline(&self, field: Option<&Field>, value: &Value) -> String {
        match (field, value) {
            (Some(Field { kind: FieldKind::Money, unit: None, .. }), Value::Number(amount)) => {
                let sign = if amount.is_sign_negative() { "-" } else { "" };
                format!("{sign}¥{}", money(amount.abs()))
            }
            _ => self.value(field, value),
        }
    }

    fn bare(&self, field: Option<&Field>, value: &Value) -> String {
        let kind = field.map(|field| &field.kind);
        match value {
            Value::Null => String::new(),
            Value::Boolean(flag) => self.pick(if *flag { "是" } else { "否" }, if *flag { "yes" } else { "no" }).into(),
            Value::Number(number) => match kind {
                Some(FieldKind::Money) => money(*number),
                Some(FieldKind::Percent) => percent(*number),
                _ => number.normalize().to_string(),
            },
            Value::Text(text) => match kind {
                Some(FieldKind::Choice(options)) => {
                    options.get(text).map_or_else(|| clean_line(text), |title| clean_line(title.get(self.lang)))
                }
                Some(FieldKind::LongText) => clean(text),
                _ => clean_line(text),
            },
            Value::Date(date) => self.day(*date),
            Value::Time(time) => time.time.format("%H:%M").to_string(),
            Value::DateTime(moment) => self.filled_in(moment),
            Value::Duration(duration) => duration.words(self.lang),
            Value::Person(id) => clean_line(self.directory.name_of(id)),
            Value::Position(id) => clean_line(self.directory.title_of_position(id, self.lang)),
            Value::Department(id) => clean_line(self.directory.title_of_department(id, self.lang)),
            Value::File(file) => clean_line(&file.words(self.lang)),
            Value::List(items) => {
                let texts: Vec<String> = items.iter().map(|item| self.bare(field, item)).collect();
                texts.join(self.pick("、", ", "))
            }
            Value::Record(record) => self.record(kind, record),
            Value::Range(range) => format!("{} – {}", self.bare(field, &range.low), self.bare(field, &range.high)),
        }
    }

    /// One row of a list in one line.
    fn record(&self, kind: Option<&FieldKind>, record: &Record) -> String {
        let columns = match kind {
            Some(FieldKind::List(columns)) => Some(columns),
            _ => None,
        };
        let texts: Vec<String> = record
            .iter()
            .map(|(name, value)| self.value(columns.and_then(|columns| columns.get(name)), value))
            .filter(|text| !text.is_empty())
            .collect();
        texts.join(" · ")
    }

    fn local(&self, at: DateTime<Utc>) -> NaiveDateTime {
        at.with_timezone(&self.zone).naive_local()
    }
}

/// An amount with two places and its thousands apart: `1,280.00`.
pub fn money(amount: Decimal) -> String {
    let rounded = in_cents(amount);
    let text = format!("{:.2}", rounded.abs());
    let (whole, cents) = text.split_once('.').unwrap_or((&text, "00"));
    let mut grouped = String::with_capacity(text.len() + whole.len() / 3 + 1);
    if rounded.is_sign_negative() && !rounded.is_zero() {
        grouped.push('-');
    }
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index) % 3 == 0 {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped + "." + cents
}

/// A share: 0.08 is `8 %`, a third `33.33 %`.
pub fn percent(share: Decimal) -> String {
    let Some(hundred) = share.checked_mul(Decimal::ONE_HUNDRED) else { return share.to_string() };
    let shown = hundred.round_dp_with_strategy(2, RoundingStrategy::MidpointAwayFromZero);
    // A share that is nearly nothing has no sign.
    let shown = if shown.is_zero() { Decimal::ZERO } else { shown.normalize() };
    format!("{shown} %")
}

/// An address of which a reader who knows it recognizes it, and nobody else: `w***@example.com`.
pub fn masked(mail: &str) -> String {
    let mail = clean_line(mail);
    match mail.split_once('@') {
        Some((local, domain)) => format!("{}***@{domain}", local.chars().next().map(String::from).unwrap_or_default()),
        None => "***".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::text::Text;
    use indexmap::IndexMap;

    fn words(directory: &Directory, lang: Lang) -> Words<'_> {
        Words {
            lang,
            zone: Tz::Asia__Shanghai,
            home: Tz::Asia__Shanghai,
            now: "2026-03-02T01:14:00Z".parse().unwrap(),
            directory,
            live: &[],
        }
    }

    fn field(kind: FieldKind) -> Field {
        Field::new("x".into(), kind)
    }

    #[test]
    fn amounts_are_exact_and_grouped() {
        for (amount, text) in [
            ("1280", "1,280.00"),
            ("0", "0.00"),
            ("-0.004", "0.00"),
            ("999.995", "1,000.00"),
            ("-1234567.8", "-1,234,567.80"),
            ("123456789012345678.91", "123,456,789,012,345,678.91"),
        ] {
            assert_eq!(money(amount.parse().unwrap()), text);
        }
        assert_eq!(percent("0.0825".parse().unwrap()), "8.25 %");
        assert_eq!(percent("0.08".parse().unwrap()), "8 %");
        assert_eq!(percent(Decimal::ONE / Decimal::from(3)), "33.33 %");
        assert_eq!(percent("-0.00001".parse().unwrap()), "0 %");
    }

    #[test]
    fn a_field_says_how_its_value_is_read() {
        let directory = Directory::default();
        let zh = words(&directory, Lang::Zh);
        let en = words(&directory, Lang::En);
        let amount = Value::Number("1280".parse().unwrap());
        assert_eq!(zh.headline(Some(&field(FieldKind::Money)), &amount), "¥1,280.00");
        assert_eq!(zh.value(Some(&field(FieldKind::Money)), &amount), "1,280.00");
        let mut hours = field(FieldKind::Integer);
        hours.unit = Some(Text::Each { zh: Some("小时".into()), en: Some("hours".into()) });
        assert_eq!(en.value(Some(&hours), &Value::Number(3.into())), "3 hours");
        let day = Value::Date("2026-03-06".parse().unwrap());
        assert_eq!(zh.value(None, &day), "2026年3月6日 星期五");
        assert_eq!(en.value(None, &day), "Friday, 6 March 2026");
        let moment = Value::DateTime("2026-03-05T18:00:00".parse().unwrap());
        let abroad = Words { zone: Tz::America__New_York, ..en };
        assert_eq!(zh.value(None, &moment), "3月5日 18:00");
        assert_eq!(abroad.value(None, &moment), "5 March 18:00 (Asia/Shanghai time)");
        let grade = field(FieldKind::Choice(IndexMap::from([("high".into(), Text::from("高"))])));
        assert_eq!(zh.value(Some(&grade), &Value::text("high")), "高");
        assert_eq!(zh.moment("2026-03-02T03:02:00Z".parse().unwrap()), "3月2日 11:02");
        assert_eq!(zh.moment("2025-03-02T03:02:00Z".parse().unwrap()), "2025年3月2日 11:02");
    }

    #[test]
    fn nothing_hidden_comes_through() {
        assert_eq!(clean_line("Bob\r\nBcc: x@y.z\0\u{202e}gpj\u{2066}\u{fdd0}\u{ffff}"), "Bob Bcc: x@y.zgpj");
        assert_eq!(clean("a\r\nb\u{2028}c\td\u{7f}"), "a\nb\nc\td");
        assert_eq!(masked("wang.fang@example.com"), "w***@example.com");
        assert_eq!(masked("nonsense"), "***");
    }
}
