//! A value of another type than its place needs: what it is, what is needed, and how the one becomes the other.

use super::fault::{Fault, FaultKind};
use super::habit;
use super::infer::{Infer, Options, Typing};
use super::tree::Node;
use super::{region, types};
use crate::model::formula::{Expr, Op};
use crate::model::id::FieldName;
use crate::model::value::{Type, Typed, Value};
use rust_decimal::Decimal;
use std::sync::Arc;

impl Infer<'_> {
    /// Reports a value that does not fit where it goes; of records which part of them.
    pub(super) fn misfit(&mut self, node: &Node, found: &Typing, needed: &Type) {
        match lack(&[&found.expr], &found.of, needed) {
            Some(lack) => self.unlike_records(node, &lack),
            None => self.wrong_type(node, &found.of, needed),
        }
    }

    pub(super) fn wrong_type(&mut self, node: &Node, found: &Type, needed: &Type) {
        if let (Type::Choice(found), Type::Choice(needed)) = (found, needed) {
            return self.other_options(node, found, needed);
        }
        let (written, found_words, needed_words) = (self.written(node), types::words(found), types::words(needed));
        let fault = Fault::new(
            node.range.clone(),
            FaultKind::WrongType,
            format!("这里需要{}，而 `{written}` 是{}", needed_words.zh, found_words.zh),
            format!("{} is needed here, but `{written}` is {}", needed_words.en, found_words.en),
        );
        let fault = self.with_conversion(fault, node, written, found, needed);
        self.fault(fault);
    }

    /// Reports what is no time to wait: neither how long, nor until when.
    pub(super) fn wrong_time(&mut self, node: &Node, found: &Type) {
        let (written, words) = (self.written(node), types::words(found));
        let fault = Fault::new(
            node.range.clone(),
            FaultKind::WrongType,
            format!("这里需要时长或日期，而 `{written}` 是{}", words.zh),
            format!("a length of time or a date is needed here, but `{written}` is {}", words.en),
        );
        let needed = if habit::day(written).is_some() { Type::Date } else { Type::Duration };
        let fault = self.with_conversion(fault, node, written, found, &needed);
        self.fault(fault);
    }

    /// Reports records that lack a part, or hold it as something else.
    fn unlike_records(&mut self, node: &Node, lack: &Lack<'_>) {
        let (written, name) = (self.written(node), lack.name);
        let needed = types::words(&lack.needed.of);
        let ((zh, en), hint) = match lack.found {
            None => {
                let zh = format!("这里要有 `{name}`（{}），而 `{written}` 里没有", needed.zh);
                ((zh, format!("`{name}`, {}, is needed here, and `{written}` has none", needed.en)), None)
            }
            Some(found) if types::fits(&found.of, &lack.needed.of) => {
                let zh = format!("`{written}` 里的 `{name}` 可能没有值，而这里需要它");
                ((zh, format!("`{name}` in `{written}` may be unset, and is needed here")), None)
            }
            Some(found) => {
                let of = types::words(&found.of);
                let zh = format!("这里的 `{name}` 需要{}，而 `{written}` 里的是{}", needed.zh, of.zh);
                let en = format!("`{name}` has to be {} here, and in `{written}` it is {}", needed.en, of.en);
                let hint = match (&found.of, &lack.needed.of) {
                    (Type::Number, Type::Money) | (Type::Money, Type::Number) => {
                        Some((NOT_THE_SAME.0.to_owned(), NOT_THE_SAME.1.to_owned()))
                    }
                    (Type::Text | Type::Choice(_), Type::Choice(options)) => Some(options_here(options)),
                    _ => None,
                };
                ((zh, en), hint)
            }
        };
        let fault = Fault::new(node.range.clone(), FaultKind::WrongType, zh, en);
        self.fault(match hint {
            Some((zh, en)) => fault.hint(zh, en),
            None => fault,
        });
    }

    /// Reports a choice that may be what is no option where it goes.
    fn other_options(&mut self, node: &Node, found: &Options, needed: &Options) {
        let written = self.written(node);
        let more = listed(found.iter().filter(|option| !needed.contains(option)));
        let (zh, en) = options_here(needed);
        self.fault(
            Fault::new(
                node.range.clone(),
                FaultKind::WrongType,
                format!("`{written}` 可能是 {more}，而这里没有这个选项"),
                format!("`{written}` may be {more}, which is no option here"),
            )
            .hint(zh, en),
        );
    }

    fn with_conversion(&self, fault: Fault, node: &Node, written: &str, found: &Type, needed: &Type) -> Fault {
        let write = |fault: Fault, instead: String| {
            fault.hint(format!("例如写成 `{instead}`。"), format!("For example, write `{instead}`."))
        };
        if let (Type::Date | Type::DateTime, Some(day)) = (needed, habit::day(written)) {
            let day = format!("date(\"{day}\")");
            return write(fault, day.clone()).suggest(day);
        }
        if let (Type::Duration, Type::Number, Some(_)) = (needed, found, habit::day(written)) {
            return fault;
        }
        if matches!(needed, Type::Date | Type::DateTime) && habit::looks_like_day(written) {
            return fault.hint("没有这一天。", "There is no such day.");
        }
        match (found, needed) {
            (Type::Number | Type::Money, Type::Text) => write(fault, format!("string({written})")),
            (Type::Text, Type::Number | Type::Money) => {
                let bare = written.trim_matches('"');
                let number = bare.parse::<Decimal>().is_ok();
                write(fault, if number { bare.to_owned() } else { format!("number({written})") })
            }
            (Type::DateTime, Type::Date) => write(fault, format!("date({written})")),
            (Type::Text, Type::Person) => Infer::person_instead(fault, node, written),
            (Type::Department, Type::Person) => write(fault, format!("head_of({written})")),
            (Type::Position, Type::Person) => write(fault, format!("holders({written})[1]")),
            (Type::Number, Type::Duration) => {
                let (zh, en) = habit::lengths(written);
                fault.hint(zh, en)
            }
            (Type::Duration, Type::Number) => write(fault, format!("({written}).days")),
            (Type::Number, Type::Money) | (Type::Money, Type::Number) => fault.hint(NOT_THE_SAME.0, NOT_THE_SAME.1),
            (_, Type::Boolean) => fault
                .hint("条件是一个比较，例如 `total >= 500`。", "A condition is a comparison, such as `total >= 500`."),
            _ => fault,
        }
    }
}

