//! Functions of texts.

use super::super::machine::{Machine, TEXT_LIMIT};
use super::super::operate;
use super::{
    Accepts, Failure, Function, Need, Parameter, Typed, Value, boolean, given, list_of_texts, number, one, optional,
    text, unexpected, whole,
};
use crate::model::value::Type;
use regex_lite::{Regex, RegexBuilder};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

macro_rules! two_texts {
    ($name:literal, $second:literal, $of:ident, $run:expr) => {
        Function {
            name: $name,
            forms: &[&[one("string", Accepts::Text), one($second, Accepts::Text)]],
            spreads: false,
            of: $of,
            run: |_, arguments| match arguments {
                [Value::Text(string), Value::Text(other)] => {
                    let run: fn(&str, &str) -> Value = $run;
                    Ok(run(string, other))
                }
                _ => Err(unexpected($name)),
            },
        }
    };
}

macro_rules! one_text {
    ($name:literal, $of:ident, $run:expr) => {
        Function {
            name: $name,
            forms: &[&[one("string", Accepts::Text)]],
            spreads: false,
            of: $of,
            run: |_, arguments| match arguments {
                [Value::Text(string)] => {
                    let run: fn(&str) -> Value = $run;
                    Ok(run(string))
                }
                _ => Err(unexpected($name)),
            },
        }
    };
}

fn limited(text: String) -> Result<Value, Failure> {
    if text.len() > TEXT_LIMIT { Err(operate::too_long_text()) } else { Ok(Value::text(text)) }
}

fn substring(arguments: &[&Value]) -> Result<Value, Failure> {
    let Some(Value::Text(string)) = arguments.first().copied() else { return Err(unexpected("substring")) };
    let start = arguments.get(1).map_or(Ok(1), |place| whole(place, "开始位置", "the start position"))?;
    let count = i64::try_from(string.chars().count()).unwrap_or(i64::MAX);
    let from = if start < 0 { count + start } else { start - 1 };
    if start == 0 || from < 0 || from > count {
        return Err(Failure::new("开始位置超出文字", "the start position is outside the text"));
    }
    let length = match given(arguments, 2) {
        Some(length) => {
            // The standard lets a fraction stand here and cuts it off.
            let length = length.as_number().and_then(|length| length.trunc().to_usize()).unwrap_or(0);
            if length < 1 {
                return Err(Failure::new("长度应该是正数", "the length has to be positive"));
            }
            length
        }
        None => usize::MAX,
    };
    let from = usize::try_from(from).unwrap_or(0);
    Ok(Value::text(string.chars().skip(from).take(length).collect::<String>()))
}

/// A pattern as XPath writes it, which FEEL borrows, read by an engine whose time is linear in the text.
fn pattern(machine: &mut Machine<'_>, pattern: &str, flags: Option<&Value>, input: &str) -> Result<Regex, Failure> {
    let bad = |what: &str| Failure::new(format!("`{what}` 不是有效的匹配式"), format!("`{what}` is no valid pattern"));
    let flags = flags.and_then(Value::as_text).unwrap_or("");
    if let Some(other) = flags.chars().find(|flag| !matches!(flag, 's' | 'm' | 'i' | 'x')) {
        return Err(bad(&other.to_string()));
    }
    machine.spend(500 + input.len() * 4)?;
    let mut builder = RegexBuilder::new(&translated(pattern, flags.contains('x')));
    builder.size_limit(1 << 16).nest_limit(50);
    builder.dot_matches_new_line(flags.contains('s'));
    builder.multi_line(flags.contains('m'));
    builder.case_insensitive(flags.contains('i'));
    builder.build().map_err(|_| bad(pattern))
}

/// A pattern of XPath in the words of the engine: with the flag `x`, space outside of `[…]` means nothing.
fn translated(pattern: &str, spaced: bool) -> String {
    let mut in_class = false;
    let mut plain = String::with_capacity(pattern.len());
    let mut escaped = false;
    for c in pattern.chars() {
        if spaced && !in_class && c.is_whitespace() {
            continue;
        }
        match c {
            '[' if !escaped => in_class = true,
            ']' if !escaped => in_class = false,
            _ => {}
        }
        escaped = c == '\\' && !escaped;
        plain.push(c);
    }
    plain.replace("\\p{IsBasicLatin}", "[\\x00-\\x7F]")
}

