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
