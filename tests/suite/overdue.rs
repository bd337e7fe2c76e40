//! What time decides is told like what people decide: in the mail that ends a case, to who asks afterwards why.

use crate::support::{self, OFFICE};

fn failures(overdue: &str, told: &str) -> String {
    let process = format!(
        "process: leave\ntitle: Leave\nstart: [clerk]\nsteps:\n  - {{ id: sign, title: Sign, approve: lead, due: 1 day, overdue: {overdue}, on: {{ rejected: lost }} }}\n  \
         - {{ end: granted, title: Granted }}\n  - {{ id: lost, end: lost, title: Lost }}\n"
    );
    let test = format!(
        "test: late\nprocess: leave\nnow: 2026-03-02T09:00\nstart: {{ by: ann, data: {{}} }}\ndo:\n  - advance: 2 days\n  \
         - expect: {{ mail: {{ to: ann, kind: ended, body: '{told}' }} }}\n"
    );
    support::failures(&test, &[("directory.yaml", OFFICE), ("leave.yaml", &process)])
}

#[test]
fn the_last_mail_says_that_time_decided_and_how() {
    assert_eq!(failures("{ decide: approved }", "Sign · 已超时，按“同意”处理"), "");
}

#[test]
fn the_last_mail_says_where_time_led() {
    assert_eq!(failures("{ go: lost }", "Sign · 已超时，转到“Lost”"), "");
}

#[test]
fn that_nobody_else_could_be_asked_is_told() {
    let process = "process: leave\ntitle: Leave\nstart: [clerk]\nsteps:\n  \
                   - { id: sign, title: Sign, approve: lead, due: 1 day, overdue: { reassign: lead } }\n";
    let test = "test: late\nprocess: leave\nnow: 2026-03-02T09:00\nstart: { by: ann, data: {} }\ndo:\n  \
                - advance: 2 days\n  - { approve: sign, by: leo }\n  \
                - expect: { mail: { to: ann, kind: ended, body: '已超时，没有别人可以改派，已再次提醒' } }\n";
    assert_eq!(support::failures(test, &[("directory.yaml", OFFICE), ("leave.yaml", process)]), "");
}

/// What the mails about a step say that time decided, in the language of the applicant.
fn told(language: &str, step: &str, does: &str) -> String {
    let process = format!(
        "process: leave\ntitle: Leave\nstart: [clerk]\nsteps:\n  - {{ id: sign, title: Sign, {step} }}\n  \
         - {{ id: file, title: File, task: lead }}\n"
    );
    let test =
        format!("test: late\nprocess: leave\nnow: 2026-03-02T09:00\nstart: {{ by: ann, data: {{}} }}\ndo:\n{does}");
    let office = OFFICE.replace("ann@example.com,", &format!("ann@example.com, language: {language},"));
    support::failures(&test, &[("directory.yaml", &office), ("leave.yaml", &process)])
}

#[test]
fn the_applicant_is_told_what_time_decided_as_of_what_people_do() {
    let approve = "approve: lead, due: 1 day, overdue: { decide: approved }";
    let mail =
        "to: ann, kind: decided, subject: 到期按“同意”处理：Leave, body: 'Sign：3月3日 09:00 前无人答复，按“同意”处理'";
    assert_eq!(told("zh", approve, &format!("  - advance: 2 days\n  - expect: {{ mail: {{ {mail} }} }}\n")), "");
    let mail = "to: ann, kind: decided, subject: 'Time decided “Approved”: Leave', body: 'Sign: Nobody answered by 3 March 09:00, taken as “Approved”'";
    let does = format!(
        "  - advance: 2 days\n  - expect: {{ task: file, mail: {{ {mail} }}, no mail: {{ body: went overdue }} }}\n  \
         - {{ complete: file, by: leo }}\n  - expect: {{ mail: {{ to: ann, kind: ended, body: 'Sign · went overdue, taken as “Approved”' }} }}\n"
    );
    assert_eq!(told("en", approve, &does), "");
    let work =
        "task: lead, outcomes: { filed: Filed, not_found: Not found }, due: 1 day, overdue: { decide: not_found }";
    let mail = "to: ann, kind: decided, subject: 'Time decided “Not found”: Leave'";
    assert_eq!(told("en", work, &format!("  - advance: 2 days\n  - expect: {{ mail: {{ {mail} }} }}\n")), "");
}

#[test]
fn where_some_have_answered_before_time_decides_the_mail_does_not_say_that_nobody_did() {
    let both = "approve: [lead, person(\"bob\")], mode: all, due: 1 day, overdue: { decide: approved }";
    let mail = "to: ann, kind: decided, body: ['Not everybody answered by 3 March 09:00, taken as “Approved”', Sign · Approved · Leo]";
    let does = format!("  - {{ approve: sign, by: leo }}\n  - advance: 2 days\n  - expect: {{ mail: {{ {mail} }} }}\n");
    assert_eq!(told("en", both, &does), "");
}

#[test]
fn an_applicant_who_is_told_of_what_is_overdue_or_of_what_it_came_to_gets_one_mail_of_it() {
    let step =
        "approve: lead, copy: { approved: [applicant] }, due: 1 day, overdue: { notify: applicant, decide: approved }";
    let does = "  - advance: 2 days\n  - expect: { mail: { to: ann, kind: decided } }\n  \
                - expect: { no mail: { to: ann, kind: overdue } }\n  - expect: { no mail: { to: ann, kind: notice } }\n";
    assert_eq!(told("en", step, does), "");
}

#[test]
fn a_notice_every_working_day_comes_on_the_next_one_after_a_due_time_at_closing() {
    let process = "process: leave\ntitle: Leave\nstart: [clerk]\nsteps:\n  \
                   - { id: sign, title: Sign, approve: lead, due: 1 working day, overdue: { notify: applicant, every: 1 working day } }\n";
    // It is due on Thursday at 18:00.
    let test = "test: late\nprocess: leave\nnow: 2026-03-04T09:00\nstart: { by: ann, data: {} }\ndo:\n  \
                - advance: 2026-03-05T18:00\n  - expect: { mail: { to: ann, kind: overdue } }\n  \
                - advance: 2026-03-06T17:59\n  - expect: { no mail: true }\n  \
                - advance: 2026-03-06T18:00\n  - expect: { mail: { to: ann, kind: overdue } }\n  \
                - advance: 2026-03-09T17:59\n  - expect: { no mail: true }\n  \
                - advance: 2026-03-09T18:00\n  - expect: { mail: { to: ann, kind: overdue } }\n";
    assert_eq!(support::failures(test, &[("directory.yaml", OFFICE), ("leave.yaml", process)]), "");
}
