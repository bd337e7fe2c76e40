//! Every example of the README, the language reference and the tutorial is compiled or evaluated.
//!
//! A fence says what its block is: `yaml` a whole process, `yaml steps` the steps of one, `yaml fields` a form,
//! `yaml directory`, `yaml calendar` and `yaml alone` themselves, `yaml metric` a
//! metric of the process before it, `yaml test` the tests of that process or metric, `feel` lines of `expression = expected`. The tutorial stands in the folder that
//! `init` makes.

use crate::support;
use countersign::model::text::Lang;

const DIRECTORY: &str = "
directory: company
departments:
  客户部: { title: 客户部, head: 客户部总监 }
  办公室: { title: 办公室, head: 办公室主任 }
positions:
  总经理: { title: 总经理 }
  副总经理: { title: 副总经理, reports_to: 总经理 }
  客户部总监: { title: 客户部总监, department: 客户部, reports_to: 副总经理 }
  客户部经理: { title: 客户部经理, department: 客户部, reports_to: 客户部总监 }
  客户专员: { title: 客户专员, department: 客户部, reports_to: 客户部经理 }
  办公室主任: { title: 办公室主任, department: 办公室, reports_to: 副总经理 }
  内勤: { title: 内勤, department: 办公室, reports_to: 办公室主任 }
people:
  he: { name: 何总, mail: he@example.com, positions: [总经理] }
  lu: { name: 陆副总, mail: lu@example.com, positions: [副总经理] }
  zhao: { name: 赵总监, mail: zhao@example.com, positions: [客户部总监] }
  wang: { name: 王经理, mail: wang@example.com, positions: [客户部经理] }
  zhang: { name: 张伟, mail: zhang@example.com, positions: [客户专员] }
  zhou: { name: 周主任, mail: zhou@example.com, positions: [办公室主任] }
  sun: { name: 孙强, mail: sun@example.com, positions: [内勤] }
";

const CALENDAR: &str = "
calendar: china
year: 2026
week: { mon-fri: [09:00-12:00, 13:30-18:00] }
";

const AROUND_STEPS: &str = "
process: example
title: Example
start: [客户专员]
form:
  amount: { type: money, title: Amount, required: true }
  kind: { type: choice, title: Kind, options: [high, low], required: true }
data:
  level: { type: money, title: Level }
  checked: { type: boolean, title: Checked }
steps:
";

const TABLE: &str = "
table: care
inputs: { kind: { type: choice, options: [high, low] }, amount: { type: money } }
outputs: { level: { type: money } }
hit: first
rules:
  - { kind: high, amount: '>= 1000', level: amount * 0.1 }
  - { level: 0 }
";

const AROUND_FIELDS: &str = "
process: example
title: Example
steps:
  - { id: only, title: Only, task: 内勤 }
form:
";

/// A block between fences.
pub(crate) struct Block {
    /// Its first line, from 1.
    pub(crate) line: usize,
    /// What its fence says.
    pub(crate) kind: String,
    /// What it holds.
    pub(crate) text: String,
}

/// The blocks of a page.
pub(crate) fn blocks(page: &str) -> Vec<Block> {
    let text = std::fs::read_to_string(support::project(page)).expect("the page");
    let mut found = Vec::new();
    let mut open: Option<Block> = None;
    for (number, line) in text.lines().enumerate() {
        match (line.strip_prefix("```"), &mut open) {
            (Some(kind), None) => {
                open = Some(Block { line: number + 2, kind: kind.trim().to_owned(), text: String::new() });
            }
            (Some(_), Some(_)) => found.extend(open.take()),
            (None, Some(block)) => {
                block.text.push_str(line);
                block.text.push('\n');
            }
            (None, None) => {}
        }
    }
    found
}

fn pages() -> impl Iterator<Item = (&'static str, Block)> {
    ["README.md", "docs/language.md", "docs/tutorial.md", "docs/tutorial.zh.md"]
        .into_iter()
        .flat_map(|page| blocks(page).into_iter().map(move |block| (page, block)))
}

/// The directory and the calendar that the examples of a page stand beside.
fn company(page: &str) -> (String, String) {
    let starter = match page {
        "docs/tutorial.md" => "docs/starter/en",
        "docs/tutorial.zh.md" => "docs/starter/zh",
        _ => return (DIRECTORY.to_owned(), CALENDAR.to_owned()),
    };
    let read = |file| std::fs::read_to_string(support::project(starter).join(file)).expect("a file of the starter");
    (read("directory.yaml"), read("calendar.yaml").replace("{init_year}", "2026"))
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("  {line}\n")).collect()
}

#[test]
fn every_yaml_example_compiles() {
    let mut tried = 0;
    let (mut process, mut metric) = (String::new(), None::<String>);
    for (page, block) in pages() {
        let at = format!("{page}:{}", block.line);
        let (directory, calendar) = company(page);
        if block.kind == "yaml" {
            process.clone_from(&block.text);
            metric = None;
        }
        let files = match block.kind.as_str() {
            "yaml" => vec![("directory.yaml", directory), ("example.yaml", block.text)],
            "yaml metric" => {
                metric = Some(block.text.clone());
                vec![("directory.yaml", directory), ("example.yaml", process.clone()), ("metric.yaml", block.text)]
            }
            "yaml steps" => vec![
                ("care.yaml", TABLE.to_owned()),
                ("directory.yaml", directory),
                ("example.yaml", format!("{AROUND_STEPS}{}", indented(&block.text))),
            ],
            "yaml fields" => vec![
                ("directory.yaml", directory),
                ("example.yaml", format!("{AROUND_FIELDS}{}", indented(&block.text))),
            ],
            "yaml test" => {
                let beside =
                    [("directory.yaml", directory), ("calendar.yaml", calendar), ("example.yaml", process.clone())];
                let beside = beside.into_iter().chain(metric.clone().map(|text| ("metric.yaml", text)));
                let beside: Vec<(&str, String)> = beside.collect();
                let beside: Vec<(&str, &str)> = beside.iter().map(|(name, text)| (*name, text.as_str())).collect();
                assert_eq!(support::failures(&block.text, &beside), "", "the tests at {at} fail");
                tried += 1;
                continue;
            }
            "yaml directory" | "yaml calendar" | "yaml alone" => vec![("example.yaml", block.text)],
            _ => continue,
        };
        let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (*name, text.as_str())).collect();
        let compiled = support::compile(&files);
        assert!(!compiled.has_errors(), "the example at {at} does not compile:\n{}", compiled.render(Lang::En));
        tried += 1;
    }
    assert!(tried >= 10, "only {tried} examples were found");
}

#[test]
fn every_expression_example_holds() {
    let mut tried = 0;
    for block in blocks("docs/language.md").into_iter().filter(|block| block.kind == "feel") {
        for (number, line) in block.text.lines().enumerate() {
            let (expression, expected) =
                line.rsplit_once("  = ").unwrap_or_else(|| panic!("no expectation in: {line}"));
            let at = format!("docs/language.md:{}", block.line + number);
            let found = support::evaluate(expression.trim());
            let expected = support::evaluate(expected.trim());
            assert_eq!(found, expected, "{at}: {line}");
            tried += 1;
        }
    }
    assert!(tried >= 20, "only {tried} examples were found");
}
