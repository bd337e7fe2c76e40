//! Formulas as a reader who writes none would say them: people, times. What has no words of its own is shown as
//! the author wrote it.

use crate::model::definition::{Definition, Human, Mode};
use crate::model::formula::{Expr, Formula, Op, StepFact};
use crate::model::text::{Lang, clean_line};
use crate::model::value::Value;

/// Who is asked: `申请人所在部门的主管`, `市场部经理、财务经理（都要同意）`.
pub(super) fn human(definition: &Definition, human: &Human, lang: Lang) -> String {
    let (glue, together) = match (human.mode, lang) {
        (Mode::Any, Lang::Zh) => (" 或 ", ""),
        (Mode::Any, Lang::En) => (" or ", ""),
        (_, Lang::Zh) => ("、", "（会签）"),
        (_, Lang::En) => (", ", " (all sign)"),
    };
    let several = human.who.len() > 1;
    let who: Vec<String> = human.who.iter().map(|who| person(definition, who, lang)).collect();
    format!("{}{}", who.join(glue), if several { together } else { "" })
}

/// Several people, all of them: `营销总监、申请人`.
pub(super) fn people(definition: &Definition, who: &[Formula], lang: Lang) -> String {
    let glue = if lang == Lang::Zh { "、" } else { ", " };
    who.iter().map(|who| person(definition, who, lang)).collect::<Vec<_>>().join(glue)
}

/// One entry of people.
pub(super) fn person(definition: &Definition, who: &Formula, lang: Lang) -> String {
    spoken(definition, &who.root, lang).unwrap_or_else(|| code(who))
}

/// Until when: `1 个工作日内`, `归还日期 之前`.
pub(super) fn due(definition: &Definition, due: &Formula, lang: Lang) -> String {
    let said = spoken(definition, &due.root, lang).unwrap_or_else(|| code(due));
    match (due.root.op(), lang) {
        (Op::Literal(Value::Duration(_)), Lang::Zh) => format!("{said}内"),
        (Op::Literal(Value::Duration(_)), Lang::En) => format!("within {said}"),
        (_, Lang::Zh) => format!("期限：{said}"),
        (_, Lang::En) => format!("due: {said}"),
    }
}

/// A formula as it is written, on one line.
pub(super) fn code(formula: &Formula) -> String {
    clean_line(&formula.text)
}

/// What a formula says, where it is simple enough to say.
pub(super) fn spoken(definition: &Definition, expr: &Expr, lang: Lang) -> Option<String> {
    let of = |of: &Expr| spoken(definition, of, lang);
    let pick = |zh: &str, en: &str| if lang == Lang::Zh { zh.to_owned() } else { en.to_owned() };
    Some(match expr.op() {
        Op::Literal(Value::Position(id)) => clean_line(id.as_str()),
        Op::Literal(Value::Department(id)) => clean_line(id.as_str()),
        Op::Literal(Value::Duration(duration)) => duration.words(lang),
        Op::Applicant => pick("申请人", "the applicant"),
        Op::Assignee => pick("经办人", "who is asked"),
        Op::Everyone => pick("所有人", "everyone"),
        Op::Field(name) => {
            let field = definition.fields().find(|(field, _)| *field == name);
            clean_line(field.map_or(name.as_str(), |(_, field)| field.title.get(lang)))
        }
        Op::Step(id, StepFact::By) => {
            let title = definition.steps.get(id).and_then(|step| step.title.as_ref());
            let step = clean_line(title.map_or(id.as_str(), |title| title.get(lang)));
            match lang {
                Lang::Zh => format!("办理“{step}”的人"),
                Lang::En => format!("who did “{step}”"),
            }
        }
        Op::Path(person, part) if part.as_str() == "department" => match lang {
            Lang::Zh => format!("{}所在部门", of(person)?),
            Lang::En => format!("the department of {}", of(person)?),
        },
        Op::Call(name, arguments) => match (&**name, arguments.as_slice(), lang) {
            ("head_of", [one], Lang::Zh) => format!("{}的主管", of(one)?),
            ("head_of", [one], Lang::En) => format!("head of {}", of(one)?),
            ("manager_of", [one], Lang::Zh) => format!("{}的上级", of(one)?),
            ("manager_of", [one], Lang::En) => format!("superior of {}", of(one)?),
            ("holders", [one], _) => of(one)?,
            ("members", [one], Lang::Zh) => format!("{}的成员", of(one)?),
            ("members", [one], Lang::En) => format!("members of {}", of(one)?),
            ("up_to", [from, to], Lang::Zh) => format!("{}的各级上级，直到{}", of(from)?, of(to)?),
            ("up_to", [from, to], Lang::En) => format!("superiors of {}, up to {}", of(from)?, of(to)?),
            _ => return None,
        },
        _ => return None,
    })
}