fn replace(machine: &mut Machine<'_>, arguments: &[&Value]) -> Result<Value, Failure> {
    let (Some(Value::Text(input)), Some(Value::Text(matching)), Some(Value::Text(replacement))) =
        (arguments.first().copied(), arguments.get(1).copied(), arguments.get(2).copied())
    else {
        return Err(unexpected("replace"));
    };
    let regex = pattern(machine, matching, given(arguments, 3), input)?;
    let mut replaced = String::new();
    let mut from = 0;
    for found in regex.captures_iter(input) {
        let Some(whole) = found.get(0) else { continue };
        replaced.push_str(input.get(from..whole.start()).unwrap_or(""));
        let mut signs = replacement.chars().peekable();
        while let Some(sign) = signs.next() {
            match sign {
                '\\' => replaced.extend(signs.next()),
                '$' => {
                    let group = signs.next_if(char::is_ascii_digit).and_then(|digit| digit.to_digit(10));
                    let group = group.and_then(|group| found.get(group as usize));
                    replaced.push_str(group.map_or("", |group| group.as_str()));
                }
                sign => replaced.push(sign),
            }
        }
        from = whole.end();
        if replaced.len() > TEXT_LIMIT {
            return Err(operate::too_long_text());
        }
    }
    replaced.push_str(input.get(from..).unwrap_or(""));
    limited(replaced)
}

/// How a value reads as text: inside other values texts are quoted.
fn written(value: &Value, inside: bool, into: &mut String) {
    use std::fmt::Write;
    if into.len() > TEXT_LIMIT {
        return;
    }
    // Writing into a string cannot fail.
    let _ = match value {
        Value::Null => write!(into, "null"),
        Value::Boolean(flag) => write!(into, "{flag}"),
        Value::Number(number) => write!(into, "{}", number.normalize()),
        Value::Text(text) if inside => write!(into, "\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")),
        Value::Text(text) => write!(into, "{text}"),
        Value::Date(date) => write!(into, "{}", super::temporal::date_text(*date)),
        Value::Time(time) => write!(into, "{time}"),
        Value::DateTime(moment) => {
            let time = crate::model::time::TimeOfDay { time: moment.local.time(), zone: moment.zone };
            write!(into, "{}T{time}", super::temporal::date_text(moment.local.date()))
        }
        Value::Duration(duration) => write!(into, "{duration}"),
        Value::Person(id) => write!(into, "{id}"),
        Value::Position(id) => write!(into, "{id}"),
        Value::Department(id) => write!(into, "{id}"),
        Value::File(file) => write!(into, "{}", file.name),
        Value::List(items) => {
            into.push('[');
            for (at, item) in items.iter().enumerate() {
                into.push_str(if at > 0 { ", " } else { "" });
                written(item, true, into);
            }
            into.push(']');
            Ok(())
        }
        Value::Record(record) => {
            into.push('{');
            for (at, (name, value)) in record.iter().enumerate() {
                into.push_str(if at > 0 { ", " } else { "" });
                let _ = write!(into, "{name}: ");
                written(value, true, into);
            }
            into.push('}');
            Ok(())
        }
        Value::Range(range) => {
            into.push(if range.low_closed { '[' } else { '(' });
            written(&range.low, true, into);
            into.push_str("..");
            written(&range.high, true, into);
            into.push(if range.high_closed { ']' } else { ')' });
            Ok(())
        }
    };
}

/// A number as a text writes it, with the separators that it uses.
fn read_number(arguments: &[&Value]) -> Result<Value, Failure> {
    let Some(Value::Text(from)) = arguments.first().copied() else { return Err(unexpected("number")) };
    let separator = |at: usize| given(arguments, at).and_then(Value::as_text);
    let (grouping, decimal) = (separator(1), separator(2));
    let bad = || Failure::new(format!("`{from}` 不是数字"), format!("`{from}` is no number"));
    let wrong_grouping = grouping.is_some_and(|sign| !matches!(sign, " " | "," | "."));
    let wrong_decimal = decimal.is_some_and(|sign| !matches!(sign, "," | "."));
    if wrong_grouping || wrong_decimal || (grouping.is_some() && grouping == decimal) {
        return Err(Failure::new(
            "分隔符只能是空格、逗号或点，并且两个不同",
            "a separator is a space, comma or point, and the two differ",
        ));
    }
    let mut plain = from.to_string();
    if let Some(grouping) = grouping {
        plain = plain.replace(grouping, "");
    }
    if let Some(decimal) = decimal {
        if decimal != "." && plain.contains('.') {
            return Err(bad());
        }
        plain = plain.replace(decimal, ".");
    }
    let digits = plain.strip_prefix('-').unwrap_or(&plain);
    if !digits.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'e' | b'E' | b'+' | b'-')) || digits.is_empty()
    {
        return Err(bad());
    }
    let read = if digits.contains(['e', 'E']) {
        Decimal::from_scientific(&plain).ok()
    } else {
        Decimal::from_str_exact(&plain).ok()
    };
    read.map(Value::Number).ok_or_else(bad)
}

