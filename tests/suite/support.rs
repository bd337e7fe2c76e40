//! What tests share: the only code here that knows how the crate is called.

use countersign::cli::letters::Written;
use countersign::compile::{self, Compiled, NoTemplates, OwnTemplate, SourceText, TemplateFault, Templates as Named};
use countersign::diagnostics::{Diagnostic, Sources, Style, render};
use countersign::effects::template::Templates;
use countersign::expression;
use countersign::model::definition::Definition;
use countersign::model::text::{Lang, Wording};
use countersign::model::value::{Record, Value};
use countersign::simulate::coverage::Coverage;
use countersign::simulate::recorded::count;
use countersign::simulate::scenario::play;
use std::path::{Path, PathBuf};

/// Two clerks and who leads them: enough people for most tests.
pub(crate) const OFFICE: &str = "
directory: company
departments:
  office: { title: Office, head: lead }
positions:
  lead:  { title: Lead, department: office }
  clerk: { title: Clerk, department: office, reports_to: lead }
people:
  ann: { name: Ann, mail: ann@example.com, positions: [clerk] }
  bob: { name: Bob, mail: bob@example.com, positions: [clerk] }
  leo: { name: Leo, mail: leo@example.com, positions: [lead] }
";

/// A file of the project.
pub(crate) fn project(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// The files of a folder that end so, sorted by name.
pub(crate) fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = std::fs::read_dir(folder)
        .map(|entries| entries.filter_map(|entry| entry.ok().map(|entry| entry.path())).collect())
        .unwrap_or_default();
    found.retain(|path| path.is_file() && path.to_string_lossy().ends_with(ending));
    found.sort();
    found
}

/// The name of a file or folder.
pub(crate) fn name(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

/// The mail templates of the examples: one that works and one that does not.
#[derive(Default)]
pub(crate) struct ExampleTemplates {
    /// The one that the folder brings with it.
    own: Option<OwnTemplate>,
}

impl ExampleTemplates {
    /// Those of a folder with these files: one that has `*.txt` brings its own.
    pub(crate) fn beside(files: &[PathBuf]) -> ExampleTemplates {
        let found = files.first().and_then(|file| self::files(file.parent()?, ".txt").into_iter().next());
        let own = found.map(|path| OwnTemplate {
            name: name(&path).split('.').next().unwrap_or_default().to_owned(),
            file: format!("templates/mail/{}", name(&path)),
            text: std::fs::read_to_string(&path).expect("a template beside the text"),
        });
        ExampleTemplates { own }
    }
}

impl Named for ExampleTemplates {
    fn names(&self) -> Vec<String> {
        let own = self.own.iter().map(|own| own.name.clone());
        ["broken", "gift_given"].into_iter().map(str::to_owned).chain(own).collect()
    }

    fn own(&self) -> Vec<OwnTemplate> {
        self.own.iter().cloned().collect()
    }

    fn faults(&self, name: &str, _definition: &Definition) -> Vec<TemplateFault> {
        let message = Wording::new("没有字段 `custmer`", "there is no field `custmer`");
        let fault = TemplateFault { file: "templates/mail/broken.txt".to_owned(), line: Some(3), message };
        if name == "broken" { vec![fault] } else { Vec::new() }
    }
}

/// Checks one text, with other files beside it in the same folder, and gives everything that is wrong with it.
pub(crate) fn check_text(sources: &mut Sources, text_name: &str, text: &[u8], beside: &[PathBuf]) -> Vec<Diagnostic> {
    let mut files = vec![SourceText { name: text_name.to_owned(), bytes: text.to_vec() }];
    for path in beside {
        files.push(SourceText { name: name(path), bytes: std::fs::read(path).expect("a file beside the text") });
    }
    let compiled = compile::compile(files, &ExampleTemplates::beside(beside));
    let mut diagnostics = compiled.diagnostics.clone();
    let templates = Templates::embedded();
    for scenario in compiled.scenarios.iter().filter(|_| !compiled.has_errors()) {
        let played = play(scenario, &compiled, &Written::new(&templates), &mut Coverage::default());
        diagnostics.extend(played.failures);
    }
    for recorded in compiled.recorded.iter().filter(|_| !compiled.has_errors()) {
        diagnostics.extend(count(recorded, &compiled));
    }
    *sources = compiled.sources;
    diagnostics
}

/// Everything that is wrong with a text of tests and with what they play; empty where they pass.
pub(crate) fn failures(tests: &str, beside: &[(&str, &str)]) -> String {
    let mut files: Vec<(&str, &str)> = beside.to_vec();
    files.push(("example.test.yaml", tests));
    let compiled = compile(&files);
    if !compiled.diagnostics.is_empty() {
        return compiled.render(Lang::En);
    }
    assert!(!compiled.scenarios.is_empty() || !compiled.recorded.is_empty(), "no test was found");
    let templates = Templates::embedded();
    let play = |scenario| play(scenario, &compiled, &Written::new(&templates), &mut Coverage::default()).failures;
    let counted = compiled.recorded.iter().flat_map(|recorded| count(recorded, &compiled));
    let failures: Vec<Diagnostic> = compiled.scenarios.iter().flat_map(play).chain(counted).collect();
    render(&failures, &compiled.sources, Lang::En, Style::default())
}

/// Compares with a golden file, or writes it if `UPDATE_GOLDEN` is set.
pub(crate) fn golden(path: &Path, found: &str) {
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(path, found).expect("the golden file can be written");
        return;
    }
    let expected = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        expected == found,
        "{} differs (UPDATE_GOLDEN=1 rewrites it)\n--- expected\n{expected}\n--- found\n{found}",
        path.display()
    );
}

/// Compiles texts as one folder.
pub(crate) fn compile(files: &[(&str, &str)]) -> Compiled {
    let file = |(name, text): &(&str, &str)| SourceText { name: (*name).to_owned(), bytes: text.as_bytes().to_vec() };
    compile::compile(files.iter().map(file).collect(), &NoTemplates)
}

/// What an expression without any names yields, at a fixed time.
pub(crate) fn evaluate(text: &str) -> Value {
    let now = "2026-03-02T01:14:00Z".parse().expect("a time");
    match expression::run(text, &Record::new(), now) {
        Ok(value) => value,
        Err(failure) => panic!("`{text}` failed: {}", failure.message),
    }
}
