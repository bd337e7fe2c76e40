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
