//! Who takes which seat of a task where several entries come to one person.

use crate::support::{self, OFFICE};

fn failures(office: &str, approve: &str, told: &str) -> String {
    let process = format!(
        "process: both\ntitle: Both\nstart: [clerk]\nform:\n  who: {{ type: person, title: Who, many: true, min: 1, required: true }}\nsteps:\n  - {{ id: sign, title: Sign, approve: {approve}, mode: all }}\n"
    );
    let test = format!(
        "test: both\nprocess: both\nnow: 2026-03-02T09:00\nstart: {{ by: bob, data: {{ who: [bob, leo] }} }}\ndo:\n{told}"
    );
    support::failures(&test, &[("directory.yaml", office), ("both.yaml", &process)])
}

const ONCE: &str =
    "  - expect: { task: sign, for: [leo] }\n  - { approve: sign, by: leo }\n  - expect: { ended: done }\n";

#[test]
fn who_stands_in_for_another_signer_signs_once_for_both() {
    let office = OFFICE.replace("  clerk: {", "  cfo:   { title: CFO, department: office }\n  clerk: {")
        + "  eve: { name: Eve, mail: eve@example.com, positions: [cfo] }\nabsences:\n  - { person: eve, from: 2026-03-01, to: 2026-03-31, substitute: leo }\n";
    assert_eq!(failures(&office, "[cfo, lead]", ONCE), "");
    assert_eq!(failures(&office, "[lead, cfo]", ONCE), "");
}

#[test]
fn whoever_takes_the_seat_of_the_applicant_and_has_one_signs_once() {
    assert_eq!(failures(OFFICE, "who", ONCE), "");
}

fn late(approve: &str, overdue: &str, told: &str) -> String {
    let office = OFFICE.replace("  clerk: {", "  head:  { title: Head, department: office }\n  clerk: {").replace(
        "lead:  { title: Lead, department: office }",
        "lead:  { title: Lead, department: office, reports_to: head }",
    ) + "  cat: { name: Cat, mail: cat@example.com, positions: [clerk] }\n  dan: { name: Dan, mail: dan@example.com, positions: [] }\n  hal: { name: Hal, mail: hal@example.com, positions: [head] }\n";
    let process = format!(
        "process: late\ntitle: Late\nstart: [clerk]\nsteps:\n  - {{ id: sign, title: Sign, approve: {approve}, mode: all, due: 1 day, overdue: {overdue} }}\n"
    );
    let test =
        format!("test: late\nprocess: late\nnow: 2026-03-02T09:00\nstart: {{ by: ann, data: {{}} }}\ndo:\n{told}");
    support::failures(&test, &[("directory.yaml", &office), ("late.yaml", &process)])
}

#[test]
fn only_whoever_did_not_answer_is_replaced() {
    // The applicant is Ann, whose seat is her superior's from the first.
    let told = "  - expect: { task: sign, for: [bob, cat, leo] }\n  - { approve: sign, by: cat }\n  - { approve: sign, by: leo }\n  - advance: 1 week\n  \
         - expect: { task: sign, for: hal, mail: { to: hal, kind: assigned } }\n  - { approve: sign, by: hal }\n  - expect: { ended: done }\n";
    assert_eq!(late("holders(clerk)", "{ reassign: person(\"hal\") }", told), "");
}

#[test]
fn who_is_asked_instead_of_several_signs_once_for_all_of_them() {
    let all = "  - advance: 1 week\n  - expect: { task: sign, for: hal, mail: { to: hal, kind: assigned }, no mail: { kind: reminder } }\n  \
         - { approve: sign, by: hal }\n  - expect: { ended: done }\n";
    assert_eq!(late("holders(clerk)", "{ reassign: person(\"hal\") }", all), "");
    // One of several is moved like all of them, and who has answered stays as they are.
    let some = format!("  - {{ approve: sign, by: bob }}\n{all}");
    assert_eq!(late("holders(clerk)", "{ reassign: person(\"hal\") }", &some), "");
}

#[test]
fn several_who_are_asked_instead_of_several_sign_a_seat_each() {
    let overdue = "{ reassign: [lead, head] }";
    let told = "  - expect: { task: sign, for: [bob, cat] }\n  - advance: 1 week\n  - expect: { task: sign, for: [hal, leo] }\n  - { approve: sign, by: leo }\n  \
         - expect: { task: sign, for: hal }\n  - { approve: sign, by: hal }\n  - expect: { ended: done }\n";
    let two = "[person(\"bob\"), person(\"cat\")]";
    assert_eq!(late(two, overdue, told), "");
    // More seats than people: nobody signs twice, and each of them signs.
    let three = "[person(\"bob\"), person(\"cat\"), person(\"dan\")]";
    assert_eq!(late(three, overdue, &told.replace("[bob, cat]", "[bob, cat, dan]")), "");
}

#[test]
fn whoever_is_late_too_is_not_asked_instead_and_all_are_reminded() {
    let told = "  - expect: { task: sign, for: [bob, leo] }\n  - advance: 1 week\n  - expect: { task: sign, for: [bob, hal], mail: { to: bob, kind: reminder } }\n  \
         - { approve: sign, by: hal }\n  - expect: { task: sign, for: bob }\n";
    assert_eq!(late("[person(\"bob\"), lead]", "{ reassign: manager_of(assignee) }", told), "");
    assert_eq!(late("[lead, person(\"bob\")]", "{ reassign: manager_of(assignee) }", told), "");
}

fn any(approve: &str, policy: &str, (start, by): (&str, &str), told: &str) -> String {
    let office = OFFICE.replace("  clerk: {", "  hr:    { title: HR, department: office }\n  clerk: {")
        + "  eve: { name: Eve, mail: eve@example.com, positions: [hr] }\n";
    let process = format!(
        "process: any\ntitle: Any\nstart: [{start}]\nsteps:\n  - {{ id: sign, title: Sign, approve: {approve}, mode: any, policy: {policy} }}\n"
    );
    let test =
        format!("test: any\nprocess: any\nnow: 2026-03-02T09:00\nstart: {{ by: {by}, data: {{}} }}\ndo:\n{told}");
    support::failures(&test, &[("directory.yaml", &office), ("any.yaml", &process)])
}

#[test]
fn where_the_first_answer_decides_one_seat_that_is_filled_is_enough() {
    let eve = "  - expect: { task: sign, for: eve }\n  - { approve: sign, by: eve }\n  - expect: { ended: done }\n";
    // Nobody is above Leo.
    for policy in ["{}", "{ nobody: skip }", "{ nobody: escalate }"] {
        assert_eq!(any("[manager_of(applicant), hr]", policy, ("lead", "leo"), eve), "");
    }
    // Whose case it is decides nothing of it.
    let leo = eve.replace("eve", "leo");
    assert_eq!(any("[hr, lead]", "{ own_case: nobody }", ("hr", "eve"), &leo), "");
    assert_eq!(
        any("[manager_of(applicant), hr]", "{}", ("clerk", "ann"), &eve.replace("for: eve", "for: [eve, leo]")),
        ""
    );
}

#[test]
fn where_the_first_answer_decides_and_all_seats_are_empty_one_superior_is_asked() {
    let leo = "  - expect: { task: sign, for: leo }\n  - { approve: sign, by: leo }\n  - expect: { ended: done }\n";
    let nobody = "[manager_of(manager_of(applicant)), person(\"bob\")]";
    assert_eq!(any(nobody, "{ own_case: nobody, nobody: escalate }", ("clerk", "bob"), leo), "");
}
