//! The real binary: what it prints, in both languages, for people and for programs; and how it ends.
//!
//! Transcripts are golden: `tests/cli/<name>.<lang>.txt` holds each command with all that it said. Times, versions
//! and durations in them are replaced. `UPDATE_GOLDEN=1 cargo test --test suite cli` rewrites them and `docs/cli*.md`.

use crate::support::{files, golden, project};
use assert_cmd::Command;
use countersign::cli::{Exit, commands, manual};
use countersign::model::text::Lang;
use regex_lite::Regex;
use serde_json::Value as Json;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::Duration;

/// A folder with a shell in it.
pub(crate) struct Shell {
    pub(crate) folder: tempfile::TempDir,
    lang: &'static str,
}

/// What a command said, and how it ended.
pub(crate) struct Said {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Shell {
    pub(crate) fn new(lang: &'static str) -> Shell {
        Shell { folder: tempfile::tempdir().unwrap(), lang }
    }

    /// A shell whose database holds the shipped processes.
    fn deployed(lang: &'static str) -> Shell {
        let shell = Shell::new(lang);
        shell.good(&["deploy", &project("processes").display().to_string()]);
        shell
    }

    fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_countersign"));
        command
            .current_dir(self.folder.path())
            .env_clear()
            .env("COUNTERSIGN_LANG", self.lang)
            .env("USER", "tester")
            .timeout(Duration::from_secs(60));
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Said {
        self.typing(arguments, "")
    }

