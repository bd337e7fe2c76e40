//! How long `check` takes for a folder of a thousand processes of thirty steps each, with five hundred people.
//!
//! The processes have forms with rules and computed fields, conditions, choices, loops back and people of all kinds.
//! `cargo bench --bench check` prints milliseconds; 2,000 are the most that are wanted.

use countersign::compile::{NoTemplates, SourceText, compile};
use countersign::model::text::Lang;
use std::fmt::Write as _;
use std::time::Instant;

const PROCESSES: usize = 1_000;
const STEPS: usize = 30;
const PEOPLE: usize = 500;

fn main() {
    let files = folder();
    for _ in 0..3 {
        let files = files.clone();
        let began = Instant::now();
        let compiled = compile(files, &NoTemplates);
        let took = began.elapsed();
        assert!(!compiled.has_errors(), "{}", compiled.render(Lang::En).chars().take(4_000).collect::<String>());
        println!("{} processes of {STEPS} steps, {PEOPLE} people: {} ms", compiled.definitions.len(), took.as_millis());
    }
}

fn folder() -> Vec<SourceText> {
    let file = |name: String, text: String| SourceText { name, bytes: text.into_bytes() };
    let mut files = vec![file("directory.yaml".to_owned(), directory())];
    files.extend((0..PROCESSES).map(|number| file(format!("p{number}.yaml"), process(number))));
    files
}

fn directory() -> String {
    let mut text = "directory: company\ndepartments:\n".to_owned();
    for n in 0..20 {
        let _ = writeln!(text, "  d{n}: {{ title: Department {n}, head: lead{n} }}");
    }
    text.push_str("positions:\n  chief: { title: Chief }\n  deputy: { title: Deputy, reports_to: chief }\n");
    for n in 0..20 {
        let _ = writeln!(
            text,
            "  lead{n}: {{ department: d{n}, reports_to: deputy }}\n  clerk{n}: {{ department: d{n}, reports_to: lead{n} }}"
        );
    }
    text.push_str("people:\n");
    for n in 0..PEOPLE {
        let position = match n {
            0 => "chief".to_owned(),
            1 => "deputy".to_owned(),
            2..22 => format!("lead{}", n - 2),
            _ => format!("clerk{}", n % 20),
        };
        let _ = writeln!(text, "  p{n}: {{ name: Person {n}, mail: p{n}@example.com, positions: [{position}] }}");
    }
    text
}

fn process(number: usize) -> String {
    let starters: Vec<String> = (0..20).map(|n| format!("clerk{n}")).collect();
    let mut text = format!("process: p{number}\nstart: [{}]\nform:\n", starters.join(", "));
    text.push_str("  reason: { type: text, required: true, max: 100 }\n  grade: { type: choice, options: [high, low], required: true }\n");
    text.push_str("  items:\n    type: list\n    min: 1\n    fields:\n      name: { type: text, required: true }\n      count: { type: integer, required: true, min: 1 }\n      price: { type: money, required: true, min: 0.01 }\n");
    text.push_str("  total: { type: money, value: sum(for i in items return i.count * i.price) }\nsteps:\n");
    for step in 0..STEPS {
        let _ = match step % 6 {
            0 => writeln!(
                text,
                "  - {{ id: s{step}, approve: manager_of(applicant), when: total > {step}00, due: 2 working days, remind: [1 working day] }}"
            ),
            1 => writeln!(
                text,
                "  - {{ id: s{step}, task: lead{}, due: 1 working day, form: {{ note{step}: {{ type: text, required: true }} }} }}",
                step % 20
            ),
            2 => writeln!(
                text,
                "  - {{ id: s{step}, approve: head_of(applicant.department), on: {{ rejected: s{} }} }}",
                step - 2
            ),
            3 => writeln!(
                text,
                "  - id: s{step}\n    choose:\n      - {{ when: grade = high and total >= 500, steps: [{{ id: s{step}a, approve: deputy }}] }}\n    otherwise: [{{ id: s{step}b, task: clerk{} }}]",
                step % 20
            ),
            4 => writeln!(
                text,
                "  - {{ id: s{step}, approve: [deputy, chief], mode: all, when: 'count(items) > 3 and some i in items satisfies i.price > 100' }}"
            ),
            _ => writeln!(text, "  - {{ id: s{step}, notify: [applicant, manager_of(applicant)] }}"),
        };
    }
    text.push_str("  - end: done_well\n");
    text
}
