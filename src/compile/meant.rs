//! What was probably meant by a name that means nothing: whatever bears it as a title, or the one position or
//! department whose name holds it.

use crate::compile::World;
use crate::compile::resolve::walk;
use crate::expression::{Expected, Fault, FaultKind};
use crate::model::text::{Text, Wording};
use crate::model::value::Type;
use crate::syntax::{Field, Process, StepKind};
use rust_decimal::Decimal;
use std::collections::BTreeSet;

/// The most positions that are listed.
const LISTED: usize = 8;

/// An expression with every suggestion made; a condition holds only where what it reads is set. `None` where a fault has
/// no mend.
pub(crate) fn mended(text: &str, faults: &[Fault], condition: bool) -> Option<String> {
    let (unset, misspelt): (Vec<&Fault>, Vec<&Fault>) =
        faults.iter().partition(|fault| condition && fault.kind == FaultKind::MaybeUnset);
    let mut found = text.to_owned();
    for fault in misspelt.into_iter().rev() {
        found.get(fault.range.clone())?;
        found.replace_range(fault.range.clone(), fault.suggestion.as_ref()?);
    }
    let unset: BTreeSet<&str> = unset.into_iter().filter_map(|fault| text.get(fault.range.clone())).collect();
    let guards: String = unset.iter().map(|name| format!("({name}) != null and ")).collect();
    Some(if guards.is_empty() { found } else { format!("{guards}({found})") })
}

/// Adds to an unknown name what was probably meant, as far as only the process and the directory can tell.
pub(crate) fn explain(fault: &mut Fault, name: &str, expected: &Expected, document: &Process, world: &World<'_>) {
    let directory = &world.directory;
    let department = |name: &String| {
        directory.departments.contains_key(name.as_str()) && !directory.positions.contains_key(name.as_str())
    };
    // A department is nobody; what was meant may as well be a position that is called otherwise.
    if *expected == Expected::People
        && fault.kind == FaultKind::UnknownName
        && fault.suggestion.as_ref().is_some_and(department)
    {
        let near = fault.suggestion.take().unwrap_or_default();
        fault.hint = Some(heads(&near));
        return;
    }
    if fault.suggestion.is_some() {
        return;
    }
    if *expected == Expected::People
        && fault.kind == FaultKind::BadExpression
        && matches!(name.trim(), "," | "、" | "，")
    {
        fault.hint = Some(Wording::new(
            "几个人写成列表，如 `[经理, 会计]`，再写 `mode: any`（一人即可）或 `mode: all`（全部同意）",
            "Several people are a list, such as `[boss, clerk]`, with `mode: any` (one is enough) or `mode: all` beside it",
        ));
        return;
    }
    if *expected == Expected::Time && fault.kind == FaultKind::UnknownName && instead(name, document, world).is_none() {
        let mut waits = false;
        walk(&document.steps, &mut |step| {
            waits |= matches!(&step.kind, StepKind::Wait { until } if until.text.trim() == name);
        });
        let (zh, en) = match waits {
            true => (
                format!("；要等外面的消息，写 `receive: {name}`"),
                format!("; to wait for a message from outside, write `receive: {name}`"),
            ),
            false => Default::default(),
        };
        fault.hint = Some(Wording::new(
            format!("这里写时长或日期，例如 `2 working days`、`date(\"2026-03-06\")`，或一个日期字段{zh}。"),
            format!(
                "Here stands a length of time or a date, such as `2 working days`, `date(\"2026-03-06\")` or a field that holds a date{en}."
            ),
        ));
        return;
    }
    let instead = match fault.kind {
        FaultKind::UnknownName => instead(name, document, world),
        FaultKind::UnknownOption => option(name, document),
        _ => return,
    };
    if fault.kind == FaultKind::UnknownName && fields(document).iter().any(|field| field.name.value == name) {
        fault.hint = Some(Wording::new(
            format!("流程里有字段 `{name}`，但这里读不到它。"),
            format!("The process has a field `{name}`, which cannot be read here."),
        ));
    } else if let Some(near) = instead.as_ref().filter(|near| *expected == Expected::People && department(near)) {
        fault.hint = Some(heads(near));
    } else if let Some(name) = instead {
        fault.hint = Some(Wording::new(format!("是不是 `{name}`？"), format!("Did you mean `{name}`?")));
        fault.suggestion = Some(name);
    } else if *expected == Expected::People && fault.kind == FaultKind::UnknownName {
        let names: Vec<String> = world.directory.positions.keys().take(LISTED).map(|id| format!("`{id}`")).collect();
        let more = if world.directory.positions.len() > LISTED { " …" } else { "" };
        let listed = names.join(" ");
        fault.hint = Some(Wording::new(
            format!("通讯录里的岗位有：{listed}{more}。"),
            format!("The positions of the directory are {listed}{more}."),
        ));
    }
}

