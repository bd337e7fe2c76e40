//! Figures and lengths of time in words, and how long a bar is.

use crate::effects::format::{Words, clean_line, money, percent};
use crate::model::metric::ReadAs;
use crate::model::text::Lang;
use rust_decimal::prelude::ToPrimitive;
use rust_decimal::{Decimal, RoundingStrategy};

/// A figure as it is read: `94.7 %`, `¥1,280.00`, `12 个`.
pub(super) fn figure(reading: &ReadAs, value: Decimal, words: &Words<'_>) -> String {
    let rounded = |places| value.round_dp_with_strategy(places, RoundingStrategy::MidpointAwayFromZero);
    match reading {
        ReadAs::Percent => percent(rounded(3)),
        ReadAs::Money => {
            let sign = if value.is_sign_negative() && !value.is_zero() { "-" } else { "" };
            format!("{sign}¥{}", money(value.abs()))
        }
        ReadAs::Number(unit) => {
            let number = plain(value);
            match unit.as_ref().map(|unit| clean_line(unit.get(words.lang))).filter(|unit| !unit.is_empty()) {
                Some(unit) => format!("{number} {unit}"),
                None => number,
            }
        }
    }
}

/// A number of two places at most, its thousands apart.
pub(super) fn plain(value: Decimal) -> String {
    let text = money(value);
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text.is_empty() || text == "-" { "0".to_owned() } else { text.to_owned() }
}

/// A value for programs: exact to six places.
pub(super) fn exact(value: Decimal) -> String {
    value.round_dp_with_strategy(6, RoundingStrategy::MidpointAwayFromZero).normalize().to_string()
}

/// Minutes as people say them: `45 分钟`, `3.5 小时`, `2.1 个工作日`. `day` is how many make a working day.
pub(super) fn length(minutes: i64, day: Option<i64>, lang: Lang) -> String {
    let tenths = |of: i64| {
        let tenths = (minutes * 10 + of / 2) / of;
        if tenths % 10 == 0 { (tenths / 10).to_string() } else { format!("{}.{}", tenths / 10, tenths % 10) }
    };
    let said = |count: String, zh: &str, en: &str| match lang {
        Lang::Zh => format!("{count} {zh}"),
        Lang::En if count == "1" => format!("1 {en}"),
        Lang::En => format!("{count} {en}s"),
    };
    let long = day.unwrap_or(24 * 60).max(1);
    match (minutes, day) {
        (..60, _) => said(minutes.to_string(), "分钟", "minute"),
        (_, _) if minutes < long => said(tenths(60), "小时", "hour"),
        (_, Some(_)) => said(tenths(long), "个工作日", "working day"),
        (_, None) => said(tenths(long), "天", "day"),
    }
}

/// How long a bar of `width` cells is for a value, where `most` fills it.
pub fn bar(value: Decimal, most: Decimal, width: u32) -> u32 {
    let share = value.checked_mul(width.into()).and_then(|scaled| scaled.checked_div(most));
    let share = share.map(|share| share.round_dp_with_strategy(0, RoundingStrategy::MidpointAwayFromZero));
    share.and_then(|share| share.max(Decimal::ZERO).to_u32()).unwrap_or(0).min(width)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_said_in_the_largest_unit_that_fits() {
        for (minutes, zh, en) in [
            (0, "0 分钟", "0 minutes"),
            (59, "59 分钟", "59 minutes"),
            (60, "1 小时", "1 hour"),
            (210, "3.5 小时", "3.5 hours"),
            (450, "1 个工作日", "1 working day"),
            (945, "2.1 个工作日", "2.1 working days"),
        ] {
            assert_eq!(length(minutes, Some(450), Lang::Zh), zh);
            assert_eq!(length(minutes, Some(450), Lang::En), en);
        }
        assert_eq!(length(2_880, None, Lang::En), "2 days");
    }

    #[test]
    fn a_bar_never_leaves_its_box() {
        let number = |text: &str| text.parse::<Decimal>().unwrap();
        assert_eq!(bar(number("0.5"), number("1"), 20), 10);
        assert_eq!(bar(number("3"), number("1"), 20), 20);
        assert_eq!(bar(number("-1"), number("1"), 20), 0);
        assert_eq!(bar(number("0"), number("0"), 20), 0);
        assert_eq!(
            (plain(number("1200")), plain(number("0")), plain(number("2.50"))),
            ("1,200".into(), "0".into(), "2.5".into())
        );
    }
}
