//! A value of another type than its place needs: what it is, what is needed, and how the one becomes the other.

use super::fault::{Fault, FaultKind};
use super::habit;
use super::infer::{Infer, Options};
use super::tree::Node;
use super::types;
use crate::model::value::Type;
use std::sync::Arc;

impl Infer<'_> {
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

    /// Reports a choice that may be what is no option where it goes.
    fn other_options(&mut self, node: &Node, found: &Options, needed: &Options) {
        let list = |options: &mut dyn Iterator<Item = &Arc<str>>| {
            options.map(|option| format!("`{option}`")).collect::<Vec<_>>().join(" ")
        };
        let written = self.written(node);
        let more = list(&mut found.iter().filter(|option| !needed.contains(option)));
        let known = list(&mut needed.iter());
        self.fault(
            Fault::new(
                node.range.clone(),
                FaultKind::WrongType,
                format!("`{written}` 可能是 {more}，而这里没有这个选项"),
                format!("`{written}` may be {more}, which is no option here"),
            )
            .hint(format!("这里的选项有：{known}。"), format!("The options here are {known}.")),
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
        // A deadline may be a day as well.
        if let (Type::Duration, Type::Number, Some(day)) = (needed, found, habit::day(written)) {
            let day = format!("date(\"{day}\")");
            return write(fault, day.clone()).suggest(day);
        }
        if matches!(needed, Type::Date | Type::DateTime) && habit::looks_like_day(written) {
            return fault.hint("没有这一天。", "There is no such day.");
        }
        match (found, needed) {
            (Type::Number | Type::Money, Type::Text) => write(fault, format!("string({written})")),
            (Type::Text, Type::Number | Type::Money) => write(fault, format!("number({written})")),
            (Type::DateTime, Type::Date) => write(fault, format!("date({written})")),
            (Type::Text, Type::Person) => Infer::person_instead(fault, node, written),
            (Type::Department, Type::Person) => write(fault, format!("head_of({written})")),
            (Type::Position, Type::Person) => write(fault, format!("holders({written})[1]")),
            (Type::Number, Type::Duration) => write(fault, format!("{written} days")),
            (Type::Duration, Type::Number) => write(fault, format!("({written}).days")),
            (Type::Number, Type::Money) | (Type::Money, Type::Number) => fault.hint(
                "金额和数字不能互换：把字段的类型改成一样，或乘、除一个数字。",
                "Money and numbers are not the same: give both the same type, or multiply or divide by a number.",
            ),
            (_, Type::Boolean) => fault
                .hint("条件是一个比较，例如 `total >= 500`。", "A condition is a comparison, such as `total >= 500`."),
            _ => fault,
        }
    }
}
