//! `/t/<ticket>`: what a person is asked. GET shows it, POST answers.
//!
//! A POST that cannot be recorded as it is (no choice made, a field that is no number, data that changed since it
//! was shown) gets the same page back with all that was typed and amber words; the ticket lives on. One that is
//! recorded is answered with 303 to the page, which then shows what was decided. A second one is answered with
//! the first: 200 where it says the same, 409 where it does not.

use super::outcome;
use super::{Around, Desk};
use crate::effects::format::{clean, clean_line, masked};
use crate::effects::timeline::choices;
use crate::effects::view::{CaseView, Change, Shown, changes};
use crate::engine::fingerprint::Fingerprint;
use crate::engine::refusal::Refusal;
use crate::engine::state::TaskKind;
use crate::model::definition::outcome as outcomes;
use crate::model::form::{Field, FieldKind, Form, field_at};
use crate::model::id::Outcome;
use crate::model::input::{Misread, Reading, compact, read_form};
use crate::model::text::Lang;
use crate::model::value::{Record, Value};
use crate::runtime::Denied;
use crate::runtime::access::{self, Answering, Closed, Standing};
use crate::web::form::{BLANK_ROWS, Sheet, Widget};
use crate::web::guard::Worded;
use crate::web::upload::{self, Pairs, Sent};
use crate::web::{WebError, WebState};
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, RawQuery, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Serialize;
use std::borrow::Cow;
use std::collections::btree_map::Entry;
use std::sync::Arc;

/// How many blank rows more a list gets when they are asked for.
const MORE_ROWS: usize = 3;

/// Shows the page.
pub(in crate::web) async fn show(
    State(state): State<WebState>,
    path: Result<Path<String>, PathRejection>,
    RawQuery(query): RawQuery,
) -> Result<Response, WebError> {
    let Path(ticket) = path.map_err(|_| WebError::nothing())?;
    let visit = state.access.open(&ticket).await?;
    let around = Around::of(&state, &visit).await?;
    let desk = Desk::new(&state, &visit, &around, &ticket, query.as_deref());
    match visit.standing {
        Standing::Asked => render(&state, &desk, Filled::default(), StatusCode::OK),
        _ => outcome::render(&state, &desk, None, StatusCode::OK).await,
    }
}

/// Takes the answer.
pub(in crate::web) async fn decide(
    State(state): State<WebState>,
    path: Result<Path<String>, PathRejection>,
    RawQuery(query): RawQuery,
    request: Request,
) -> Result<Response, WebError> {
    let Path(ticket) = path.map_err(|_| WebError::nothing())?;
    let visit = state.access.open(&ticket).await?;
    let around = Around::of(&state, &visit).await?;
    let desk = Desk::new(&state, &visit, &around, &ticket, query.as_deref());
    let asked = visit.form().filter(|_| visit.standing == Standing::Asked);
    let sent = upload::read(&state, &visit, asked.as_deref(), request).await?;
    let mut filled = Filled::read(&desk, sent);
    if visit.standing != Standing::Asked {
        return outcome::again(&state, &desk, &filled.late(&desk, filled.outcome.as_ref())).await;
    }
    if filled.add.is_some() {
        return render(&state, &desk, filled, StatusCode::OK);
    }
    let Some(seen) = filled.seen else { return Err(WebError::not_ours()) };
    let Some(answering) = filled.check(&desk, seen) else {
        return render(&state, &desk, filled, StatusCode::UNPROCESSABLE_ENTITY);
    };
    let wanted = answering.outcome.clone();
    let refusal = match state.access.answer(&visit, answering).await {
        Ok(accepted) if !accepted.repeated => return Ok(Redirect::to(&desk.frame.link(&desk.path)).into_response()),
        Ok(_) => None,
        Err(Denied::Refused(refusal, _)) => Some(refusal),
        Err(denied) => return Err(denied.into()),
    };
    // Someone was faster, perhaps the same person with a second tap: look again.
    let visit = state.access.open(&ticket).await.map_err(|closed| match closed {
        Closed::Nothing => WebError::ours(),
        closed => closed.into(),
    })?;
    let around = Around::of(&state, &visit).await?;
    let desk = Desk::new(&state, &visit, &around, &ticket, query.as_deref());
    match (&visit.standing, refusal) {
        (Standing::Asked, Some(refusal)) => {
            let status = filled.refused(&desk, &refusal);
            render(&state, &desk, filled, status)
        }
        (Standing::Asked, None) => Err(WebError::ours()),
        _ => outcome::again(&state, &desk, &filled.late(&desk, Some(&wanted))).await,
    }
}

