//! When a schedule starts cases, as people say it: `每周五 16:00`, `every Friday at 16:00`. What is rarer is shown as the author
//! wrote it.

use crate::model::text::{Lang, clean_line};

const DAYS: [(&str, &str, &str); 7] = [
    ("MON", "周一", "Monday"),
    ("TUE", "周二", "Tuesday"),
    ("WED", "周三", "Wednesday"),
    ("THU", "周四", "Thursday"),
    ("FRI", "周五", "Friday"),
    ("SAT", "周六", "Saturday"),
    ("SUN", "周日", "Sunday"),
];

const MONTHS: [(&str, &str); 12] = [
    ("JAN", "January"),
    ("FEB", "February"),
    ("MAR", "March"),
    ("APR", "April"),
    ("MAY", "May"),
    ("JUN", "June"),
    ("JUL", "July"),
    ("AUG", "August"),
    ("SEP", "September"),
    ("OCT", "October"),
    ("NOV", "November"),
    ("DEC", "December"),
];

/// When five fields of cron fire.
pub(super) fn clock(cron: &str, lang: Lang) -> String {
    let fields: Vec<&str> = cron.split_whitespace().collect();
    let said = match fields.as_slice() {
        [minute, hour, day, month, weekday] => said((minute, hour), (day, month, weekday), lang),
        _ => None,
    };
    said.unwrap_or_else(|| match lang {
        Lang::Zh => format!("按 {}", clean_line(cron)),
        Lang::En => format!("at {}", clean_line(cron)),
    })
}

fn said((minute, hour): (&str, &str), days: (&str, &str, &str), lang: Lang) -> Option<String> {
    let (minute, hour): (u8, u8) = (minute.parse().ok()?, hour.parse().ok()?);
    let at = format!("{hour:02}:{minute:02}");
    let zh = lang == Lang::Zh;
    let days = match days {
        ("*", "*", "*") => if zh { "每天" } else { "every day" }.to_owned(),
        ("*", "*", weekdays) => {
            let named = several(weekdays, &|text| weekday(text, lang), ("至", " to "), lang)?;
            if zh { format!("每{named}") } else { format!("every {named}") }
        }
        (day, months, "*") => {
            let days = several(day, &|text| text.parse::<u8>().ok().map(|day| day.to_string()), ("至", " to "), lang)?;
            let months = match months {
                "*" => None,
                months => Some(several(months, &|text| month(text, lang), ("至", " to "), lang)?),
            };
            match (months, zh) {
                (None, true) => format!("每月 {days} 日"),
                (None, false) => format!("on day {days} of every month"),
                (Some(months), true) => format!("每年 {months}的 {days} 日"),
                (Some(months), false) => format!("on day {days} of {months}"),
            }
        }
        _ => return None,
    };
    Some(if zh { format!("{days} {at}") } else { format!("{days} at {at}") })
}

/// A list of names, or from one to another.
fn several(text: &str, name: &dyn Fn(&str) -> Option<String>, to: (&str, &str), lang: Lang) -> Option<String> {
    let zh = lang == Lang::Zh;
    let part = |part: &str| match part.split_once('-') {
        Some((from, last)) => Some(format!("{}{}{}", name(from)?, if zh { to.0 } else { to.1 }, name(last)?)),
        None => name(part),
    };
    let parts: Option<Vec<String>> = text.split(',').map(part).collect();
    Some(parts?.join(if zh { "、" } else { ", " }))
}

fn weekday(text: &str, lang: Lang) -> Option<String> {
    let number = match text.parse::<usize>() {
        // Sunday is 0 and 7.
        Ok(number) => (number + 6) % 7,
        Err(_) => DAYS.iter().position(|(short, ..)| short.eq_ignore_ascii_case(text))?,
    };
    DAYS.get(number).map(|(_, zh, en)| if lang == Lang::Zh { *zh } else { *en }.to_owned())
}

fn month(text: &str, lang: Lang) -> Option<String> {
    let number = match text.parse::<usize>() {
        Ok(number) => number.checked_sub(1)?,
        Err(_) => MONTHS.iter().position(|(short, _)| short.eq_ignore_ascii_case(text))?,
    };
    let (_, name) = MONTHS.get(number)?;
    Some(if lang == Lang::Zh { format!("{} 月", number + 1) } else { (*name).to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_common_is_said_and_what_is_rare_is_shown() {
        for (cron, zh, en) in [
            ("0 16 * * FRI", "每周五 16:00", "every Friday at 16:00"),
            ("30 9 * * 1-5", "每周一至周五 09:30", "every Monday to Friday at 09:30"),
            ("0 9 * * 0,3", "每周日、周三 09:00", "every Sunday, Wednesday at 09:00"),
            ("5 8 * * *", "每天 08:05", "every day at 08:05"),
            ("0 9 5 * *", "每月 5 日 09:00", "on day 5 of every month at 09:00"),
            ("0 9 5 1,JUL *", "每年 1 月、7 月的 5 日 09:00", "on day 5 of January, July at 09:00"),
            ("*/5 9 * * *", "按 */5 9 * * *", "at */5 9 * * *"),
            ("0 9 L * *", "按 0 9 L * *", "at 0 9 L * *"),
            ("0 9 5 * MON", "按 0 9 5 * MON", "at 0 9 5 * MON"),
        ] {
            assert_eq!((clock(cron, Lang::Zh).as_str(), clock(cron, Lang::En).as_str()), (zh, en));
        }
    }
}