fn listed<'o>(options: impl Iterator<Item = &'o Arc<str>>) -> String {
    options.map(|option| format!("`{option}`")).collect::<Vec<_>>().join(" ")
}

fn options_here(options: &Options) -> (String, String) {
    let known = listed(options.iter());
    (format!("这里的选项有：{known}。"), format!("The options here are {known}."))
}

const NOT_THE_SAME: (&str, &str) = (
    "金额和数字不能互换：把字段的类型改成一样，或乘、除一个数字。",
    "Money and numbers are not the same: give both the same type, or multiply or divide by a number.",
);

/// A part of a record that is not as its place needs it.
struct Lack<'t> {
    name: &'t FieldName,
    needed: &'t Typed,
    found: Option<&'t Typed>,
}

/// Whether a value may stand where `needed` is, as it is written there: written numbers are amounts as well, and written
/// texts are options, in records too.
pub(super) fn fits_as_written(expr: &Expr, found: &Type, needed: &Type) -> bool {
    fits(&[expr], found, needed)
}

/// The type of what records or lists of them have in common as they are written: those before, and one more.
pub(super) fn joined_as_written(before: &[&Expr], all: &Type, expr: &Expr, of: &Type) -> Option<Type> {
    let records = matches!((all, of), (Type::List(_), Type::List(_)) | (Type::Record(_), Type::Record(_)));
    let either = || match records {
        true if fits(&[expr], of, all) => Some(all.clone()),
        true if !before.is_empty() && fits(before, all, of) => Some(of.clone()),
        _ => None,
    };
    types::join(all, of).or_else(either)
}

/// Whether what one of several expressions yields fits so; of none where that is not known.
fn fits(exprs: &[&Expr], found: &Type, needed: &Type) -> bool {
    let written = |is: &dyn Fn(&Value) -> bool| {
        let constant = |expr: &Expr| region::constant(expr).is_some_and(|value| is(&value));
        !exprs.is_empty() && exprs.iter().flat_map(|expr| branches(expr)).all(constant)
    };
    types::fits(found, needed)
        || match (found, needed) {
            (Type::Number, Type::Money) => written(&|value| value.as_number().is_some()),
            (Type::Text, Type::Choice(options)) => {
                written(&|value| value.as_text().is_some_and(|text| options.iter().any(|option| **option == *text)))
            }
            (Type::List(of), Type::List(to)) => (to.optional || !of.optional) && fits(&items(exprs), &of.of, &to.of),
            (Type::Record(_), Type::Record(_)) => lack(exprs, found, needed).is_none(),
            _ => false,
        }
}

/// Why a record, or those of a list, do not fit where others are needed.
fn lack<'t>(exprs: &[&Expr], found: &'t Type, needed: &'t Type) -> Option<Lack<'t>> {
    match (found, needed) {
        (Type::List(found), Type::List(needed)) => lack(&items(exprs), &found.of, &needed.of),
        (Type::Record(found), Type::Record(needed)) => needed.iter().find_map(|(name, needed)| {
            let (exprs, found) = (entries(exprs, name), found.get(name));
            let well = match found {
                Some(found) => fits(&exprs, &found.of, &needed.of) && (needed.optional || !found.optional),
                None => needed.optional,
            };
            let inner = || found.and_then(|found| lack(&exprs, &found.of, &needed.of));
            (!well).then(|| inner().unwrap_or(Lack { name, needed, found }))
        }),
        _ => None,
    }
}

/// The items that lists are made of; none where it is not known of one.
fn items<'e>(lists: &[&'e Expr]) -> Vec<&'e Expr> {
    let of = |list: &'e Expr| match list.op() {
        Op::List(items) => Some(items.iter().collect()),
        Op::For(_, body) => Some(vec![body]),
        Op::Call(name, arguments) => match (&**name, arguments.as_slice()) {
            ("append", [list, more @ ..]) => {
                Some(items(&[list]).into_iter().chain(more).collect()).filter(|all: &Vec<&Expr>| all.len() > more.len())
            }
            _ => None,
        },
        _ => None,
    };
    let lists = lists.iter().flat_map(|list| branches(list));
    lists.map(of).collect::<Option<Vec<Vec<&Expr>>>>().unwrap_or_default().concat()
}

/// What an expression yields, by the way that each `if` in front of it goes.
fn branches(expr: &Expr) -> Vec<&Expr> {
    match expr.op() {
        Op::If(_, one, other) => branches(one).into_iter().chain(branches(other)).collect(),
        _ => vec![expr],
    }
}

/// What those of the records that have it hold under a name; none where it is not known of one.
fn entries<'e>(records: &[&'e Expr], name: &FieldName) -> Vec<&'e Expr> {
    let of = |record: &'e Expr| match record.op() {
        Op::Record(entries) => Some(entries.iter().find(|(own, _)| own == name).map(|(_, entry)| entry)),
        _ => None,
    };
    let records = records.iter().flat_map(|record| branches(record));
    records.map(of).collect::<Option<Vec<Option<&Expr>>>>().unwrap_or_default().into_iter().flatten().collect()
}