/// What stands in the page's form, and what is wrong with it.
#[derive(Debug, Default)]
struct Filled {
    /// The boxes as they were sent; as the case fills them where `None`.
    sheet: Option<Sheet>,
    outcome: Option<Outcome>,
    opinion: String,
    seen: Option<Fingerprint>,
    revision: Option<u32>,
    /// The list that more rows were asked for.
    add: Option<String>,
    /// What is wrong, in a sentence each, for the top of the page.
    faults: Vec<String>,
    outcome_fault: Option<String>,
    opinion_fault: Option<String>,
    /// The data changed since it was shown.
    changed: bool,
}

/// Takes out what was left blank and has a default that could not be shown, which is still taken: as in a row that is new.
/// One that could stands in its box, so who empties that means it.
fn leave_unsaid(form: &Form, shown: &Record, values: &mut Record) {
    values.retain(|name, value| {
        let default = form.get(name).is_some_and(|field| field.default.is_some());
        !value.is_null() || !default || shown.get(name).is_some_and(|shown| !shown.is_null())
    });
    for (name, value) in values.iter_mut() {
        let (Some(FieldKind::List(columns)), Value::List(rows)) = (form.get(name).map(|field| &field.kind), value)
        else {
            continue;
        };
        let before = shown.get(name).and_then(Value::as_list).unwrap_or_default();
        for (number, row) in rows.iter_mut().enumerate() {
            let nothing = Record::new();
            let known = if let Some(Value::Record(known)) = before.get(number) { known } else { &nothing };
            if let Value::Record(row) = row {
                leave_unsaid(columns, known, row);
            }
        }
    }
}

impl Filled {
    fn read(desk: &Desk<'_>, sent: Sent) -> Filled {
        let (mut filled, mut entries) = (Filled::default(), Pairs::new());
        for (name, text) in sent.pairs {
            match name.as_str() {
                "outcome" => filled.outcome = Some(text.as_str().into()).filter(|_| !text.is_empty()),
                "opinion" => filled.opinion = text,
                "seen" => filled.seen = Fingerprint::parse(&text),
                "revision" => filled.revision = text.parse().ok(),
                "add" => filled.add = Some(text),
                "act" => {}
                _ => entries.push((name, text)),
            }
        }
        let form = desk.visit.form().map(Cow::into_owned).unwrap_or_default();
        // What is no field of the form is not kept: it would only be refused.
        let known = |path: &str| form.contains_key(path.split('.').next().unwrap_or_default());
        entries.retain(|(path, _)| known(path));
        let mut sheet = Sheet { entries: compact(&form, &entries), ..Sheet::default() };
        if let Some(list) = &filled.add {
            sheet.blank.insert(list.clone(), BLANK_ROWS + MORE_ROWS);
        }
        for (path, what) in sent.faults {
            let what = what.get(desk.words.lang).to_owned();
            let title = field_at(&form, &path).map(|field| field.title.get(desk.words.lang).to_owned());
            filled.faults.push(sentence(desk, &title.unwrap_or_default(), &path, &what));
            sheet.faults.insert(path, what);
        }
        filled.sheet = Some(sheet);
        filled
    }

