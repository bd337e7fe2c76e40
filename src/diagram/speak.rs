//! What a picture says of each kind of step: its title, who and until when, and on what its ways are taken. The
//! one place that knows the kinds.

use super::clock::clock;
use super::drawing::{Kind, Note};
use super::read::Reader;
use crate::model::control::{Call, Each, Http, Join, Overdue, Piece, Then};
use crate::model::definition::{Step, StepKind};
use crate::model::form::FieldKind;
use crate::model::formula::{Formula, Op};
use crate::model::graph::{Node, On};
use crate::model::id::{FieldName, Outcome, StepId};
use crate::model::text::{Lang, clean_line};
use crate::model::value::Value;
use crate::model::words;

/// Whether an edge leads into a list that the step holds.
pub(super) fn leads_in(on: &On) -> bool {
    matches!(on, On::Case(_) | On::Otherwise | On::Branch(_) | On::Row)
}

/// Whether an edge is part of the ordinary flow to what follows, and not of what happens by time.
pub(super) fn falls_through(on: &On) -> bool {
    *on != On::Overdue
}

/// Whether an edge leads to what takes a step back; it is told, not drawn.
pub(super) fn takes_back(on: &On) -> bool {
    *on == On::Undo
}

impl Reader<'_> {
    pub(super) fn kind(&self, id: &StepId, step: &Step) -> Kind {
        match &step.kind {
            StepKind::Approve(_) => Kind::Approve,
            StepKind::Task(_) => Kind::Task,
            StepKind::Choose(_) if self.is_guard(id) => Kind::Guard,
            StepKind::Choose(_) => Kind::Choose,
            StepKind::Set(_) => Kind::Set,
            StepKind::Table(_) => Kind::Table,
            StepKind::Notify(_) => Kind::Notify,
            StepKind::End(_) => Kind::End,
            StepKind::Parallel(_) => Kind::Parallel,
            StepKind::Each(_) => Kind::Each,
            StepKind::Race => Kind::Race,
            StepKind::Call(_) => Kind::Call,
            StepKind::Wait(_) => Kind::Wait,
            StepKind::Receive(_) => Kind::Receive,
            StepKind::Http(_) => Kind::Http,
            StepKind::Job(_) => Kind::Job,
        }
    }

    pub(super) fn title(&self, id: &StepId, step: &Step) -> String {
        if let (Some(title), false) = (&step.title, self.is_guard(id)) {
            return clean_line(title.get(self.lang));
        }
        match &step.kind {
            StepKind::Choose(cases) if self.is_guard(id) => {
                let condition = cases.iter().map(|formula| self.say.code(formula)).collect::<Vec<_>>().join(" ");
                match self.lang {
                    Lang::Zh => format!("{condition} ？"),
                    Lang::En => format!("{condition} ?"),
                }
            }
            StepKind::Choose(_) => self.pick("按条件分支", "By condition"),
            StepKind::Set(values) => {
                let names: Vec<String> = values.keys().map(|name| self.field(name.as_str())).collect();
                format!("{}{}", self.pick("计算", "Compute "), names.join(&self.pick("、", ", ")))
            }
            StepKind::Table(look_up) => {
                let title =
                    self.definition.tables.get(&look_up.table).map(|table| clean_line(table.title.get(self.lang)));
                format!("{}{}", self.pick("查决策表 ", "Look up "), title.unwrap_or_else(|| look_up.table.to_string()))
            }
            StepKind::Notify(notify) => {
                let who = self.say.people(&notify.who);
                format!("{}{who}", self.pick("通知", "Tell "))
            }
            StepKind::End(outcome) => self.definition.ending(outcome, self.lang),
            StepKind::Parallel(_) => self.pick("同时进行", "At the same time"),
            StepKind::Race => self.pick("谁先到", "Whichever comes first"),
            StepKind::Each(each) => match self.lang {
                Lang::Zh => format!("“{}”的每一行", self.rows(each)),
                Lang::En => format!("Every row of “{}”", self.rows(each)),
            },
            StepKind::Call(call) => self.process(call, ("流程", "Process ")),
            StepKind::Wait(until) => self.until(until),
            StepKind::Receive(receive) => {
                format!("{}{}", self.pick("等待消息 ", "Message "), words::named(&receive.message))
            }
            StepKind::Http(http) => format!("{}{}", self.pick("请求 ", "Request "), self.address(http)),
            StepKind::Job(job) => format!("{}{}", self.pick("作业 ", "Job "), words::named(&job.name)),
            StepKind::Approve(_) | StepKind::Task(_) => words::named(id.as_str()),
        }
    }

    pub(super) fn notes(&self, id: &StepId, step: &Step) -> Vec<Note> {
        let mut notes = self.told(step);
        notes.extend(step.due().map(|due| Note::Due(self.say.due(due))));
        notes.extend(step.overdue.iter().flat_map(|overdue| self.overdue(id, overdue)));
        let here = Node::Step(id.clone());
        if let Some(back) = self.definition.graph.next(&here, &On::Undo) {
            let list = self.definition.graph.block_of(back).map(|block| self.listed(block)).unwrap_or_default();
            let titles = list.into_iter().filter_map(|id| Some(self.title(id, self.definition.steps.get(id)?)));
            let back = titles.collect::<Vec<_>>().join(" → ");
            notes.push(Note::What(format!("{}{back}", self.pick("撤销时：", "to undo: "))));
        }
        notes
    }

    /// Who and what, by kind; not what the title says already.
    fn told(&self, step: &Step) -> Vec<Note> {
        let titled = step.title.is_some();
        let what = |zh: &str, en: &str| vec![Note::What(self.pick(zh, en))];
        match &step.kind {
            StepKind::Approve(human) | StepKind::Task(human) => {
                vec![Note::Who(self.say.human(human))]
            }
            StepKind::Set(values) => {
                values.iter().map(|(name, formula)| Note::What(self.equals(name, formula))).collect()
            }
            StepKind::Notify(notify) if titled => {
                vec![Note::Who(self.say.people(&notify.who))]
            }
            StepKind::Parallel(Join::All) => what("全部完成后继续", "goes on when all are done"),
            StepKind::Parallel(Join::Any) => what("一支完成就继续", "goes on when one is done"),
            StepKind::Parallel(Join::Count(count)) => match self.lang {
                Lang::Zh => vec![Note::What(format!("{count} 支完成就继续"))],
                Lang::En => vec![Note::What(format!("goes on when {count} are done"))],
            },
            StepKind::Race => what("其余的取消", "the others are cancelled"),
            StepKind::Each(each) => {
                let mut notes = if titled { vec![Note::What(self.rows(each))] } else { Vec::new() };
                notes.extend(match each.in_order {
                    true => what("逐行依次", "one row after the other"),
                    false => what("各行同时", "all rows at once"),
                });
                let until = each.until.as_ref().map(|formula| self.say.code(formula));
                notes.extend(until.map(|until| Note::What(format!("{}{until}", self.pick("直到 ", "until ")))));
                notes
            }
            StepKind::Call(call) => {
                let mut notes = Vec::new();
                if titled {
                    notes.push(Note::What(self.process(call, ("流程", "process "))));
                }
                notes.extend(call.by.as_ref().map(|by| {
                    let by = self.say.people(std::slice::from_ref(by));
                    Note::Who(match self.lang {
                        Lang::Zh => format!("以{by}的名义"),
                        Lang::En => format!("in the name of {by}"),
                    })
                }));
                notes.extend(call.detached.then(|| Note::What(self.pick("不等结果", "not awaited"))));
                notes
            }
            StepKind::Wait(until) if titled => vec![Note::Due(self.until(until))],
            StepKind::Receive(receive) if titled => {
                vec![Note::What(format!("{}{}", self.pick("消息 ", "message "), words::named(&receive.message)))]
            }
            StepKind::Http(http) if titled => vec![Note::What(self.address(http))],
            StepKind::Job(job) if titled => {
                vec![Note::What(format!("{}{}", self.pick("作业 ", "job "), words::named(&job.name)))]
            }
            _ => Vec::new(),
        }
    }

    /// What happens to an overdue step, each on a line of its own; a jump is drawn and not told.
    fn overdue(&self, id: &StepId, overdue: &Overdue) -> Vec<Note> {
        let said = match (&overdue.then, self.lang) {
            (Some(Then::Reassign(who)), Lang::Zh) => Some(format!("改由{}办理", self.say.people(who))),
            (Some(Then::Reassign(who)), Lang::En) => Some(format!("reassigned to {}", self.say.people(who))),
            (Some(Then::Decide(name)), Lang::Zh) => Some(format!("按“{}”处理", self.outcome(id, name))),
            (Some(Then::Decide(name)), Lang::En) => Some(format!("decided as “{}”", self.outcome(id, name))),
            (Some(Then::Go) | None, _) => None,
        };
        let people = (!overdue.notify.is_empty()).then(|| self.say.people(&overdue.notify));
        let every = overdue.every.as_ref();
        let every = every.map(|every| self.say.spoken(&every.root).unwrap_or_else(|| self.say.code(every)));
        let told = people.map(|people| match (every, self.lang) {
            (None, Lang::Zh) => format!("通知{people}"),
            (None, Lang::En) => format!("tell {people}"),
            // Of one day it is every day.
            (Some(every), Lang::Zh) => format!("后每{}通知{people}", every.strip_prefix("1 ").unwrap_or(&every)),
            (Some(every), Lang::En) => format!("every {} tell {people}", every.strip_prefix("1 ").unwrap_or(&every)),
        });
        let all = told.into_iter().chain(said);
        all.map(|what| Note::Due(format!("{}{what}", self.pick("逾期", "overdue: ")))).collect()
    }

    /// How long, or until when, a `wait` waits.
    fn until(&self, until: &Formula) -> String {
        let said = self.say.spoken(&until.root).unwrap_or_else(|| self.say.code(until));
        match (until.root.op(), self.lang) {
            (Op::Literal(Value::Duration(_)), Lang::Zh) => format!("等待 {said}"),
            (Op::Literal(Value::Duration(_)), Lang::En) => format!("Wait {said}"),
            (_, Lang::Zh) => format!("等到 {said}"),
            (_, Lang::En) => format!("Wait until {said}"),
        }
    }

    /// Who may start a case, and when cases start by themselves, for whom.
    pub(super) fn starters(&self) -> Vec<Note> {
        let who: Vec<String> = {
            let title = |id| clean_line(self.directory.title_of_position(id, self.lang));
            self.definition.start.iter().map(title).collect()
        };
        let mut notes = vec![Note::Who(match who.is_empty() {
            true => self.pick("任何人都可以发起", "Anybody may start it"),
            false => match self.lang {
                Lang::Zh => format!("{}发起", who.join("、")),
                Lang::En => format!("started by {}", who.join(", ")),
            },
        })];
        if let Some(schedule) = &self.definition.schedule {
            let (when, whom) = (clock(&schedule.cron, self.lang), self.say.people(&schedule.by));
            notes.push(Note::Due(match self.lang {
                Lang::Zh => format!("{when} 自动发起"),
                Lang::En => format!("by itself {when}"),
            }));
            notes.push(Note::Who(match self.lang {
                Lang::Zh => format!("为{whom}，每人一个案例"),
                Lang::En => format!("for {whom}, a case each"),
            }));
        }
        notes
    }

    /// On what an edge of a step is taken; empty where there is nothing to say.
    pub(super) fn label(&self, id: &StepId, on: &On) -> String {
        let kind = self.definition.steps.get(id).map(|step| &step.kind);
        match (on, kind) {
            (On::Next, _) => String::new(),
            (On::Outcome(name), _) => self.outcome(id, name),
            (On::Case(_), _) if self.is_guard(id) => self.pick("是", "yes"),
            (On::Otherwise, _) if self.is_guard(id) => self.pick("否", "no"),
            (On::Case(number), Some(StepKind::Choose(cases))) => {
                cases.get(usize::from(*number)).map(|formula| self.say.code(formula)).unwrap_or_default()
            }
            (On::Case(_), _) => String::new(),
            (On::Otherwise, Some(StepKind::Call(_))) => self.pick("其他结果", "any other outcome"),
            (On::Otherwise, _) => self.pick("否则", "otherwise"),
            (On::Branch(name), _) => words::named(name),
            (On::Row, _) => self.pick("每一行", "every row"),
            (On::Overdue, _) => self.pick("逾期", "overdue"),
            (On::Undo, _) => self.pick("撤销", "undo"),
        }
    }

    /// What an outcome of a step is called.
    pub(super) fn outcome(&self, id: &StepId, name: &Outcome) -> String {
        let step = self.definition.steps.get(id);
        // What a block of branches comes to is one of them, by the name that its author gave.
        if step.is_some_and(|step| matches!(step.kind, StepKind::Race | StepKind::Parallel(_))) {
            return words::named(name.as_str());
        }
        // A called case ends, and nobody answers it.
        if step.is_some_and(|step| matches!(step.kind, StepKind::Call(_)))
            && let Some(words) = words::ending(name.as_str())
        {
            return words.get(self.lang).to_owned();
        }
        let human = step.and_then(|step| step.human());
        let own = human.and_then(|human| human.outcomes.get(name)).and_then(|answer| answer.title.as_ref());
        // A called case is withdrawn or cancelled, which no step is.
        match (own, words::answer(name.as_str()).or_else(|| words::ending(name.as_str()))) {
            (Some(title), _) => clean_line(title.get(self.lang)),
            (None, Some(words)) => words.get(self.lang).to_owned(),
            (None, None) => words::named(name.as_str()),
        }
    }

    /// What a called process is called: its title where it is known.
    fn process(&self, call: &Call, (zh, en): (&str, &str)) -> String {
        match (self.processes.get(&call.process), self.lang) {
            (Some(title), Lang::Zh) => format!("{zh}“{}”", clean_line(title.get(self.lang))),
            (Some(title), Lang::En) => format!("{en}“{}”", clean_line(title.get(self.lang))),
            (None, Lang::Zh) => format!("{zh} {}", words::named(call.process.as_str())),
            (None, Lang::En) => format!("{en}{}", words::named(call.process.as_str())),
        }
    }

    fn equals(&self, name: &FieldName, formula: &Formula) -> String {
        let option = self.option(name, formula).unwrap_or_else(|| self.say.code(formula));
        format!("{} = {option}", self.field(name.as_str()))
    }

    /// What the option of a field is called that a formula writes; in a formula its word may have several titles.
    fn option(&self, name: &FieldName, formula: &Formula) -> Option<String> {
        let Op::Literal(Value::Text(word)) = formula.root.op() else { return None };
        let (_, field) = self.definition.fields().find(|(field, _)| *field == name)?;
        let FieldKind::Choice(options) = &field.kind else { return None };
        let (_, title) = options.iter().find(|(option, _)| option.as_ref() == word.as_ref())?;
        Some(clean_line(title.get(self.lang)))
    }

    /// The list whose rows an `each` goes through: the field, or else who or what it names.
    fn rows(&self, each: &Each) -> String {
        match each.rows.root.op() {
            Op::Field(name) => self.field(name.as_str()),
            _ => self.say.spoken(&each.rows.root).unwrap_or_else(|| self.say.code(&each.rows)),
        }
    }

    /// What a field is called.
    fn field(&self, name: &str) -> String {
        let field = self.definition.fields().find(|(field, _)| field.as_str() == name);
        clean_line(field.map_or(name, |(_, field)| field.title.get(self.lang)))
    }

    /// What is called, without what nobody should see.
    fn address(&self, http: &Http) -> String {
        let piece = |piece: &Piece| match piece {
            Piece::Text(text) => clean_line(text),
            Piece::Value(formula) => format!("{{{}}}", self.say.code(formula)),
            Piece::Secret(_) => "…".to_owned(),
        };
        format!("{} {}", http.method, http.url.iter().map(piece).collect::<String>())
    }
}
