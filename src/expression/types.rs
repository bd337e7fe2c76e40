//! How types stand to each other: what may be compared, what fits where, what arithmetic yields.

use crate::model::formula::Arithmetic;
use crate::model::id::FieldName;
use crate::model::text::Wording;
use crate::model::value::{Type, Typed};
use std::sync::Arc;

/// A type in words: `金额`, `money`.
pub(super) fn words(of: &Type) -> Wording {
    let (zh, en) = match of {
        Type::Null => ("空值", "null"),
        Type::Boolean => ("布尔值", "true or false"),
        Type::Number => ("数字", "a number"),
        Type::Money => ("金额", "money"),
        Type::Text => ("文字", "a text"),
        Type::Choice(_) => ("选项", "an option"),
        Type::Date => ("日期", "a date"),
        Type::Time => ("时刻", "a time of day"),
        Type::DateTime => ("日期时间", "a date-time"),
        Type::Duration => ("时长", "a duration"),
        Type::Person => ("人员", "a person"),
        Type::Position => ("岗位", "a position"),
        Type::Department => ("部门", "a department"),
        Type::File => ("文件", "a file"),
        Type::List(of) => {
            let inner = words(&of.of);
            return Wording::new(format!("列表（{}）", inner.zh), format!("a list ({})", inner.en));
        }
        Type::Record(_) => ("记录", "a record"),
        Type::Range(_) => ("区间", "a range"),
        Type::Any => ("任意值", "any value"),
    };
    Wording::new(zh, en)
}

/// Whether `=` between the two can be true.
pub(super) fn alike(a: &Type, b: &Type) -> bool {
    use Type::*;
    match (a, b) {
        (Any | Null, _) | (_, Any | Null) => true,
        (Text, Choice(_)) | (Choice(_), Text) => true,
        (Choice(a), Choice(b)) => a.iter().any(|option| b.contains(option)),
        (List(a), List(b)) => alike(&a.of, &b.of),
        (Range(a), Range(b)) => alike(a, b),
        (Record(_), Record(_)) => true,
        (a, b) => std::mem::discriminant(a) == std::mem::discriminant(b),
    }
}

/// Whether values of the type have an order that means something.
pub(super) fn ordered(of: &Type) -> bool {
    use Type::*;
    matches!(of, Any | Null | Number | Money | Text | Date | Time | DateTime | Duration)
}

/// Whether a value of `from` may stand where `to` is expected, optionality apart.
pub(super) fn fits(from: &Type, to: &Type) -> bool {
    use Type::*;
    match (from, to) {
        (Any, _) | (_, Any) | (Null, _) => true,
        (Choice(_), Text) => true,
        (Choice(from), Choice(to)) => from.iter().all(|option| to.contains(option)),
        (List(from), List(to)) => fits(&from.of, &to.of) && (to.optional || !from.optional),
        (Range(from), Range(to)) => fits(from, to),
        (Record(from), Record(to)) => to.iter().all(|(name, to)| match from.get(name) {
            Some(from) => fits(&from.of, &to.of) && (to.optional || !from.optional),
            None => to.optional,
        }),
        (from, to) => std::mem::discriminant(from) == std::mem::discriminant(to),
    }
}

/// The type of a value that is of the one or of the other, if that is one type.
pub(super) fn join(a: &Type, b: &Type) -> Option<Type> {
    use Type::*;
    Some(match (a, b) {
        (Null, other) | (other, Null) => other.clone(),
        (Any, _) | (_, Any) => Any,
        (Text, Choice(_)) | (Choice(_), Text) => Text,
        (Choice(a), Choice(b)) => {
            let more = b.iter().filter(|option| !a.contains(option));
            Choice(a.iter().chain(more).cloned().collect::<Vec<Arc<str>>>().into())
        }
        (List(a), List(b)) => List(Box::new(Typed { of: join(&a.of, &b.of)?, optional: a.optional || b.optional })),
        (Record(a), Record(b)) => {
            let mut columns = (**a).clone();
            for (name, typed) in b.iter() {
                match columns.get_mut(name) {
                    Some(own) => {
                        *own = Typed { of: join(&own.of, &typed.of)?, optional: own.optional || typed.optional }
                    }
                    None => drop(columns.insert(name.clone(), Typed::optional(typed.of.clone()))),
                }
            }
            let missing = columns.keys().filter(|name| !b.contains_key(*name)).cloned().collect::<Vec<_>>();
            for name in missing {
                columns.entry(name).and_modify(|typed| typed.optional = true);
            }
            Record(Arc::new(columns))
        }
        (a, b) if std::mem::discriminant(a) == std::mem::discriminant(b) => a.clone(),
        _ => return None,
    })
}

/// Where two types are of no one type: the part of records that keeps them apart, if they are such, and what it is in each.
pub(super) fn apart<'t>(a: &'t Type, b: &'t Type) -> (Option<&'t FieldName>, &'t Type, &'t Type) {
    match (a, b) {
        (Type::List(one), Type::List(other)) => apart(&one.of, &other.of),
        (Type::Record(one), Type::Record(other)) => {
            let both = one.iter().filter_map(|(name, own)| Some((name, &own.of, &other.get(name)?.of)));
            let unlike = both.into_iter().find(|(_, own, other)| join(own, other).is_none());
            unlike.map_or((None, a, b), |(name, own, other)| match apart(own, other) {
                (None, own, other) => (Some(name), own, other),
                inner => inner,
            })
        }
        _ => (None, a, b),
    }
}

/// An operand: its type, and whether it is a written number, which is also an amount.
pub(super) type Operand<'a> = (&'a Type, bool);

/// What arithmetic yields, and whether that still is a written number; `None` where it means nothing.
pub(super) fn arithmetic(op: Arithmetic, (a, a_loose): Operand<'_>, (b, b_loose): Operand<'_>) -> Option<(Type, bool)> {
    use Arithmetic::*;
    use Type::*;
    let both = a_loose && b_loose;
    Some(match (op, a, b) {
        (_, Any, _) | (_, _, Any) => (Any, false),
        (_, Number, Number) => (Number, both),
        (Add | Subtract, Money, Money) => (Money, false),
        (Add | Subtract, Money, Number) if b_loose => (Money, false),
        (Add | Subtract, Number, Money) if a_loose => (Money, false),
        (Multiply, Money, Number) | (Multiply, Number, Money) | (Divide, Money, Number) => (Money, false),
        (Divide, Money, Money) => (Number, false),
        (Divide, Number, Money) if a_loose => (Number, false),
        (Add, Text | Choice(_), Text | Choice(_)) => (Text, false),
        (Add | Subtract, Date | DateTime | Time | Duration, Duration) => (a.clone(), false),
        (Add, Duration, Date | DateTime | Time) => (b.clone(), false),
        (Subtract, Date | DateTime, Date | DateTime) | (Subtract, Time, Time) => (Duration, false),
        (Multiply | Divide, Duration, Number) | (Multiply, Number, Duration) => (Duration, false),
        (Divide, Duration, Duration) => (Number, false),
        _ => return None,
    })
}