    /// The answer, or `None` with the faults written down.
    fn check(&mut self, desk: &Desk<'_>, seen: Fingerprint) -> Option<Answering> {
        let choice = self.outcome.as_ref().and_then(|outcome| {
            let offered = offered(desk);
            offered.into_iter().find(|choice| choice.name == outcome.as_str())
        });
        if choice.is_none() {
            self.outcome = None;
            let words = desk.pick("请选择一项。", "Please choose one.");
            self.faults.push(words.clone());
            self.outcome_fault = Some(words);
        }
        let opinion = self.opinion.trim();
        if choice.as_ref().is_some_and(|choice| choice.opinion) && opinion.is_empty() {
            self.opinion_missing(desk);
        }
        let left_alone = choice.as_ref().is_some_and(|choice| leaves_form(&choice.name));
        let values = if left_alone { Record::new() } else { self.values(desk) };
        let choice = choice.filter(|_| self.faults.is_empty())?;
        let opinion = Some(self.opinion.trim())
            .filter(|words| !words.is_empty())
            .map(|words| Arc::from(words.replace("\r\n", "\n")));
        Some(Answering { outcome: choice.name.as_str().into(), opinion, values, seen: Some(seen) })
    }

    /// What was sent, for an assignment that is over by now.
    fn late<'s>(&'s self, desk: &Desk<'_>, outcome: Option<&'s Outcome>) -> outcome::Late<'s> {
        let (values, wrong) = match (desk.visit.form(), &self.sheet) {
            (Some(form), Some(sheet)) if !outcome.is_some_and(|outcome| leaves_form(outcome.as_str())) => {
                read(desk, &form, sheet)
            }
            _ => (Record::new(), Vec::new()),
        };
        let of = |misread: &Misread| misread.path.split('.').next().unwrap_or_default().into();
        outcome::Late { outcome, opinion: &self.opinion, values, misread: wrong.iter().map(of).collect() }
    }

    fn values(&mut self, desk: &Desk<'_>) -> Record {
        let (Some(form), Some(sheet)) = (desk.visit.form(), &mut self.sheet) else { return Record::new() };
        let (mut values, wrong) = read(desk, &form, sheet);
        if !matches!(desk.visit.kind, TaskKind::Revise { .. }) {
            leave_unsaid(&form, &desk.visit.filled(), &mut values);
        }
        // Boxes to tick send nothing where none is ticked.
        for (name, _) in form.iter().filter(|(_, field)| field.many && field.value.is_none()) {
            if !values.contains_key(name) && !sheet.faults.contains_key(name.as_str()) {
                values.insert(name.clone(), Value::List(Vec::new()));
            }
        }
        // What cannot be handed in is told whole: what could not be read, and what would be refused besides.
        if !wrong.is_empty() || !self.faults.is_empty() {
            for misread in desk.visit.all_wrong(self.outcome.as_ref(), &values, wrong) {
                let what = misread.what.get(desk.words.lang).to_owned();
                let said = sentence(desk, misread.title.get(desk.words.lang), &misread.path, &what);
                if let Entry::Vacant(free) = sheet.faults.entry(misread.path) {
                    free.insert(what);
                    self.faults.push(said);
                }
            }
        }
        values
    }

    fn opinion_missing(&mut self, desk: &Desk<'_>) {
        let words = desk.pick("这个选择需要写明意见。", "This choice needs an opinion: please say why.");
        self.faults.push(words.clone());
        self.opinion_fault = Some(words);
    }

    /// Writes down what a refusal says where it belongs, and answers the status.
    fn refused(&mut self, desk: &Desk<'_>, refusal: &Refusal) -> StatusCode {
        let lang = desk.words.lang;
        match refusal {
            Refusal::Changed => {
                // They are asked again: what they typed stays, the choice they make anew.
                (self.changed, self.outcome) = (true, None);
                StatusCode::CONFLICT
            }
            Refusal::BadForm(faults) => {
                for fault in faults {
                    let (path, what) = (fault.path_text(), fault.what.get(lang).to_owned());
                    self.faults.push(sentence(desk, fault.title.get(lang), &path, &what));
                    if let Some(sheet) = &mut self.sheet {
                        sheet.faults.insert(path, what);
                    }
                }
                StatusCode::UNPROCESSABLE_ENTITY
            }
            Refusal::OpinionRequired(_) => {
                self.opinion_missing(desk);
                StatusCode::UNPROCESSABLE_ENTITY
            }
            Refusal::TooLong { .. } => {
                let words = refusal.wording(&desk.visit.directory, desk.words.zone).get(lang).to_owned();
                self.faults.push(words.clone());
                self.opinion_fault = Some(words);
                StatusCode::UNPROCESSABLE_ENTITY
            }
            other => {
                self.faults.push(other.wording(&desk.visit.directory, desk.words.zone).get(lang).to_owned());
                StatusCode::CONFLICT
            }
        }
    }
}

