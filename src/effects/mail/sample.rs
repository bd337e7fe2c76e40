//! A company's own templates: which there are, and what they are checked with.

use super::GAP;
use super::context::{Context, Decided};
use crate::effects::template::{EMBEDDED, Problem, Templates};
use crate::effects::timeline::{Mark, Moment};
use crate::effects::view::{CaseView, Column, Due, Fact, Stamp, Table};
use crate::model::definition::Definition;
use crate::model::text::Lang;

/// The templates that a `notify` may name: the company's own, in `templates/mail/`.
pub fn notices(templates: &Templates) -> Vec<String> {
    let ours = |stem: &str| {
        EMBEDDED
            .iter()
            .any(|(name, _)| name.strip_prefix("mail/").is_some_and(|name| name.split('.').next() == Some(stem)))
    };
    let stems =
        templates.names().filter_map(|name| name.strip_prefix("mail/")?.strip_suffix(".txt")?.split('.').next());
    let mut found: Vec<String> = stems.filter(|stem| !ours(stem)).map(str::to_owned).collect();
    found.dedup();
    found
}

/// What is wrong with the template that a `notify` of a process names, in both languages; empty where nothing is.
pub fn check_notice(templates: &Templates, name: &str, definition: &Definition) -> Vec<Problem> {
    let mut found = Vec::new();
    for lang in [Lang::Zh, Lang::En] {
        for ending in ["txt", "html"] {
            if let Some(file) = templates.find(&format!("mail/{name}"), lang, ending) {
                for problem in templates.check_named(&file, &sample(Some(definition), lang), lang) {
                    // A file for both languages is tried in both.
                    if !found.contains(&problem) {
                        found.push(problem);
                    }
                }
            }
        }
    }
    found
}

/// What a mail template is checked with: every name that it may use, for a process where one is given.
pub fn sample(definition: Option<&Definition>, lang: Lang) -> Context {
    let pick = |zh: &str, en: &str| if lang == Lang::Zh { zh.to_owned() } else { en.to_owned() };
    let fact =
        |label: String, text: &str, numeric| Fact { label, text: text.into(), long: false, numeric, files: Vec::new() };
    let moment = |mark| Moment {
        mark,
        title: pick("部门主管审批", "Supervisor"),
        who: pick("李娜", "Li Na"),
        when: pick("3月2日 11:02", "2 March 11:02"),
        words: pick("同意", "Approved"),
        opinion: pick("年度预算内。", "Within the budget."),
        ..Moment::default()
    };
    let case = CaseView {
        lang: lang.tag(),
        title: pick("物品领用申请", "Item request"),
        number: "LP-2026-0007".into(),
        key: "华康医院".into(),
        headline: "¥1,280.00".into(),
        applicant: pick("张伟", "Zhang Wei"),
        submitted: pick("3月2日 09:14", "2 March 09:14"),
        byline: pick("张伟 提交 · 3月2日 09:14", "submitted by Zhang Wei · 2 March 09:14"),
        due: Some(Due {
            at: pick("3月4日 18:00", "4 March 18:00"),
            words: pick("请于 3月4日 18:00 前处理", "due by 4 March 18:00"),
            overdue: false,
        }),
        turn: pick("轮到您：营销总监审批", "Your turn: Marketing director"),
        facts: vec![fact(pick("客户", "Customer"), "华康医院", false)],
        tables: vec![Table {
            label: pick("物品", "Items"),
            heading: String::new(),
            columns: vec![Column { label: pick("名称", "Name"), numeric: false }],
            wide: false,
            rows: vec![vec![pick("茶具", "Tea set")]],
            totals: vec![fact(pick("合计", "Total"), "1,280.00", true)],
            lines: vec![pick("茶具", "Tea set")],
            files: Vec::new(),
        }],
        timeline: vec![moment(Mark::Seal), moment(Mark::Ahead)],
        stamp: Some(Stamp {
            words: pick("已办结", "Completed"),
            date: "2026.03.03".into(),
            at: pick("3月3日 09:40", "3 March 09:40"),
        }),
    };
    let fields = definition.into_iter().flat_map(Definition::fields);
    Context {
        case,
        data: fields.map(|(name, field)| (name.to_string(), field.title.get(lang).to_owned())).collect(),
        recipient: pick("赵磊", "Zhao Lei"),
        tag: "[LP-2026-0007] ".into(),
        please: pick("请审批", "Approve"),
        button: pick("查看并决定", "View and decide"),
        step: pick("营销总监审批", "Marketing director"),
        passed: pick("已超时，按“同意”处理", "went overdue, taken as “Approved”"),
        from: pick("李娜", "Li Na"),
        waits: true,
        decided: Some(Decided {
            who: pick("李娜", "Li Na"),
            words: pick("同意", "Approved"),
            sentence: pick("李娜 已同意", "Li Na approved"),
            opinion: pick("年度预算内。", "Within the budget."),
            when: pick("3月2日 11:02", "2 March 11:02"),
            shell: "root".into(),
            ..Decided::default()
        }),
        past: vec![moment(Mark::Seal)],
        ahead: vec![moment(Mark::Ahead)],
        link: Some(GAP.into()),
    }
}
