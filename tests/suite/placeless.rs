//! Who stands at no place: without a position, or in one that belongs to no department. Nothing that asks for it stops.

use crate::support;

const OFFICE: &str = "
directory: company
departments:
  sales: { title: Sales, head: lead }
  store: { title: Store }
positions:
  boss:  { title: Boss }
  lead:  { title: Lead, department: sales, reports_to: boss }
  clerk: { title: Clerk, department: sales, reports_to: lead }
people:
  bo: { name: Bo, mail: bo@example.com, positions: [boss] }
  li: { name: Li, mail: li@example.com, positions: [lead] }
  cy: { name: Cy, mail: cy@example.com, positions: [clerk] }
  no: { name: No, mail: no@example.com, positions: [] }
";

const PROCESS: &str = "
process: visit
title: Visit
form:
  host: { type: person, title: Host, required: true }
data:
  home: { type: department, title: Home }
  heads: { type: boolean, title: Heads }
steps:
  - { id: sales, title: Sales, task: applicant, when: applicant.department = sales }
  - { id: there, title: There, task: applicant, when: host.department != null and host.department.title = \"Sales\" }
  - { id: bosses, title: Bosses, task: applicant, when: host.position = boss }
  - { set: { home: host.department } }
  - { set: { heads: store.head = lead } }
  - { id: colleagues, title: Colleagues, approve: 'everyone[item.department = sales]', mode: any, policy: { nobody: skip } }
  - { id: own, title: Own, task: head_of(applicant.department), policy: { nobody: skip } }
  - id: last
    title: Last
    task: applicant
    copy: { done: head_of(host.department) }
    due: 1 day
    overdue: { notify: head_of(assignee.department) }
  - { notify: [head_of(host.department), holders(host.position)] }
  - end: visited
";

#[test]
fn what_somebody_does_not_have_is_unlike_all_there_is_and_has_no_head() {
    let test = "
test: nobody's guest
process: visit
now: 2026-03-02T09:00
start: { by: bo, data: { host: no } }
do:
  - expect: { data: { home: null, heads: false }, task: colleagues, for: [cy, li] }
  - { approve: colleagues, by: cy }
  - expect: { outcome: { sales: skipped, there: skipped, bosses: skipped, own: skipped }, task: last }
  - advance: 2 days
  - expect: { task: last, for: bo }
  - { complete: last, by: bo }
  - expect: { ended: visited }
---
test: a guest of the sales department
process: visit
now: 2026-03-02T09:00
start: { by: cy, data: { host: li } }
do:
  - { complete: sales, by: cy }
  - { complete: there, by: cy }
  - expect: { data: { home: sales }, task: colleagues, for: [li] }
";
    assert_eq!(support::failures(test, &[("directory.yaml", OFFICE), ("visit.yaml", PROCESS)]), "");
}

#[test]
fn whoever_reads_on_asks_first() {
    let text = PROCESS.replace("host.department != null and ", "");
    let compiled = support::compile(&[("directory.yaml", OFFICE), ("visit.yaml", &text)]);
    let told: Vec<&str> = compiled.diagnostics.iter().map(|found| found.message.en.as_str()).collect();
    assert_eq!(told, ["`host.department` may be unset"]);
}

#[test]
fn where_everybody_has_a_place_nobody_has_to_ask() {
    let office = OFFICE
        .replace("boss:  { title: Boss }", "boss:  { title: Boss, department: sales }")
        .replace("positions: []", "positions: [clerk]");
    let text = PROCESS.replace("host.department != null and ", "");
    let compiled = support::compile(&[("directory.yaml", &office), ("visit.yaml", &text)]);
    assert_eq!(compiled.diagnostics.iter().filter(|found| found.is_error()).count(), 0);
}

#[test]
fn whoever_may_start_it_has_a_position() {
    let text = PROCESS.replace("title: Visit", "title: Visit\nstart: [clerk, lead]").replace(
        "applicant.department = sales",
        "applicant.position.title = \"Clerk\" and applicant.department.title = \"Sales\"",
    );
    let told = |text: &str| {
        let compiled = support::compile(&[("directory.yaml", OFFICE), ("visit.yaml", text)]);
        compiled
            .diagnostics
            .iter()
            .filter(|found| found.is_error())
            .map(|found| found.message.en.clone())
            .collect::<Vec<_>>()
    };
    assert!(told(&text).is_empty(), "{:?}", told(&text));
    assert_eq!(told(&text.replace("[clerk, lead]", "[clerk, boss]")), ["`applicant.department` may be unset"]);
    assert_eq!(
        told(&text.replace("start: [clerk, lead]\n", "")),
        ["`applicant.position` may be unset", "`applicant.department` may be unset"]
    );
}

#[test]
fn who_has_nobody_above_goes_up_to_nobody() {
    let process = "
process: sign
title: Sign
start: [clerk]
form: { who: { type: person, title: Who, required: true } }
data: { steps_up: { type: integer, title: Steps } }
steps:
  - { id: above, title: Above, approve: 'up_to(who, boss)', mode: all, policy: { nobody: skip } }
  - { set: { steps_up: 'count(up_to(who, boss))' } }
  - { notify: 'up_to(who, boss)' }
  - { id: own, title: Own, approve: 'up_to(applicant, boss)', mode: all, copy: { approved: ['up_to(who, boss)'] } }
";
    let test = "
test: who stands at the top
process: sign
now: 2026-03-02T09:00
start: { by: cy, data: { who: bo } }
do:
  - expect: { outcome: { above: skipped }, data: { steps_up: 0 }, task: own, for: [bo, li] }
  - { approve: own, by: bo }
  - { approve: own, by: li }
  - expect: { ended: done }
---
test: who stands below
process: sign
now: 2026-03-02T09:00
start: { by: cy, data: { who: cy } }
do:
  - expect: { task: above, for: [bo, li] }
";
    assert_eq!(support::failures(test, &[("directory.yaml", OFFICE), ("sign.yaml", process)]), "");
}