/// What stands in the boxes, and what cannot be read of it.
fn read(desk: &Desk<'_>, form: &Form, sheet: &Sheet) -> (Record, Vec<Misread>) {
    let today = desk.visit.now.with_timezone(&desk.words.zone).date_naive();
    let reading = Reading { directory: &desk.visit.directory, today };
    match read_form(&reading, form, &sheet.entries) {
        Ok(values) => (values, Vec::new()),
        Err(read) => read,
    }
}

/// `“数量”（第 2 行）：…`
fn sentence(desk: &Desk<'_>, title: &str, path: &str, what: &str) -> String {
    let row = path.split('.').find_map(|part| part.parse::<usize>().ok()).map(|row| row + 1);
    match (desk.words.lang, row) {
        (Lang::Zh, Some(row)) => format!("{}（第 {row} 行）：{what}", clean_line(title)),
        (Lang::Zh, None) => format!("{}：{what}", clean_line(title)),
        (Lang::En, Some(row)) => format!("{} (row {row}): {what}", clean_line(title)),
        (Lang::En, None) => format!("{}: {what}", clean_line(title)),
    }
}

fn leaves_form(outcome: &str) -> bool {
    [outcomes::REJECTED, outcomes::RETURNED, outcomes::WITHDRAWN].contains(&outcome)
}

#[derive(Serialize)]
struct Choice {
    name: String,
    label: String,
    opinion: bool,
    chosen: bool,
}

/// The choices of the page: those of the step, and on a revision to take the case back too.
fn offered(desk: &Desk<'_>) -> Vec<Choice> {
    let Some((task, _)) = desk.visit.asked() else { return Vec::new() };
    let mut offered: Vec<Choice> = choices(&desk.visit.case.definition, task, &desk.words)
        .into_iter()
        .map(|choice| Choice { name: choice.name, label: choice.label, opinion: choice.opinion, chosen: false })
        .collect();
    if matches!(desk.visit.kind, TaskKind::Revise { .. }) {
        offered.push(Choice {
            name: outcomes::WITHDRAWN.into(),
            label: desk.pick("撤回申请", "Withdraw the request"),
            opinion: false,
            chosen: false,
        });
    }
    offered
}

#[derive(Serialize)]
struct Page {
    view: CaseView,
    faults: Vec<String>,
    changed: bool,
    changes: Vec<Change>,
    since_mail: bool,
    stands_in: Option<String>,
    returned: Option<Returned>,
    action: String,
    seen: String,
    revision: u32,
    widgets: Vec<Widget>,
    /// Whether some box takes files.
    uploads: bool,
    /// Where the files of the case are.
    files: String,
    legend: String,
    choices: Vec<Choice>,
    outcome_fault: Option<String>,
    opinion: Opinion,
    whose: Whose,
}

#[derive(Serialize)]
struct Returned {
    title: String,
    words: String,
}

#[derive(Serialize)]
struct Opinion {
    label: String,
    hint: String,
    text: String,
    fault: Option<String>,
}

#[derive(Serialize)]
struct Whose {
    name: String,
    mail: Option<String>,
    tell: String,
}

