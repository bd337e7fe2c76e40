//! Hand-over of a person's work: in a case as process tests, over all cases as the shell does it.

use crate::support::{files, name, project};
use countersign::cli::letters::Written;
use countersign::compile::{self, SourceText};
use countersign::diagnostics::{Style, render};
use countersign::effects::template::Templates;
use countersign::model::text::Lang;
use countersign::simulate::coverage::Coverage;
use countersign::simulate::scenario::play;

#[test]
fn what_is_one_persons_becomes_anothers() {
    let read =
        |path: std::path::PathBuf| SourceText { name: name(&path), bytes: std::fs::read(&path).expect("a file") };
    let texts = files(&project("tests/handover"), ".yaml").into_iter().map(read).collect();
    let compiled = compile::compile(texts, &compile::NoTemplates);
    assert!(!compiled.has_errors(), "{}", compiled.render(Lang::En));
    let templates = Templates::load(&project("templates")).expect("the shipped templates");
    let letters = Written::new(&templates);
    for scenario in &compiled.scenarios {
        let result = play(scenario, &compiled, &letters, &mut Coverage::default());
        let shown = render(&result.failures, &compiled.sources, Lang::En, Style::default());
        assert!(result.failures.is_empty(), "“{}” failed:\n{shown}", scenario.title.value);
    }
    assert!(compiled.scenarios.len() > 3);
}
