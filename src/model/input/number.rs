//! Numbers, shares, yes and no, as people write them.

use super::words::plain_width;
use crate::model::text::Wording;
use rust_decimal::Decimal;

pub(super) fn not_a_number(text: &str) -> Wording {
    let shown: String = text.chars().take(40).collect();
    Wording::new(
        format!("“{shown}”不是数字。请写成 1280.00 或 1,280.00。"),
        format!("“{shown}” is not a number. Write 1280.00 or 1,280.00."),
    )
}

pub(super) fn number(text: &str) -> Result<Decimal, Wording> {
    let wide = plain_width(text);
    let mut rest = wide.trim();
    for sign in ["¥", "RMB", "CNY", "rmb", "cny"] {
        rest = rest.strip_prefix(sign).unwrap_or(rest).trim();
    }
    for unit in ["元", "人民币", "RMB", "CNY", "yuan"] {
        rest = rest.strip_suffix(unit).unwrap_or(rest).trim();
    }
    let (rest, times) = match rest.strip_suffix('万') {
        Some(rest) => (rest.trim(), Decimal::from(10_000)),
        None => (rest, Decimal::ONE),
    };
    let (whole, _) = rest.split_once('.').unwrap_or((rest, ""));
    let unsigned = whole.trim_start_matches(['-', '+']);
    let mut groups = unsigned.split(',');
    let first = groups.next().unwrap_or_default();
    let separated = unsigned.contains(',');
    if separated && (!(1..=3).contains(&first.len()) || groups.any(|group| group.len() != 3)) {
        return Err(Wording::new(
            format!("“{text}”里的逗号看不懂：千位写成 1,280，小数写成 12.80。"),
            format!("The comma in “{text}” is unclear: thousands are 1,280, decimals 12.80."),
        ));
    }
    let digits: String = rest.chars().filter(|c| *c != ',').collect();
    let good = !digits.is_empty()
        && digits.trim_start_matches(['-', '+']).chars().all(|c| c.is_ascii_digit() || c == '.')
        && digits.chars().any(|c| c.is_ascii_digit());
    if !good {
        return Err(not_a_number(text));
    }
    Decimal::from_str_exact(&digits).ok().and_then(|number| number.checked_mul(times)).ok_or_else(|| {
        if digits.matches('.').count() > 1 {
            return not_a_number(text);
        }
        Wording::new("这个数太大，或小数位太多。", "This number is too large, or has too many decimal places.")
    })
}

pub(super) fn integer(text: &str) -> Result<Decimal, Wording> {
    let number = number(text)?;
    if number.is_integer() {
        return Ok(number.normalize());
    }
    Err(Wording::new(
        format!("“{text}”不是整数，请去掉小数部分。"),
        format!("“{text}” is not a whole number: drop the decimals."),
    ))
}

pub(super) fn percent(text: &str) -> Result<Decimal, Wording> {
    let wide = plain_width(text);
    let wide = wide.trim();
    if let Some(share) = wide.strip_suffix('%').or_else(|| wide.strip_prefix("百分之")) {
        return Ok((number(share)? / Decimal::ONE_HUNDRED).normalize());
    }
    let shown = number(wide)?;
    // Whoever writes a fraction mostly means the share that it is; who writes 35 never means 3,500 %.
    let share = shown.checked_mul(Decimal::ONE_HUNDRED).filter(|_| !shown.is_zero() && shown.abs() <= Decimal::ONE);
    Err(match share.map(|share| share.normalize()) {
        Some(share) => Wording::new(
            format!("请带上百分号：是“{share} %”，还是“{shown} %”？"),
            format!("Write the percent sign: do you mean “{share} %” or “{shown} %”?"),
        ),
        None => Wording::new(
            format!("请带上百分号：是“{shown} %”吗？"),
            format!("Write the percent sign: do you mean “{shown} %”?"),
        ),
    })
}

pub(super) fn boolean(text: &str) -> Result<bool, Wording> {
    match plain_width(text).to_lowercase().as_str() {
        "是" | "对" | "yes" | "y" | "true" | "on" | "1" => Ok(true),
        "否" | "不" | "不是" | "no" | "n" | "false" | "off" | "0" => Ok(false),
        _ => Err(Wording::new(
            format!("“{text}”看不懂，请写“是”或“否”。"),
            format!("“{text}” is unclear: write yes or no."),
        )),
    }
}