/// What is said where a department stands for people.
fn heads(department: &str) -> Wording {
    Wording::new(
        format!("部门 `{department}` 的负责人写成 `head_of({department})`；岗位请写它的名称。"),
        format!(
            "Who heads the department `{department}` is `head_of({department})`; a position is written by its name."
        ),
    )
}

/// Takes a mend for what another place would ask: a length of time where a number is asked, a text where people are.
pub(crate) fn unlike_place(fault: &mut Fault, written: &str, expected: &Expected) {
    let number = matches!(expected, Expected::Type(typed) if matches!(typed.of, Type::Number | Type::Money));
    if number && fault.kind == FaultKind::BadExpression {
        let alone = fault.suggestion.as_ref().and_then(|better| better.split_once(' '));
        if let Some((number, _)) = alone.filter(|(number, _)| number.parse::<Decimal>().is_ok()) {
            let number = number.to_owned();
            fault.hint = Some(Wording::new(
                format!("这里只写数字：`{number}`；单位写进 `title`。"),
                format!("Only the number stands here: `{number}`; its unit belongs into `title`."),
            ));
            fault.suggestion = Some(number);
        }
    }
    let marks = ['、', '，', ','];
    if *expected == Expected::People && written.contains(marks) && !written.contains(['[', '(', '"']) {
        let all: Vec<&str> = written.split(marks).map(str::trim).collect();
        fault.hint = Some(Wording::new(
            format!("几个人写成列表：`[{}]`，再写 `mode: any`（一人即可）或 `mode: all`（全部同意）。", all.join(", ")),
            format!(
                "Several people are a list, `[{}]`, with `mode: any` (one is enough) or `mode: all` beside it.",
                all.join(", ")
            ),
        ));
        fault.suggestion = None;
    }
}

/// The option that bears a title.
fn option(title: &str, document: &Process) -> Option<String> {
    let titled = |field: &&Field| field.options.iter().any(|option| says(&option.title, title));
    let field = fields(document).into_iter().find(titled)?;
    let option = field.options.iter().find(|option| says(&option.title, title))?;
    Some(option.name.value.clone())
}

fn fields(document: &Process) -> Vec<&Field> {
    let mut fields: Vec<&Field> = document.form.iter().chain(&document.data).collect();
    walk(&document.steps, &mut |step| fields.extend(&step.form));
    fields
}

/// A name to write instead, if exactly one fits.
fn instead(name: &str, document: &Process, world: &World<'_>) -> Option<String> {
    let name = name.trim();
    let titled =
        fields(document).into_iter().filter(|field| field.title.as_ref().is_some_and(|title| says(&title.value, name)));
    let titled: Vec<String> = titled.map(|field| field.name.value.clone()).collect();
    let directory = &world.directory;
    let positions = directory.positions.iter().map(|(id, position)| (id.to_string(), &position.title));
    let departments = directory.departments.iter().map(|(id, department)| (id.to_string(), &department.title));
    let offices: Vec<(String, &Text)> = positions.chain(departments).collect();
    let called = || offices.iter().filter(|(_, title)| says(title, name)).map(|(id, _)| id.clone());
    let people = directory.people.iter().filter(|(_, person)| person.name == name);
    let people = people.map(|(id, _)| format!("person(\"{id}\")"));
    let holding = || {
        let holds = |id: &str| is_part(name, id) || is_part(id, name);
        offices.iter().filter(move |(id, _)| holds(id)).map(|(id, _)| id.clone())
    };
    only(titled)
        .or_else(|| only(called().collect()))
        .or_else(|| only(people.collect()))
        .or_else(|| only(holding().collect()))
}

/// Whether a name is a part of another: of Latin letters a whole word of it.
fn is_part(part: &str, whole: &str) -> bool {
    match part.is_ascii() {
        true => whole.split(['_', '-']).any(|word| word == part),
        false => part.chars().count() > 1 && whole.contains(part),
    }
}

fn says(title: &Text, name: &str) -> bool {
    match title {
        Text::One(text) => text == name,
        Text::Each { zh, en } => {
            zh.as_deref() == Some(name) || en.as_deref().is_some_and(|en| en.eq_ignore_ascii_case(name))
        }
    }
}

fn only(mut found: Vec<String>) -> Option<String> {
    if found.len() == 1 { found.pop() } else { None }
}
