//! Days and moments for a reader.

use crate::model::text::Wording;
use chrono::{Datelike, NaiveDate, NaiveDateTime};

/// A moment for a reader: `3月2日 11:02`, `2 March 11:02`; the year only when it is not that of `now`.
pub fn moment_words(local: NaiveDateTime, now: NaiveDateTime) -> Wording {
    let (day, time) = (date_words(local.date(), now.date()), local.format("%H:%M"));
    Wording::new(format!("{} {time}", day.zh), format!("{} {time}", day.en))
}

/// A day for a reader: `3月2日`, `2 March`; the year only when it is not that of `today`.
pub fn date_words(date: NaiveDate, today: NaiveDate) -> Wording {
    let month = date.format("%B");
    let (day, number, year) = (date.day(), date.month(), date.year());
    if year == today.year() {
        Wording::new(format!("{number}月{day}日"), format!("{day} {month}"))
    } else {
        Wording::new(format!("{year}年{number}月{day}日"), format!("{day} {month} {year}"))
    }
}

/// The weekday for a reader: `星期五`, `Friday`.
pub fn weekday_words(date: NaiveDate) -> Wording {
    let zh = ["星期一", "星期二", "星期三", "星期四", "星期五", "星期六", "星期日"];
    let index = date.weekday().num_days_from_monday() as usize;
    Wording::new(zh.get(index).copied().unwrap_or_default(), date.format("%A").to_string())
}