    /// Runs a command with lines typed into it.
    fn typing(&self, arguments: &[&str], lines: &str) -> Said {
        let output = self.command().args(arguments).write_stdin(lines).output().unwrap();
        Said {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    #[track_caller]
    pub(crate) fn good(&self, arguments: &[&str]) -> String {
        let said = self.run(arguments);
        assert_eq!(said.code, 0, "{arguments:?}\n{}{}", said.out, said.err);
        said.out
    }

    #[track_caller]
    pub(crate) fn json(&self, arguments: &[&str]) -> Json {
        let arguments: Vec<&str> = arguments.iter().copied().chain(["--json"]).collect();
        serde_json::from_str(&self.good(&arguments)).unwrap()
    }

    #[track_caller]
    pub(crate) fn ends(&self, exit: Exit, arguments: &[&str]) -> String {
        let said = self.run(arguments);
        assert_eq!(said.code, i32::from(exit.code()), "{arguments:?}\n{}{}", said.out, said.err);
        assert!(!said.err.contains("panicked"), "{}", said.err);
        said.err
    }

    pub(crate) fn write(&self, path: &str, text: &str) {
        std::fs::write(self.folder.path().join(path), text).unwrap();
    }

    /// Runs commands, a line each, and answers all that was typed and said.
    pub(crate) fn transcript(&self, lines: &str) -> String {
        let mut text = String::new();
        for line in lines.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let words = words(line);
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            let said = self.run(&words);
            text += &format!("$ countersign {line}\n{}", said.out);
            for line in said.err.lines() {
                text += &format!("! {line}\n");
            }
            if said.code != 0 {
                text += &format!("[exit {}]\n", said.code);
            }
            text.push('\n');
        }
        plain(&text, self.folder.path())
    }
}

/// Words of a line; those in single quotes stay together.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut quoted) = (Vec::new(), false);
    let mut word = String::new();
    for c in line.chars() {
        match c {
            '\'' => quoted = !quoted,
            ' ' if !quoted => words.extend(Some(std::mem::take(&mut word)).filter(|word| !word.is_empty())),
            c => word.push(c),
        }
    }
    words.extend(Some(word).filter(|word| !word.is_empty()));
    words
}

/// A text without what differs from run to run; runs of spaces shrink, as what stood between them had a width.
fn plain(text: &str, folder: &Path) -> String {
    let text =
        text.replace(&folder.display().to_string(), "DIR").replace(&project("").display().to_string(), "PROJECT/");
    let mut text = text;
    for (pattern, with) in [
        (r"\d+(\.\d+)? ms", "N ms"),
        (r"(\d+年)?\d+月\d+日 \d\d:\d\d", "TIME"),
        (r"\d+ [A-Z][a-z]+ (\d{4} )?\d\d:\d\d", "TIME"),
        (r"\b[0-9a-f]{8}\b", "VERSION"),
        (r"\d{4}-\d\d-\d\d", "DAY"),
        (r"-20\d\d-0", "-YEAR-0"),
        (r"(\S) {2,}", "$1  "),
        (r"\n {4,}(TIME)", "\n    $1"),
    ] {
        text = Regex::new(pattern).unwrap().replace_all(&text, with).into_owned();
    }
    text
}

const CASE: &str = "
    deploy processes
    deploy processes
    definitions
    start leave --as {applicant} --set kind=annual --set first_day=2030-03-09 --set last_day=2030-03-12 --set days=4
    tasks
    list
    show {number}
    approve {number} --as {superior}
    approve {number} --as {superior}
    reject {number} --as {director}
    return {number} --as {director} --opinion 'the dates?'
    show {number}
    revise {number} --as {applicant} --set days=5 --note 'five days'
    comment {number} 'good luck' --as {director}
    approve {number} --as {director}
    complete {number} --as {superior}
    complete {number} --as {applicant}
    complete {number} --as {clerk}
    complete {number} --as {clerk} --set days_left=7.5
    history {number}
    approve {number} --as {clerk}
    withdraw {number} --as {applicant}
    cancel {number}
    list --status ended
    mail queue --limit 3
    tasks --of {clerk}
";

#[test]
fn a_project_of_init_is_clean_and_runs_to_its_end() {
    let names = [("zh", "zhang", "li", "chen", "wu", "QJ"), ("en", "smith", "brown", "mueller", "jones", "LV")];
    for (lang, applicant, superior, director, clerk, series) in names {
        let shell = Shell::new(lang);
        let mut text = shell.transcript("init\ninit\ncheck");
        let year = shell.good(&["evaluate", "today().year"]);
        let lines = CASE
            .replace("{applicant}", applicant)
            .replace("{superior}", superior)
            .replace("{director}", director)
            .replace("{clerk}", clerk)
            .replace("{number}", &format!("{series}-{}-0001", year.trim()));
        text += &shell.transcript(&lines);
        golden(&project(&format!("tests/cli/case.{lang}.txt")), &text);
    }
}

#[test]
fn what_is_wrong_is_said_with_what_to_do() {
    for lang in ["zh", "en"] {
        let shell = Shell::new(lang);
        shell.write("bad.toml", "databse = 'x.db'\n");
        shell.write("broken.toml", "a = \n");
        shell.write("text.db", "this is no database, but long enough to look at: ............................");
        shell.write("data.yaml", "a: [1,\n");
        let text = shell.transcript(
            "
            lst
            aprove
            help deplyo
            help mail preveiw
            list
            list --frist
            show
            keys revoke x
            graph gift --format png
            explain CS0210x
            explain unknown-kay
            evaluate
            evaluate 'totl >= 5'
            evaluate '1 +' --data data.yaml
            evaluate '1' --data nothing.yaml
            check nothing
            check .
            list --config bad.toml
            list --config broken.toml
            list --config none.toml
            list --db text.db
            serve
            serve --dev --listen nonsense
            mail test a@example.com
            keys
            keys revoke 3
            ",
        );
        golden(&project(&format!("tests/cli/wrong.{lang}.txt")), &text);
        let shell = Shell::deployed(lang);
        let text = shell.transcript(
            "
            start gfit --as zhang
            start gift
            start gift --as nobody
            start gift --as zhao
            start gift --as zhang --set given_on=soon --set colour=red
            start gift --as zhang --set given_on
            start gift --as zhang --set items.0.name=x --set items.0.quantity=0
            show LP-2030-0001
            list --process gfit
            list --process nope
            list
            tasks --of chn
            mail queue
            ",
        );
        golden(&project(&format!("tests/cli/wrong_case.{lang}.txt")), &text);
    }
}

#[test]
fn a_leavers_work_is_handed_over_in_one_command() {
    for lang in ["zh", "en"] {
        let shell = Shell::new(lang);
        shell.good(&["deploy", &project("tests/handover").display().to_string()]);
        let text = shell.transcript(
            "
            start account --as cid --set name=Acme --set owner=cid --set author=cid
            start account --as dan --set name=Bolt --set owner=cid --set author=dan
            handover cid --to dan --dry-run
            handover cid --to dan --key Bolt
            handover cid --to ben
            handover cid --to ben
            handover cid --to cid
            handover zoe --to dan
            show KH-0001
            history KH-0001
            list
            ",
        );
        golden(&project(&format!("tests/cli/handover.{lang}.txt")), &text);
    }
}

#[test]
fn what_only_who_left_could_do_is_told_with_how_it_is_handed_over() {
    const STAYED: &str = "
directory: company
positions:
  boss: { title: { zh: 经理, en: Boss } }
  expert: { title: { zh: 专家, en: Expert } }
  aide: { title: { zh: 助理, en: Aide } }
  clerk: { title: { zh: 专员, en: Clerk } }
people:
  al: { name: Al, mail: al@example.com, positions: [clerk] }
  bo: { name: Bo, mail: bo@example.com, positions: [boss] }
";
    const LEFT: &str = "
  li: { name: Li Qiang, mail: li@example.com, positions: [expert, boss] }
  mo: { name: Mo, mail: mo@example.com, positions: [aide] }
";
    for lang in ["zh", "en"] {
        let shell = Shell::new(lang);
        shell.write("people.yaml", &format!("{STAYED}{LEFT}"));
        let processes = [("ONE", "expert"), ("ANY", "boss"), ("ALL", "[boss, aide], mode: all")];
        for (name, who) in processes {
            let text = format!(
                "process: {name}\ntitle: {name}\nnumber: \"{name}-{{seq}}\"\nstart: [clerk]\nsteps: [{{ id: look, title: {{ zh: 看, en: Look }}, approve: {who} }}]\n"
            );
            shell.write(&format!("{name}.yaml"), &text);
        }
        shell.good(&["deploy", "."]);
        for (name, _) in processes {
            shell.good(&["start", name, "--as", "al"]);
            std::fs::remove_file(shell.folder.path().join(format!("{name}.yaml"))).unwrap();
        }
        shell.write("people.yaml", STAYED);
        let text = shell.transcript(
            "
            deploy .
            stuck
            approve ONE-1 --as li
            handover li --to bo
            handover mo --to al
            stuck
            ",
        );
        golden(&project(&format!("tests/cli/left.{lang}.txt")), &text);
    }
}

#[test]
fn what_was_changed_in_a_row_and_who_is_asked_no_more_stand_once_in_the_history() {
    const PEOPLE: &str = "
directory: company
positions:
  boss: { title: { zh: 经理, en: Boss } }
  lead: { title: { zh: 组长, en: Lead } }
  clerk: { title: { zh: 专员, en: Clerk } }
people:
  al: { name: Al, mail: al@example.com, positions: [clerk] }
  bo: { name: Bo, mail: bo@example.com, positions: [boss, lead] }
  cy: { name: Cy, mail: cy@example.com, positions: [lead] }
";
    const PRICES: &str = "
process: prices
title: { zh: 报价, en: Prices }
number: \"P-{seq}\"
start: [clerk]
form:
  items:
    type: list
    title: { zh: 明细, en: Items }
    min: 1
    fields:
      name: { type: text, title: { zh: 名称, en: Name }, required: true }
      price: { type: money, title: { zh: 单价, en: Price }, required: true }
steps:
  - id: each
    each: items
    as: row
    steps:
      - { id: sign, title: { zh: 审价, en: Sign }, approve: boss, edit: [price] }
  - { id: last, title: { zh: 终审, en: Last }, approve: lead }
";
    for lang in ["zh", "en"] {
        let shell = Shell::new(lang);
        shell.write("people.yaml", PEOPLE);
        shell.write("prices.yaml", PRICES);
        shell.good(&["deploy", "."]);
        shell.good(&["start", "prices", "--as", "al", "--set", "items.0.name=A", "--set", "items.0.price=5"]);
        let text = shell.transcript(
            "
            approve P-1 --as bo --set price=7
            handover cy --to bo
            history P-1
            ",
        );
        golden(&project(&format!("tests/cli/changed.{lang}.txt")), &text);
    }
}

#[test]
fn a_deployment_never_leaves_open_cases_without_what_they_name() {
    let process = "process: pass\nnumber: \"P-{seq:3}\"\nform: { about: { type: text, required: true } }\nsteps:\n  \
                   - { id: sign, task: lead }\n  - { id: check, call: audit, with: { about: about }, on: { otherwise: next } }\n";
    let audit = |field: &str| {
        format!(
            "process: audit\nform: {{ {field}: {{ type: text, required: true }} }}\nsteps:\n  - {{ id: look, task: boss }}\n"
        )
    };
    let directory = |positions: &str, people: &str| {
        format!(
            "directory: firm\npositions:\n  boss:\n{positions}people:\n  amy: {{ name: Amy, mail: amy@example.com, positions: [boss] }}\n{people}"
        )
    };
    let (bob, cal) = (
        "  bob: { name: Bob, mail: bob@example.com, positions: [lead] }\n",
        "  cal: { name: Cal, mail: cal@example.com, positions: [lead] }\n",
    );
    let shell = Shell::new("en");
    std::fs::create_dir(shell.folder.path().join("processes")).unwrap();
    shell.write("processes/pass.yaml", process);
    shell.write("processes/audit.yaml", &audit("about"));
    shell.write("processes/directory.yaml", &directory("  lead:\n", bob));
    shell.good(&["deploy"]);
    shell.good(&["start", "pass", "--as", "amy", "--set", "about=x"]);
    // The new version asks the boss: the open case still runs on the one that asks the lead.
    shell.write("processes/pass.yaml", &process.replace("task: lead", "task: boss"));
    shell.write("processes/directory.yaml", &directory("", ""));
    let said = shell.ends(Exit::Refused, &["deploy"]);
    assert!(said.contains("P-001") && said.contains("the position `lead`"), "{said}");
    // So it is with what a process calls, and by which field.
    shell.write("processes/directory.yaml", &directory("  lead:\n", bob));
    shell.write("processes/audit.yaml", &audit("topic"));
    shell.write("processes/pass.yaml", &process.replace("about: about }, on", "topic: about }, on"));
    let said = shell.ends(Exit::Refused, &["deploy"]);
    assert!(said.contains("P-001") && said.contains("the field `about`"), "{said}");
    std::fs::remove_file(shell.folder.path().join("processes/audit.yaml")).unwrap();
    shell.write(
        "processes/pass.yaml",
        &process.replace("  - { id: check, call: audit", "  # - { id: check, call: audit"),
    );
    let said = shell.ends(Exit::Refused, &["deploy"]);
    assert!(said.contains("P-001") && said.contains("it calls `audit`"), "{said}");
    // Who goes while they have work does not stand in its way, and is told of.
    shell.write("processes/audit.yaml", &audit("about"));
    shell.write("processes/directory.yaml", &directory("  lead:\n", cal));
    let said = shell.run(&["deploy"]);
    assert_eq!(said.code, 0, "{}", said.err);
    assert!(said.err.contains("Bob") && said.err.contains("countersign handover bob --to"), "{}", said.err);
    shell.good(&["handover", "bob", "--to", "cal"]);
    assert_eq!(shell.json(&["tasks", "--of", "cal"])[0]["step"], "sign");
}

#[test]
fn the_manual_is_what_help_says() {
    golden(&project("docs/cli.md"), &manual(Lang::En));
    golden(&project("docs/cli.zh.md"), &manual(Lang::Zh));
}

#[test]
fn every_command_has_help_in_both_languages() {
    let chinese = |text: &str| text.chars().any(|c| ('\u{4e00}'..'\u{9fff}').contains(&c));
    for lang in ["zh", "en"] {
        let shell = Shell::new(lang);
        for path in commands() {
            let mut words: Vec<&str> = path.iter().map(String::as_str).collect();
            words.push("--help");
            let page = shell.good(&words);
            let usage = format!("countersign {}", path.join(" "));
            assert!(page.contains(&usage), "{path:?}\n{page}");
            let head = page.lines().next().unwrap_or_default();
            assert_eq!(chinese(head), lang == "zh", "{path:?}: {head}");
        }
        assert_eq!(shell.good(&[]), shell.good(&["--help"]));
        assert_eq!(shell.good(&["help", "mail", "queue"]), shell.good(&["mail", "queue", "--help"]));
    }
}

#[test]
fn the_language_is_the_option_the_variable_or_the_locale() {
    let shell = Shell::new("en");
    let zh = |arguments: &[&str], variables: &[(&str, &str)]| {
        let mut command = shell.command();
        command.env_remove("COUNTERSIGN_LANG").envs(variables.iter().copied()).args(arguments);
        String::from_utf8(command.output().unwrap().stdout).unwrap().contains("命令")
    };
    assert!(!zh(&["--help"], &[]), "English where nothing is said");
    assert!(zh(&["--help"], &[("LANG", "zh_CN.UTF-8")]));
    assert!(!zh(&["--help"], &[("LANG", "zh_CN.UTF-8"), ("LC_ALL", "en_US.UTF-8")]));
    assert!(zh(&["--help"], &[("LANG", "en_US.UTF-8"), ("COUNTERSIGN_LANG", "zh")]));
    assert!(zh(&["--help", "--lang", "zh"], &[("COUNTERSIGN_LANG", "en")]));
    shell.write("countersign.toml", "language = 'zh'\n");
    assert!(zh(&["--help"], &[("LANG", "en_US.UTF-8")]));
}

#[test]
fn programs_read_json() {
    let shell = Shell::deployed("en");
    shell.write("gift.yaml", GIFT);
    let started = shell.json(&["start", "gift", "--as", "zhang", "--data", "gift.yaml"]);
    let id = started["id"].as_str().unwrap();
    let number = started["number"].as_str().unwrap();
    assert_eq!(started["waits_for"][0]["people"][0], "li");
    assert_eq!(shell.json(&["list"])[0]["id"], id);
    assert_eq!(shell.json(&["list"])[0]["headline"], "640.00");
    assert_eq!(shell.json(&["list", "--mine", "--as", "zhang"]).as_array().unwrap().len(), 1);
    assert_eq!(shell.json(&["list", "--applicant", "wang"]).as_array().unwrap().len(), 0);
    assert_eq!(shell.json(&["list", "--key", "华康医院"])[0]["number"], number);
    assert_eq!(shell.json(&["tasks", "--of", "李伟"])[0]["step"], "supervisor");
    let shown = shell.json(&["show", number]);
    assert_eq!(shown["data"]["items"][0]["value"], "320.00");
    assert_eq!(shown["upcoming"][0]["people"][0], "zhao");
    let history = shell.json(&["history", &id[..12]]);
    assert_eq!(history["entries"][0]["events"][0]["event"], "started");
    assert_eq!(history["entries"][0]["actor"]["via"]["shell"], "tester");
    assert_eq!(shell.json(&["mail", "queue", "--to", "li"])[0]["state"], "pending");
    let shipped = files(&project("processes"), ".yaml")
        .into_iter()
        .filter(|path| std::fs::read_to_string(path).unwrap().lines().any(|line| line.starts_with("process: ")))
        .filter(|path| !path.to_string_lossy().ends_with(".test.yaml"));
    assert_eq!(shell.json(&["definitions"])["processes"].as_array().unwrap().len(), shipped.count());
    let checked = shell.json(&["check", &project("processes").display().to_string()]);
    assert_eq!((&checked["errors"], &checked["diagnostics"]), (&0.into(), &Json::Array(Vec::new())));
    assert!(shell.json(&["explain"]).as_array().unwrap().len() > 20);
    assert_eq!(shell.json(&["explain", "CS0201"])["name"], "unknown_key");
    assert_eq!(shell.json(&["evaluate", "1 + 1"]), "2");
    let error = shell.ends(Exit::NotFound, &["show", "nothing", "--json"]);
    let error: Json = serde_json::from_str(&error).unwrap();
    assert_eq!(error["error"]["name"], "not_found");
}

const GIFT: &str = "
given_on: 2030-03-06
given_to: 华康医院
received_by: 李主任
items: [{ name: 茶具, quantity: 2, value: 320.00 }]
";

#[test]
fn a_case_is_named_by_the_beginning_of_its_number_or_id() {
    let shell = Shell::deployed("en");
    shell.write("gift.yaml", GIFT);
    let first = shell.json(&["start", "gift", "--as", "zhang", "--data", "gift.yaml"]);
    shell.good(&["show", "LP"]);
    shell.good(&["start", "gift", "--as", "zhang", "--data", "gift.yaml"]);
    let several = shell.ends(Exit::NotFound, &["show", "LP"]);
    assert!(several.contains("0001") && several.contains("0002"), "{several}");
    let id = first["id"].as_str().unwrap();
    assert!(shell.good(&["show", id]).contains("0001"));
}

#[test]
fn a_case_that_waits_for_its_form_says_so_and_is_filled_in() {
    for (lang, list, task) in
        [("zh", "等待填写申请", "填写申请"), ("en", "waits to be filled in", "Fill in the request")]
    {
        let shell = Shell::new(lang);
        shell.write("people.yaml", "directory: d\npositions: { boss: { title: Boss } }\npeople:\n  bo: { name: Bo, mail: bo@example.com, positions: [boss] }\n");
        shell.write("survey.yaml", "process: survey\ntitle: Survey\nnumber: \"S-{seq}\"\nform: { about: { type: text, title: About, required: true } }\nsteps: [{ id: look, title: Look, task: boss }]\n");
        shell.write(
            "asking.yaml",
            "process: asking\ntitle: Ask\nsteps: [{ id: survey, call: survey, detached: true }, { end: asked }]\n",
        );
        shell.good(&["deploy", "."]);
        shell.good(&["start", "asking", "--as", "bo"]);
        assert!(shell.good(&["list", "--process", "survey"]).contains(list));
        assert!(shell.good(&["tasks"]).contains(task));
        shell.ends(Exit::Input, &["complete", "S-1", "--as", "bo"]);
        shell.good(&["complete", "S-1", "--as", "bo", "--set", "about=x"]);
        assert!(shell.good(&["list", "--process", "survey"]).contains("Look"));
        shell.good(&["complete", "S-1", "--as", "bo"]);
    }
}

#[test]
fn a_case_of_its_own_that_could_not_begin_is_tried_again_or_let_go() {
    for (lang, why) in [("zh", "未结束"), ("en", "open")] {
        let shell = Shell::new(lang);
        shell.write("people.yaml", "directory: d\npositions: { boss: { title: Boss } }\npeople:\n  bo: { name: Bo, mail: bo@example.com, positions: [boss] }\n");
        shell.write("survey.yaml", "process: survey\ntitle: Survey\nnumber: \"S-{seq}\"\nkey: about\nsingle: true\nform: { about: { type: text, title: About, required: true } }\nsteps: [{ id: look, title: Look, task: boss }]\n");
        shell.write(
            "asking.yaml",
            "process: asking\ntitle: Ask\nnumber: \"A-{seq}\"\nsteps: [{ id: survey, call: survey, detached: true, with: { about: '\"x\"' } }, { id: note, title: Note, task: boss }]\n",
        );
        shell.good(&["deploy", "."]);
        for _ in 0..3 {
            shell.good(&["start", "asking", "--as", "bo"]);
        }
        let stuck = shell.good(&["stuck"]);
        assert!(stuck.contains("countersign retry A-2") && stuck.contains("A-3") && !stuck.contains(" / "), "{stuck}");
        let refused = shell.ends(Exit::Refused, &["retry", "A-2"]);
        assert!(refused.contains("S-1") && refused.contains(why), "{refused}");
        shell.good(&["complete", "S-1", "--as", "bo"]);
        let tried: serde_json::Value = serde_json::from_str(&shell.good(&["retry", "A-2", "--json"])).unwrap();
        assert_eq!((&tried["number"], &tried["process"]), (&"A-2".into(), &"asking".into()));
        assert!(shell.good(&["list", "--process", "survey"]).contains("S-2"));
        shell.good(&["skip", "A-3", "--reason", "enough"]);
        assert!(!shell.good(&["stuck"]).contains("A-"));
        assert!(shell.good(&["history", "A-3"]).contains("enough"), "why it was let go is told");
    }
}

#[test]
fn who_left_the_directory_keeps_their_name_in_what_they_did() {
    let shell = Shell::new("en");
    let people = |left: &str| {
        format!(
            "directory: d\npositions: {{ boss: {{ title: Boss }} }}\npeople:\n  bo: {{ name: Bo Berg, mail: bo@example.com, positions: [boss] }}\n{left}"
        )
    };
    shell.write("people.yaml", &people("  li: { name: Li Qiang, mail: li@example.com, positions: [boss] }\n"));
    shell.write(
        "ask.yaml",
        "process: ask\ntitle: Ask\nnumber: \"A-{seq}\"\nsteps: [{ id: look, title: Look, task: boss, mode: all }]\n",
    );
    shell.good(&["deploy", "."]);
    shell.good(&["start", "ask", "--as", "li"]);
    shell.good(&["start", "ask", "--as", "bo"]);
    shell.write("people.yaml", &people(""));
    shell.good(&["deploy", "."]);
    // Once more: who left stays known.
    shell.write("people.yaml", &people("  al: { name: Al, mail: al@example.com }\n"));
    shell.good(&["deploy", "."]);
    assert!(shell.good(&["history", "A-1"]).contains("Li Qiang"));
    assert!(shell.good(&["list", "--applicant", "li"]).contains("A-1"));
    assert!(shell.good(&["tasks", "--of", "Li Qiang"]).contains("A-2"));
    // Nobody mistakes them for somebody who can act.
    shell.ends(Exit::NotFound, &["start", "ask", "--as", "li"]);
}

#[test]
fn rows_that_ask_one_person_are_told_apart() {
    let shell = Shell::new("en");
    shell.write("people.yaml", "directory: d\npositions: { boss: { title: Boss } }\npeople:\n  bo: { name: Bo, mail: bo@example.com, positions: [boss] }\n");
    shell.write(
        "round.yaml",
        "process: round\ntitle: Round\nnumber: \"R-{seq}\"\nform:\n  firms: { type: list, title: Firms, fields: { name: { type: text, title: Name, required: true } } }\nsteps:\n  - id: all\n    each: firms\n    as: firm\n    steps: [{ id: call, title: Call, task: boss }]\n",
    );
    shell.write("firms.data", "firms: [{ name: North }, { name: South }]\n");
    shell.good(&["deploy", "."]);
    let begun = shell.good(&["start", "round", "--as", "bo", "--data", "firms.data"]);
    assert!(begun.contains("Call (row 1: North)") && begun.contains("Call (row 2: South)"), "{begun}");
    let said = shell.run(&["complete", "R-1", "--as", "bo"]);
    assert!(said.err.contains("all/1/call (Call (row 1: North)), all/2/call (Call (row 2: South))"), "{}", said.err);
    assert!(shell.good(&["complete", "R-1/all/2/call", "--as", "bo"]).contains("Call (row 2: South)"));
    let again = shell.run(&["complete", "R-1/all/2/call", "--as", "bo"]);
    assert!(
        again.err.contains("Bo answered “Call (row 2: South)”") && again.err.contains("(row 1: North)"),
        "{}",
        again.err
    );
    shell.good(&["complete", "R-1/1/call", "--as", "bo"]);
    let history = shell.good(&["history", "R-1"]);
    let at = |words: &str| history.find(words).expect("both rows are told");
    assert!(at("Call (row 2: South)") < at("Call (row 1: North)"), "{history}");
}

#[test]
fn lengths_of_time_and_each_of_several_texts_keep_their_limits() {
    let shell = Shell::new("en");
    shell.write("people.yaml", "directory: d\npositions: { boss: { title: Boss } }\npeople:\n  bo: { name: Bo, mail: bo@example.com, positions: [boss] }\n");
    shell.write(
        "stay.yaml",
        "process: stay\ntitle: Stay\nform:\n  length: { type: duration, title: Length, min: 1 day, max: 5 days }\n  tags: { type: text, title: Tags, many: true, pattern: \"[a-z]+\" }\nsteps: [{ id: look, title: Look, task: boss }]\n",
    );
    shell.good(&["deploy", "."]);
    let said = shell.run(&["start", "stay", "--as", "bo", "--set", "length=P9D", "--set", "tags=a; B"]);
    assert!(said.err.contains("At most 5 days.") && said.err.contains("Not in the expected form"), "{}", said.err);
    assert!(shell.run(&["start", "stay", "--as", "bo", "--set", "length=PT2H"]).err.contains("At least 1 day."));
    // Who knows how long a working day is?
    let unlike = shell.run(&["start", "stay", "--as", "bo", "--set", "length=300 working days"]).err;
    assert!(unlike.contains("Please give it in the same unit as “5 days”."), "{unlike}");
    shell.good(&["start", "stay", "--as", "bo", "--set", "length=P2D", "--set", "tags=a; b"]);
}

#[test]
fn a_value_beyond_its_limit_is_told_before_what_cannot_be_computed_from_it() {
    let shell = Shell::new("en");
    shell.write("people.yaml", "directory: d\npositions: { boss: { title: Boss } }\npeople:\n  bo: { name: Bo, mail: bo@example.com, positions: [boss] }\n");
    shell.write("share.yaml", "process: share\ntitle: Share\nform:\n  guests: { type: integer, title: Guests, required: true, min: 1 }\n  each: { type: decimal, title: Each, value: 100 / guests }\nsteps: [{ id: look, title: Look, task: boss }]\n");
    shell.good(&["deploy", "."]);
    let said = shell.ends(Exit::Input, &["start", "share", "--as", "bo", "--set", "guests=0"]);
    assert!(said.contains("At least 1") && !said.contains("zero"), "{said}");
}

/// What cannot be read, what is missing, what is beyond a limit and what breaks a rule: one answer, not four.
#[test]
fn everything_that_is_wrong_with_a_form_is_told_in_one_answer() {
    let shell = Shell::new("en");
    shell.write("people.yaml", "directory: d\npositions: { boss: { title: Boss } }\npeople:\n  bo: { name: Bo, mail: bo@example.com, positions: [boss] }\n");
    shell.write(
        "trip.yaml",
        "process: trip\ntitle: Trip\nform:\n  where: { type: text, title: Where, required: true }\n  \
         days: { type: integer, title: Days, required: true }\n  cost: { type: money, title: Cost, max: 100 }\n  \
         code: { type: text, title: Code, pattern: '[A-Z]+' }\nsteps:\n  - { id: look, title: Look, task: boss }\n",
    );
    shell.good(&["deploy", "."]);
    let said = shell.ends(
        Exit::Input,
        &["start", "trip", "--as", "bo", "--set", "days=many", "--set", "cost=120", "--set", "code=a"],
    );
    for wrong in [
        "4 things to mend",
        "days (Days): “many”",
        "where (Where): Please",
        "cost (Cost): At most 100",
        "code (Code): Not",
    ] {
        assert!(said.contains(wrong), "{wrong}\n{said}");
    }
}

#[test]
fn the_same_command_id_is_done_once() {
    let shell = Shell::deployed("en");
    shell.write("gift.yaml", GIFT);
    let arguments = ["start", "gift", "--as", "zhang", "--data", "gift.yaml", "--id", "order-7"];
    let (first, second) = (shell.json(&arguments), shell.json(&arguments));
    assert_eq!((&first["id"], &first["repeated"], &second["repeated"]), (&second["id"], &false.into(), &true.into()));
}

#[test]
fn what_is_missing_is_asked_and_only_what_is_wrong_again() {
    let shell = Shell::deployed("en");
    let lines = "2\n\nsoon\n2030-03-09\n2030-03-08\nfilming\n2030-03-10\n";
    // equipment · purpose (needed, so asked again) · needed_on (no date, then one) · back_on, too early by the
    // engine's word, so that it alone is asked again.
    let lines = lines.replacen("2\n\nsoon", "2\n\nfilming\nsoon", 1).replacen("filming\n2030-03-10", "2030-03-10", 1);
    let said = shell.typing(&["start", "equipment", "--as", "zhang", "--ask"], &lines);
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    assert!(said.err.contains("This has to be filled in"), "{}", said.err);
    assert!(said.err.contains("It cannot be back before it is lent"), "{}", said.err);
    let shown = shell.json(&["show", "SB"]);
    assert_eq!(shown["data"]["equipment"], "camera");
    assert_eq!(shown["data"]["back_on"], "2030-03-10");
    // Of a table only the cell that is wrong: the quantity of 0.
    let rows = "\n\n2030-03-06\nNorthwind\nDr. Kim\nPen\n0\n320\n\nn\n2\n";
    let said = shell.typing(&["start", "gift", "--as", "smith", "--ask"], rows);
    assert!(said.err.contains("row 1 · Quantity"), "{}", said.err);
    assert_eq!(shell.json(&["show", "LP"])["data"]["total"], "640.00");
    let given_up = shell.typing(&["start", "equipment", "--as", "zhang", "--ask"], "1\n");
    assert_eq!(given_up.code, i32::from(Exit::Interrupted.code()));
    assert_eq!(shell.json(&["list"]).as_array().unwrap().len(), 2, "nothing was handed in");
}

#[test]
fn a_cell_that_is_set_leaves_the_other_rows() {
    let shell = Shell::deployed("en");
    shell.good(&[
        "start",
        "gift",
        "--as",
        "zhang",
        "--set",
        "given_on=2030-12-02",
        "--set",
        "given_to=A",
        "--set",
        "received_by=B",
        "--set",
        "items.0.name=Tea set",
        "--set",
        "items.0.quantity=2",
        "--set",
        "items.0.value=320",
        "--set",
        "items.1.name=Tea",
        "--set",
        "items.1.quantity=1",
        "--set",
        "items.1.value=80.5",
    ]);
    shell.good(&["return", "LP", "--as", "li", "--opinion", "one is enough"]);
    shell.good(&["revise", "LP", "--as", "zhang", "--set", "items.0.quantity=1"]);
    let case = shell.json(&["show", "LP"]);
    let text = case.to_string();
    assert!(text.contains("400.50"), "both rows count: {text}");
    assert!(text.contains("Tea set") && text.contains("\"Tea\""), "no row is dropped: {text}");
}

#[test]
fn files_that_cannot_be_used_end_with_their_code() {
    let shell = Shell::deployed("en");
    let database = shell.folder.path().join("countersign.db");
    let mut bytes = std::fs::read(&database).unwrap();
    // The number of the schema, in the header of the file.
    bytes[60..64].copy_from_slice(&9_999u32.to_be_bytes());
    std::fs::write(shell.folder.path().join("newer.db"), &bytes).unwrap();
    shell.write("empty", "");
    let newer = shell.ends(Exit::Database, &["list", "--db", "newer.db"]);
    assert!(newer.contains("newer"), "{newer}");
    shell.ends(Exit::Database, &["list", "--db", "none.db"]);
    assert!(!shell.folder.path().join("none.db").exists(), "looking makes no database");
    shell.ends(Exit::Input, &["start", "gift", "--as", "zhang", "--data", "none.yaml"]);
    shell.ends(Exit::Input, &["deploy", "none"]);
    shell.ends(Exit::World, &["serve", "--dev", "--listen", "203.0.113.1:80"]);
}

#[test]
fn cases_of_expressions_end_with_a_line_for_programs() {
    let shell = Shell::new("zh");
    shell.write(
        "cases.jsonl",
        "{\"id\":\"a\",\"expression\":\"1+1\",\"expected\":{\"type\":\"decimal\",\"value\":\"2\"}}\n\
         {\"id\":\"b\",\"expression\":\"1+1\",\"expected\":null}\n",
    );
    let said = shell.run(&["evaluate", "--cases", "cases.jsonl"]);
    assert_eq!(said.out.lines().last(), Some("1 passed, 1 failed"));
    assert_eq!(said.code, i32::from(Exit::Faults.code()));
}

#[test]
fn colours_obey_who_listens() {
    let shell = Shell::new("en");
    let painted = |variables: &[(&str, &str)], arguments: &[&str]| {
        let output = shell.command().envs(variables.iter().copied()).args(arguments).output().unwrap();
        output.stdout.contains(&0x1b)
    };
    assert!(!painted(&[], &["--help"]), "nothing is painted into a file");
    assert!(painted(&[], &["--help", "--colour", "always"]));
    assert!(painted(&[("CLICOLOR_FORCE", "1")], &["--help"]));
    assert!(!painted(&[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")], &["--help"]));
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let shell = Shell::new("en");
    let mut child = server(&shell, &["explain", "--json"]);
    // The pipe is closed before anything is read.
    drop(child.stdout.take());
    let mut err = String::new();
    child.stderr.take().unwrap().read_to_string(&mut err).unwrap();
    assert!(child.wait().unwrap().success());
    assert_eq!(err, "");
}

fn server(shell: &Shell, arguments: &[&str]) -> Child {
    std::process::Command::new(env!("CARGO_BIN_EXE_countersign"))
        .current_dir(shell.folder.path())
        .env_clear()
        .env("COUNTERSIGN_LANG", shell.lang)
        .args(arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

#[cfg(unix)]
#[test]
fn one_server_acts_and_ends_in_order() {
    let shell = Shell::deployed("en");
    shell.write("gift.yaml", GIFT);
    let mut child = server(&shell, &["serve", "--dev", "--listen", "127.0.0.1:0"]);
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let greeting = lines.next().unwrap().unwrap();
    assert!(greeting.contains("http://127.0.0.1:"), "{greeting}");
    let other = shell.ends(Exit::Busy, &["serve", "--dev", "--listen", "127.0.0.1:0"]);
    assert!(other.contains("server"), "{other}");
    // What is entered in another shell goes out from here, and nobody says that no server runs.
    let said = shell.run(&["start", "gift", "--as", "zhang", "--data", "gift.yaml"]);
    assert_eq!((said.code, said.err.as_str()), (0, ""), "{}", said.out);
    let delivered = || shell.json(&["mail", "queue", "--to", "li", "--state", "accepted"]).as_array().map(Vec::len);
    let begun = std::time::Instant::now();
    while delivered() != Some(1) {
        assert!(begun.elapsed() < Duration::from_secs(20), "the mail was not sent");
    }
    let stopped = std::process::Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
    assert!(stopped.success());
    assert!(child.wait().unwrap().success());
    let said = shell.run(&["comment", "LP", "hello", "--as", "zhang"]);
    assert!(said.err.contains("No server runs"), "{}", said.err);
}

#[test]
fn the_demonstration_plays_everybody_to_the_end() {
    for lang in ["zh", "en"] {
        let shell = Shell::new(lang);
        let text = shell.transcript("demo --auto");
        golden(&project(&format!("tests/cli/demo.{lang}.txt")), &text);
    }
}

#[test]
fn mends_are_shown_before_they_are_made() {
    let shell = Shell::new("en");
    shell.write("people.yaml", "directory: d\npositions: { boss: { title: Boss } }\npeople:\n  bo: { name: Bo, mail: bo@example.com, positions: [boss] }\n  al: { name: Al, mail: al@example.com, positions: [boss] }\n");
    let wrong = "process: a\ntilte: A # kept\nsteps:\n- { id: one, aprove: boss }\n";
    shell.write("a.yaml", wrong);
    let read = || std::fs::read_to_string(shell.folder.path().join("a.yaml")).unwrap();
    let shown = shell.run(&["check", ".", "--diff"]);
    assert!(shown.code == 1 && shown.out.contains("-tilte: A # kept\n+title: A # kept"), "{}", shown.out);
    assert_eq!(read(), wrong, "nothing is written");
    let said = shell.json(&["check", ".", "--fix"]);
    assert_eq!((&said["errors"], said["mended"].as_array().unwrap().len()), (&0.into(), 2));
    shell.ends(Exit::Faults, &["fmt", ".", "--check"]);
    shell.good(&["fmt", "."]);
    assert_eq!(read(), "process: a\ntitle: A  # kept\nsteps:\n  - { id: one, approve: boss }\n");
    shell.good(&["fmt", ".", "--check"]);
    let log: Json = serde_json::from_str(&shell.good(&["check", ".", "--format", "sarif"])).unwrap();
    assert_eq!(log["runs"][0]["results"], Json::Array(Vec::new()));
}

#[test]
fn files_that_are_named_together_are_read_once() {
    let shell = Shell::new("en");
    shell.write("people.yaml", "directory: d\npositions: { boss: { title: Boss } }\npeople:\n  bo: { name: Bo, mail: bo@example.com, positions: [boss] }\n  al: { name: Al, mail: al@example.com, positions: [boss] }\n");
    shell.write("a.yaml", "process: a\ntitle: A\nsteps:\n  - { id: one, approve: boss }\n");
    for named in [["a.yaml", "people.yaml"], ["a.yaml", "./people.yaml"], [".", "a.yaml"]] {
        let said = shell.good(&["check", named[0], named[1]]);
        assert!(said.contains("2 files"), "{said}");
    }
}

#[test]
fn mends_that_are_only_offers_are_counted() {
    for (lang, words) in [("en", "1 mend above is only an offer"), ("zh", "上面还有 1 处改法只是建议")] {
        let shell = Shell::new(lang);
        shell.write("people.yaml", "directory: d\npositions: { boss: { title: Boss } }\npeople:\n  bo: { name: Bo, mail: bo@example.com, positions: [boss] }\n  al: { name: Al, mail: al@example.com, positions: [boss] }\n");
        shell.write("a.yaml", "process: a\ntitle: A\nsteps:\n  - { id: one, approve: bosk }\n");
        let said = shell.run(&["check", ".", "--fix"]);
        assert!(said.code == 1 && said.out.contains(words), "{}", said.out);
        assert!(!shell.run(&["check", "."]).out.contains(words));
    }
}

#[test]
fn a_template_of_a_process_is_told_by_file_line_and_name() {
    let shell = Shell::new("en");
    shell.write("people.yaml", "directory: d\npositions: { boss: { title: Boss } }\npeople:\n  bo: { name: Bo, mail: bo@example.com, positions: [boss] }\n  al: { name: Al, mail: al@example.com, positions: [boss] }\n");
    shell.write("a.yaml", "process: a\ntitle: A\nform:\n  what: { type: text, required: true }\nsteps:\n  - { id: one, approve: boss, show: [what] }\n  - { notify: boss, template: hello }\n");
    let said = shell.run(&["check", "."]);
    assert!(said.out.contains("`templates/mail/hello.txt`"), "{}", said.out);
    std::fs::create_dir_all(shell.folder.path().join("templates/mail")).unwrap();
    shell.write("templates/mail/hello.txt", "Subject: x\n\n{{ data.waht }}\n");
    let said = shell.run(&["check", "."]);
    assert!(said.out.contains("(templates/mail/hello.txt:3): There is no `data.waht`"), "{}", said.out);
    assert!(said.out.contains("data.what") && said.out.contains("1 error"), "{}", said.out);
}

#[test]
fn a_wrong_command_line_is_told_in_json_too() {
    let shell = Shell::deployed("en");
    for arguments in [&["list", "--bogus", "--json"][..], &["list", "--status", "bogus", "--json"]] {
        let error: Json = serde_json::from_str(&shell.ends(Exit::Usage, arguments)).unwrap();
        assert_eq!(error["error"]["name"], "usage");
    }
    assert!(shell.ends(Exit::Usage, &["list", "--status", "rejectd"]).contains("rejected"));
}

#[test]
fn reports_count_what_was_done_and_say_what_is_wrong_with_what_is_asked() {
    let shell = Shell::new("en");
    shell.good(&["deploy", &project("tests/reports/processes").display().to_string()]);
    for customer in ["华康医院", "St. Mary & Sons"] {
        let (customer, owner) = (format!("customer={customer}"), "owner=zhang");
        shell.good(&[
            "start",
            "visit",
            "--as",
            "zhang",
            "--set",
            &customer,
            "--set",
            owner,
            "--set",
            "purpose=revisit",
        ]);
    }
    shell.good(&["approve", "BF-2026-0001", "--as", "wang"]);
    let metrics = shell.json(&["report", "kpi", "revisit_rate", "--by", "person"]);
    let row = &metrics["metrics"][0];
    assert_eq!((&row["numerator"], &row["denominator"]), (&"0".into(), &"2".into()), "{metrics:#}");
    assert_eq!(row["parts"][0]["part"], "张磊");
    assert!(metrics["so_far"].is_string(), "{metrics:#}");
    let course = shell.json(&["report", "process", "visit"]);
    assert_eq!((&course["started"], &course["open"]), (&2.into(), &2.into()), "{course:#}");
    shell.good(&["report", "kpi", "--out", "q.html"]);
    shell.good(&["report", "kpi", "--out", "q.csv"]);
    let page = std::fs::read_to_string(shell.folder.path().join("q.html")).unwrap();
    assert!(page.starts_with("<!doctype html>") && !page.contains("<script"), "{page}");
    assert!(std::fs::read_to_string(shell.folder.path().join("q.csv")).unwrap().starts_with('\u{feff}'));
    let wrong = |arguments: &[&str], says: &str| {
        let said = shell.run(arguments);
        assert!(said.code != 0 && said.err.contains(says), "{arguments:?}: {}{}", said.out, said.err);
    };
    wrong(&["report", "kpi", "--period", "2099-Q1"], "Q1 2099 has not begun");
    wrong(&["report", "kpi", "--period", "2026-Q5"], "“2026-Q5” is no period");
    wrong(&["report", "kpi", "revisit_rat"], "Did you mean “revisit_rate”?");
    wrong(&["report", "kpi", "--by", "persn"], "Did you mean “person”?");
    wrong(&["report", "kpi", "revisit_rate", "--period", "2026"], "measured by month, quarter");
    wrong(&["report", "process", "vist"], "Did you mean “visit”?");
    wrong(&["report", "kpi", "--out", "q.xlsx"], "No .xlsx file can be written (q.xlsx). Names may end in .html");
    let from = project("tests/reports/processes").display().to_string();
    wrong(&["graph", "visit", "--in", &from, "--out", "v.pdf"], "Names may end in .svg, .mmd");
    assert!(!shell.folder.path().join("q.xlsx").exists() && !shell.folder.path().join("v.pdf").exists());
    let none = shell.good(&["report", "kpi", "--period", "2020-Q1"]);
    assert!(none.contains("no data") && !none.contains('÷'), "{none}");
}
