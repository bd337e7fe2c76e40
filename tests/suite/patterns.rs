//! The 43 workflow control-flow patterns (van der Aalst, ter Hofstede, Kiepuszewski, Barros 2003; Russell et al.
//! 2006), each as a process that runs, or as one that the compiler refuses. `docs/patterns.md` says which is which.

use crate::support::{files, name, project};
use countersign::cli::letters::Written;
use countersign::compile::{self, Compiled, SourceText};
use countersign::diagnostics::{Code, Style, render};
use countersign::effects::template::Templates;
use countersign::model::text::Lang;
use countersign::simulate::coverage::Coverage;
use countersign::simulate::scenario::play;
use std::sync::OnceLock;

fn patterns() -> &'static Compiled {
    static PATTERNS: OnceLock<Compiled> = OnceLock::new();
    PATTERNS.get_or_init(|| {
        let read = |path: std::path::PathBuf| SourceText {
            name: name(&path),
            bytes: std::fs::read(&path).expect("a pattern"),
        };
        let compiled = compile::compile(
            files(&project("tests/patterns"), ".yaml").into_iter().map(read).collect(),
            &compile::NoTemplates,
        );
        assert!(!compiled.has_errors(), "{}", compiled.render(Lang::En));
        compiled
    })
}

/// Plays every test of a pattern.
fn runs(number: &str) {
    let compiled = patterns();
    let templates = Templates::load(&project("templates")).expect("the shipped templates");
    let letters = Written::new(&templates);
    let mut played = 0;
    for scenario in &compiled.scenarios {
        if scenario.title.value.split_whitespace().next() != Some(number) {
            continue;
        }
        let result = play(scenario, compiled, &letters, &mut Coverage::default());
        let shown = render(&result.failures, &compiled.sources, Lang::En, Style::default());
        assert!(result.failures.is_empty(), "“{}” failed:\n{shown}", scenario.title.value);
        played += 1;
    }
    assert!(played > 0, "{number} has no test");
}

/// The compiler says why a pattern cannot be written.
fn refused(file: &str, code: Code) {
    let directory = SourceText {
        name: "directory.yaml".into(),
        bytes: std::fs::read(project("tests/patterns/directory.yaml")).expect("the people"),
    };
    let path = format!("tests/patterns_refused/{file}.yaml");
    let process = SourceText { name: path.clone(), bytes: std::fs::read(project(&path)).expect("a pattern") };
    let compiled = compile::compile(vec![directory, process], &compile::NoTemplates);
    let codes: Vec<Code> = compiled.diagnostics.iter().map(|found| found.code).collect();
    assert!(codes.contains(&code), "{codes:?}");
}

macro_rules! patterns {
    ($($test:ident $number:literal)+) => {$(
        #[test]
        fn $test() {
            runs($number);
        }
    )+};
}

patterns! {
    wcp_01_sequence "WCP-1"
    wcp_02_parallel_split "WCP-2"
    wcp_03_synchronization "WCP-3"
    wcp_04_exclusive_choice "WCP-4"
    wcp_05_simple_merge "WCP-5"
    wcp_06_multi_choice "WCP-6"
    wcp_07_structured_synchronizing_merge "WCP-7"
    wcp_08_multi_merge "WCP-8"
    wcp_09_structured_discriminator "WCP-9"
    wcp_10_arbitrary_cycles "WCP-10"
    wcp_11_implicit_termination "WCP-11"
    wcp_12_instances_without_synchronization "WCP-12"
    wcp_13_instances_known_at_design_time "WCP-13"
    wcp_14_instances_known_at_run_time "WCP-14"
    wcp_15_instances_not_known_before "WCP-15"
    wcp_16_deferred_choice "WCP-16"
    wcp_17_interleaved_parallel_routing "WCP-17"
    wcp_18_milestone "WCP-18"
    wcp_19_cancel_task "WCP-19"
    wcp_20_cancel_case "WCP-20"
    wcp_21_structured_loop "WCP-21"
    wcp_22_recursion "WCP-22"
    wcp_23_transient_trigger "WCP-23"
    wcp_24_persistent_trigger "WCP-24"
    wcp_25_cancel_region "WCP-25"
    wcp_26_cancel_instances "WCP-26"
    wcp_27_complete_instances "WCP-27"
    wcp_29_cancelling_discriminator "WCP-29"
    wcp_30_structured_partial_join "WCP-30"
    wcp_32_cancelling_partial_join "WCP-32"
    wcp_34_static_partial_join_for_instances "WCP-34"
    wcp_35_cancelling_partial_join_for_instances "WCP-35"
    wcp_36_dynamic_partial_join_for_instances "WCP-36"
    wcp_37_local_synchronizing_merge "WCP-37"
    wcp_38_general_synchronizing_merge "WCP-38"
    wcp_39_critical_section "WCP-39"
    wcp_40_interleaved_routing "WCP-40"
    wcp_41_thread_merge "WCP-41"
    wcp_42_thread_split "WCP-42"
    wcp_43_explicit_termination "WCP-43"
}

#[test]
fn wcp_28_blocking_discriminator() {
    refused("wcp-28-blocking-discriminator", Code::JumpIntoBlock);
}

#[test]
fn wcp_31_blocking_partial_join() {
    refused("wcp-31-blocking-partial-join", Code::JumpIntoBlock);
}

#[test]
fn wcp_33_generalized_and_join() {
    refused("wcp-33-generalized-and-join", Code::JumpIntoBlock);
}

#[test]
fn the_table_of_patterns_names_every_file() {
    let table = std::fs::read_to_string(project("docs/patterns.md")).expect("the table of patterns");
    for folder in ["tests/patterns", "tests/patterns_refused"] {
        for path in files(&project(folder), ".yaml") {
            let file = name(&path);
            let Some(stem) =
                file.strip_suffix(".yaml").filter(|stem| stem.starts_with("wcp-") && !stem.ends_with(".test"))
            else {
                continue;
            };
            assert!(table.contains(stem), "docs/patterns.md does not name {stem}");
        }
    }
}
