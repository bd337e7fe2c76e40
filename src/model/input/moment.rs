//! Days, moments and lengths of time, as people write them.

use super::words::plain_width;
use crate::model::text::Wording;
use crate::model::time::{Duration, Moment};
use chrono::{Datelike, NaiveDate, NaiveDateTime, NaiveTime};
use rust_decimal::Decimal;

pub(super) fn date(text: &str, today: NaiveDate) -> Result<NaiveDate, Wording> {
    read_date(&plain_width(text), today).ok_or_else(|| {
        Wording::new(
            format!("“{text}”不是日期。请写成 2026-03-06、2026/3/6 或 3月6日。"),
            format!("“{text}” is not a date. Write 2026-03-06 or 2026/3/6."),
        )
    })
}

fn read_date(text: &str, today: NaiveDate) -> Option<NaiveDate> {
    let text = text.trim();
    let text = text.split_once(['星', '(']).map_or(text, |(date, _)| date).trim();
    let spaced: String =
        text.chars().map(|c| if matches!(c, '年' | '月' | '-' | '/' | '.') { ' ' } else { c }).collect();
    let parts: Vec<u32> = spaced
        .trim_end_matches(['日', '号'])
        .split_whitespace()
        .map(|part| part.parse().ok())
        .collect::<Option<_>>()?;
    match *parts.as_slice() {
        [year, month, day] if (1000..=9999).contains(&year) => {
            NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month, day)
        }
        // Without a year: the one that is nearest to today.
        [month, day] => (-1..=1)
            .filter_map(|years| NaiveDate::from_ymd_opt(today.year() + years, month, day))
            .min_by_key(|date| (*date - today).num_days().abs()),
        _ => None,
    }
}

pub(super) fn moment(text: &str, today: NaiveDate) -> Result<Moment, Wording> {
    let wide = plain_width(text);
    let wide = wide.trim();
    if let Ok(moment) = wide.parse::<Moment>() {
        return Ok(moment);
    }
    let split = wide.rsplit_once([' ', 'T', '日', '号']);
    let read = || {
        let (day, time) = split?;
        let time = time.trim().replace(['点', '时'], ":");
        let time = time.trim_end_matches('分');
        let time = if time.ends_with(':') { format!("{time}00") } else { time.to_owned() };
        let time =
            NaiveTime::parse_from_str(&time, "%H:%M").or_else(|_| NaiveTime::parse_from_str(&time, "%H:%M:%S")).ok()?;
        Some(Moment { local: NaiveDateTime::new(read_date(day, today)?, time), zone: None })
    };
    read().ok_or_else(|| {
        Wording::new(
            format!("“{text}”不是日期和时间。请写成 2026-03-06 14:00 或 3月6日 14:00。"),
            format!("“{text}” is not a date and time. Write 2026-03-06 14:00."),
        )
    })
}

pub(super) fn duration(text: &str) -> Result<Duration, Wording> {
    let wide = plain_width(text);
    let wide = wide.trim();
    let read = || {
        if let Ok(duration) = wide.parse::<Duration>() {
            return Some(duration);
        }
        let (first, mut rest) = one_length(wide)?;
        let mut whole = first;
        while !rest.is_empty() {
            let (next, after) = one_length(rest)?;
            whole = match (whole, next) {
                (Duration::Seconds(one), Duration::Seconds(other)) => Duration::Seconds(one.checked_add(other)?),
                (Duration::Months(one), Duration::Months(other)) => Duration::Months(one.checked_add(other)?),
                _ => return None,
            };
            rest = after;
        }
        Some(whole)
    };
    read().ok_or_else(|| {
        Wording::new(
            format!("“{text}”不是时长。请写成 2 个工作日、3 天 或 4 小时。"),
            format!("“{text}” is not a length of time. Write 2 working days, 3 days or 4 hours."),
        )
    })
}

/// A length as `2 小时` or `2 hours`, and what stands behind it.
fn one_length(text: &str) -> Option<(Duration, &str)> {
    let at = text.find(|c: char| !c.is_ascii_digit() && c != '.')?;
    let (count, unit) = text.split_at(at);
    let (unit, rest) = unit.split_at(unit.find(|c: char| c.is_ascii_digit()).unwrap_or(unit.len()));
    let count = Decimal::from_str_exact(count).ok()?;
    let unit = unit.trim().trim_start_matches('个').trim_end_matches('s');
    let whole = || i64::try_from(count).ok().filter(|_| count.is_integer());
    let seconds = |size: i64| Some(Duration::Seconds(count.checked_mul(Decimal::from(size))?.normalize()));
    let length = match unit {
        "工作日" | "working day" => Duration::WorkingDays(whole()?),
        "工作小时" | "working hour" => Duration::WorkingMinutes(whole()?.checked_mul(60)?),
        "工作分钟" | "working minute" => Duration::WorkingMinutes(whole()?),
        "年" | "year" => Duration::Months(whole()?.checked_mul(12)?),
        "月" | "month" => Duration::Months(whole()?),
        "周" | "星期" | "week" => seconds(604_800)?,
        "天" | "日" | "day" => seconds(86_400)?,
        "小时" | "hour" => seconds(3_600)?,
        "分钟" | "分" | "minute" => seconds(60)?,
        "秒" | "second" => seconds(1)?,
        _ => return None,
    };
    Some((length, rest))
}