fn render(state: &WebState, desk: &Desk<'_>, filled: Filled, status: StatusCode) -> Result<Response, WebError> {
    let (visit, words) = (desk.visit, &desk.words);
    let case = &visit.case;
    let form: Form = visit.form().map(Cow::into_owned).unwrap_or_default();
    let data = visit.filled();
    let mut sheet = filled.sheet.unwrap_or_else(|| Sheet::of(words, &form, &data));
    sheet.among = visit.among();
    // Since it was shown; on a first look, since they were asked, which is what the mail says.
    let since = filled.revision.filter(|_| filled.changed).unwrap_or(visit.opened);
    let before = visit.data_at(since).filter(|_| since < case.state.revision);
    let shown = Shown::at(&case.definition, &visit.row.step, visit.kind);
    let told = |before: Record| changes(&case.definition, &shown.of(&before), &shown.of(&case.state.data), words);
    let changes = before.map(told).unwrap_or_default();
    let mut choices = offered(desk);
    let only = choices.len() == 1;
    for choice in &mut choices {
        choice.chosen = only || filled.outcome.as_ref().is_some_and(|outcome| outcome.as_str() == choice.name);
    }
    let returned = visit.returned().map(|access::Returned { by, opinion, at }| Returned {
        title: match words.lang {
            Lang::Zh => format!("{} 于 {} 退回给您修改", words.name(by), words.moment(at)),
            Lang::En => format!("{} returned it to you on {}", words.name(by), words.moment(at)),
        },
        words: opinion.map(clean).unwrap_or_default(),
    });
    let legend = match visit.kind {
        TaskKind::Approve => desk.pick("您的决定", "Your decision"),
        TaskKind::Work => desk.pick("办理结果", "Result"),
        TaskKind::Revise { .. } | TaskKind::Begin => desk.pick("您要怎么做", "What to do"),
    };
    let applicant = &case.state.applicant;
    let tell =
        if *applicant == visit.row.person { desk.pick("管理员", "an operator") } else { words.name(applicant) };
    let page = Page {
        view: desk.view(true),
        faults: filled.faults,
        changed: filled.changed,
        since_mail: !filled.changed && !changes.is_empty(),
        changes,
        stands_in: visit.row.stands_in_for.as_ref().map(|other| match words.lang {
            Lang::Zh => format!("您代 {} 处理", words.name(other)),
            Lang::En => format!("You stand in for {}", words.name(other)),
        }),
        returned,
        action: desk.frame.link(&desk.path),
        seen: visit.fingerprint().map(|seen| seen.to_string()).unwrap_or_default(),
        revision: case.state.revision,
        uploads: form.values().any(Field::takes_files),
        files: format!("{}/file", desk.path),
        widgets: sheet.widgets(words, &form, &data, &|line| state.access.seal(visit, line)),
        legend,
        opinion: Opinion {
            label: match visit.kind {
                TaskKind::Revise { .. } | TaskKind::Begin => desk.pick("说明", "Note"),
                _ => desk.pick("意见", "Opinion"),
            },
            hint: opinion_hint(desk, &choices),
            text: filled.opinion,
            fault: filled.opinion_fault,
        },
        choices,
        outcome_fault: filled.outcome_fault,
        whose: Whose { name: desk.name(), mail: visit.mail.as_deref().map(masked), tell },
    };
    let mut response = (status, state.page("task.html", desk.frame.clone(), page)?).into_response();
    response.extensions_mut().insert(Worded);
    Ok(response)
}

/// When an opinion is needed: `（退回修改或不同意时必填）`.
fn opinion_hint(desk: &Desk<'_>, choices: &[Choice]) -> String {
    let needing: Vec<&str> =
        choices.iter().filter(|choice| choice.opinion).map(|choice| choice.label.as_str()).collect();
    match (desk.words.lang, needing.len()) {
        (Lang::Zh, 0) => "选填".into(),
        (Lang::En, 0) => "optional".into(),
        (Lang::Zh, all) if all == choices.len() => "必填".into(),
        (Lang::En, all) if all == choices.len() => "required".into(),
        (Lang::Zh, _) => format!("选择“{}”时必填", needing.join("”或“")),
        (Lang::En, _) => format!("required for “{}”", needing.join("” or “")),
    }
}
