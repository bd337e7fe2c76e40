//! Formulas as a reader who writes none would say them: people, times. What has no words of its own is shown as
//! the author wrote it, with titles for names.

use super::named::Titles;
use crate::model::definition::{Definition, Human, Mode, StepKind};
use crate::model::formula::{Arithmetic, Expr, Formula, Op, StepFact};
use crate::model::id::FieldName;
use crate::model::people::Directory;
use crate::model::text::{Lang, clean_line};
use crate::model::value::Value;

/// Says the formulas of one process in one language.
pub struct Phrases<'a> {
    definition: &'a Definition,
    directory: &'a Directory,
    lang: Lang,
    titles: Titles<'a>,
}

impl<'a> Phrases<'a> {
    /// For a process, with the titles of this directory.
    pub fn of(definition: &'a Definition, directory: &'a Directory, lang: Lang) -> Phrases<'a> {
        Phrases { definition, directory, lang, titles: Titles::of(definition, directory) }
    }

    /// Who is asked: `申请人所在部门的主管`, `市场部经理、财务经理（会签）`.
    pub fn human(&self, human: &Human) -> String {
        let (glue, together) = match (human.mode, self.lang) {
            (Mode::Any, Lang::Zh) => (" 或 ", ""),
            (Mode::Any, Lang::En) => (" or ", ""),
            (_, Lang::Zh) => ("、", "（会签）"),
            (_, Lang::En) => (", ", " (all sign)"),
        };
        let several = human.who.len() > 1;
        let who: Vec<String> = human.who.iter().map(|who| self.person(who)).collect();
        format!("{}{}", who.join(glue), if several { together } else { "" })
    }

    /// Several people, all of them: `营销总监、申请人`.
    pub fn people(&self, who: &[Formula]) -> String {
        who.iter().map(|who| self.person(who)).collect::<Vec<_>>().join(self.pick("、", ", "))
    }

    /// One entry of people.
    fn person(&self, who: &Formula) -> String {
        self.spoken(&who.root).unwrap_or_else(|| self.code(who))
    }

    /// Until when: `1 个工作日内`, `归还日期 之前`.
    pub(super) fn due(&self, due: &Formula) -> String {
        let said = self.spoken(&due.root).unwrap_or_else(|| self.code(due));
        match (due.root.op(), self.lang) {
            (Op::Literal(Value::Duration(_)), Lang::Zh) => format!("{said}内"),
            (Op::Literal(Value::Duration(_)), Lang::En) => format!("within {said}"),
            (_, Lang::Zh) => format!("期限：{said}"),
            (_, Lang::En) => format!("due: {said}"),
        }
    }

    /// A formula as it is written, on one line, with titles for names.
    pub(super) fn code(&self, formula: &Formula) -> String {
        self.titles.put_into(&formula.text, self.lang)
    }

    fn pick(&self, zh: &'static str, en: &'static str) -> &'static str {
        if self.lang == Lang::Zh { zh } else { en }
    }

    /// What a formula says, where it is simple enough to say.
    pub(super) fn spoken(&self, expr: &Expr) -> Option<String> {
        let of = |of: &Expr| self.spoken(of);
        Some(match expr.op() {
            Op::Literal(Value::Position(id)) => clean_line(self.directory.title_of_position(id, self.lang)),
            Op::Literal(Value::Department(id)) => clean_line(self.directory.title_of_department(id, self.lang)),
            Op::Literal(Value::Duration(duration)) => duration.words(self.lang),
            Op::Applicant => self.pick("申请人", "the applicant").to_owned(),
            Op::Assignee => self.pick("经办人", "who is asked").to_owned(),
            Op::Everyone => self.pick("所有人", "everyone").to_owned(),
            Op::Field(name) => {
                let field = self.definition.fields().find(|(field, _)| *field == name);
                clean_line(field.map_or(name.as_str(), |(_, field)| field.title.get(self.lang)))
            }
            Op::Step(id, StepFact::By) => {
                let title = self.definition.steps.get(id).and_then(|step| step.title.as_ref());
                let step = clean_line(title.map_or(id.as_str(), |title| title.get(self.lang)));
                match self.lang {
                    Lang::Zh => format!("办理“{step}”的人"),
                    Lang::En => format!("who did “{step}”"),
                }
            }
            Op::Arithmetic(Arithmetic::Add, day, by) => self.away(day, by, ("之后", "after"))?,
            Op::Arithmetic(Arithmetic::Subtract, day, by) => self.away(day, by, ("之前", "before"))?,
            Op::Path(row, column) if self.column(row, column.as_str()).is_some() => {
                let column = self.column(row, column.as_str())?;
                match self.lang {
                    Lang::Zh => format!("该行的{column}"),
                    Lang::En => format!("{column} of the row"),
                }
            }
            Op::Path(person, part) if part.as_str() == "department" => match self.lang {
                Lang::Zh => format!("{}所在部门", of(person)?),
                Lang::En => format!("the department of {}", of(person)?),
            },
            Op::Call(name, arguments) => match (&**name, arguments.as_slice(), self.lang) {
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

    /// A length of time behind or before a day: `归还日期之前 3 天`.
    fn away(&self, day: &Expr, by: &Expr, (zh, en): (&str, &str)) -> Option<String> {
        let Op::Literal(Value::Duration(by)) = by.op() else { return None };
        let (day, by) = (self.spoken(day)?, by.words(self.lang));
        Some(match self.lang {
            Lang::Zh => format!("{day}{zh} {by}"),
            Lang::En => format!("{by} {en} {day}"),
        })
    }

    /// What a column of the row of an `each` is called.
    fn column(&self, row: &Expr, column: &str) -> Option<String> {
        let Op::Field(alias) = row.op() else { return None };
        let each = self.definition.steps.values().find_map(|step| match &step.kind {
            StepKind::Each(each) if each.alias == *alias => Some(each),
            _ => None,
        })?;
        let field = each.columns.get(&FieldName::from(column))?;
        Some(clean_line(field.title.get(self.lang)))
    }
}