const FLAGS: Parameter = Parameter { name: "flags", accepts: Accepts::Text, need: Need::Optional };

fn perhaps_text(arguments: &[Typed]) -> Typed {
    Typed { of: Type::Text, optional: arguments.first().is_some_and(|first| first.optional) }
}

pub(super) static FUNCTIONS: &[Function] = &[
    one_text!("string length", number, |s| Value::Number(s.chars().count().into())),
    one_text!("upper case", text, |s| Value::text(s.to_uppercase())),
    one_text!("lower case", text, |s| Value::text(s.to_lowercase())),
    one_text!("trim", text, |s| Value::text(s.trim())),
    two_texts!("contains", "match", boolean, |s, other| Value::Boolean(s.contains(other))),
    two_texts!("starts with", "match", boolean, |s, other| Value::Boolean(s.starts_with(other))),
    two_texts!("ends with", "match", boolean, |s, other| Value::Boolean(s.ends_with(other))),
    two_texts!("substring before", "match", text, |s, other| {
        Value::text(s.split_once(other).map_or("", |(before, _)| before))
    }),
    two_texts!("substring after", "match", text, |s, other| {
        Value::text(s.split_once(other).map_or("", |(_, after)| after))
    }),
    Function {
        name: "substring",
        forms: &[&[
            one("string", Accepts::Text),
            one("start position", Accepts::Number),
            optional("length", Accepts::Number),
        ]],
        spreads: false,
        of: text,
        run: |_, arguments| substring(arguments),
    },
    Function {
        name: "matches",
        forms: &[&[one("input", Accepts::Text), one("pattern", Accepts::Text), FLAGS]],
        spreads: false,
        of: boolean,
        run: |machine, arguments| match (arguments.first().copied(), arguments.get(1).copied()) {
            (Some(Value::Text(input)), Some(Value::Text(matching))) => {
                Ok(Value::Boolean(pattern(machine, matching, given(arguments, 2), input)?.is_match(input)))
            }
            _ => Err(unexpected("matches")),
        },
    },
    Function {
        name: "replace",
        forms: &[&[
            one("input", Accepts::Text),
            one("pattern", Accepts::Text),
            one("replacement", Accepts::Text),
            FLAGS,
        ]],
        spreads: false,
        of: text,
        run: replace,
    },
    Function {
        name: "split",
        forms: &[&[one("string", Accepts::Text), one("delimiter", Accepts::Text)]],
        spreads: false,
        of: list_of_texts,
        run: |machine, arguments| match arguments {
            [Value::Text(string), Value::Text(delimiter)] => {
                machine.spend(string.len())?;
                let parts = pattern(machine, delimiter, None, string)?.split(string).map(Value::text).collect();
                machine.list(parts)
            }
            _ => Err(unexpected("split")),
        },
    },
    Function {
        name: "string join",
        forms: &[&[one("list", Accepts::List), optional("delimiter", Accepts::Text)]],
        spreads: false,
        of: text,
        run: |_, arguments| {
            let list = arguments.first().and_then(|list| list.as_list()).ok_or_else(|| unexpected("string join"))?;
            let delimiter = given(arguments, 1).and_then(Value::as_text).unwrap_or("");
            let mut joined = String::new();
            let mut first = true;
            for item in list {
                match item {
                    Value::Null => continue,
                    Value::Text(text) => {
                        if !first {
                            joined.push_str(delimiter);
                        }
                        joined.push_str(text);
                        first = false;
                    }
                    _ => return Err(unexpected("string join")),
                }
                if joined.len() > TEXT_LIMIT {
                    return Err(operate::too_long_text());
                }
            }
            Ok(Value::text(joined))
        },
    },
    Function {
        name: "string",
        forms: &[&[Parameter { name: "from", accepts: Accepts::Any, need: Need::OrNull }]],
        spreads: false,
        of: perhaps_text,
        run: |_, arguments| match arguments.first() {
            Some(Value::Null) | None => Ok(Value::Null),
            Some(value) => {
                let mut text = String::new();
                written(value, false, &mut text);
                limited(text)
            }
        },
    },
    Function {
        name: "number",
        forms: &[&[
            one("from", Accepts::Text),
            optional("grouping separator", Accepts::Text),
            optional("decimal separator", Accepts::Text),
        ]],
        spreads: false,
        of: number,
        run: |_, arguments| read_number(arguments),
    },
];
