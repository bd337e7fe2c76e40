//! What `explore` knows across blocks, and how long it says that a process takes.

use crate::support::{compile, project};
use countersign::model::definition::Definition;
use countersign::model::text::Lang;
use countersign::simulate::explore::{Explored, Length, Never, Turn, explore};

/// Explores a process of these steps.
fn explored(steps: &str) -> Explored {
    explore(&process(steps))
}

fn process(steps: &str) -> Definition {
    with_rows("type: list", steps)
}

fn with_rows(rows: &str, steps: &str) -> Definition {
    let head = "process: one\ntitle: 一\nnumber: \"A-{seq:4}\"\nform:\n  total: { type: money, title: 合计, required: true }\n  \
                rows: { type: list, title: 行, fields: { name: { type: text, title: 名称, required: true } } }\n\
                data:\n  level: { type: text, title: 级别 }\n  file: { type: text, title: 档案号 }\nsteps:\n";
    let directory = std::fs::read_to_string(project("processes/directory.yaml")).unwrap();
    let called = "process: other\ntitle: 二\ndata:\n  file: { type: text, title: 档案号 }\nsteps:\n  \
                  - { id: look, title: 看, approve: 副总经理, due: 1 working day, on: { rejected: next } }\n  \
                  - set: { file: '\"A-1\"' }\n";
    let text = format!("{head}{steps}").replacen("type: list", rows, 1);
    let compiled = compile(&[("one.yaml", &text), ("other.yaml", called), ("directory.yaml", &directory)]);
    assert!(!compiled.has_errors(), "{}", compiled.render(Lang::En));
    compiled.definitions.into_iter().find(|one| one.process.as_str() == "one").unwrap()
}

/// The steps that are never come to.
fn never(steps: &str) -> Vec<String> {
    let step = |never: &Never| if let Never::Step(id) = never { Some(id.to_string()) } else { None };
    explored(steps).never.iter().filter_map(step).collect()
}

/// The steps whose people decide somewhere.
fn deciders(steps: &str) -> Vec<String> {
    explored(steps).asked.iter().map(|asked| asked.step.to_string()).collect()
}

/// What the applicant changes is looked at again by the conditions around, so it leads to nothing that they exclude; what
/// they do not read, or steps have changed since, it may lead to.
#[test]
fn a_return_leads_to_no_step_that_no_way_comes_to() {
    let in_case = "  - id: big\n    choose:\n      - when: total > 10\n        steps:\n          - { id: a, title: 甲, approve: 副总经理EDIT }\n          \
                   - { id: b, title: 乙, approve: 副总经理, when: total < 5 }\n          - { id: c, title: 丙, approve: 副总经理 }\n    otherwise: [{ id: d, title: 丁, approve: 副总经理 }]\n";
    assert_eq!(deciders(&in_case.replace("EDIT", "")), ["a", "c", "d"]);
    assert_eq!(deciders(&in_case.replace("EDIT", ", edit: [total]")), ["a", "b", "c", "d"]);
    let set = "  - set: { level: '\"low\"' }\n  - { id: a, title: 甲, approve: 副总经理 }\n  \
               - { id: b, title: 乙, approve: 副总经理, when: 'level = \"high\"' }\n  - { id: c, title: 丙, approve: 副总经理, when: total > 5 }\n";
    assert_eq!(deciders(set), ["a", "c"]);
}

#[test]
fn whoever_returned_a_case_is_asked_again_though_the_condition_holds_no_more() {
    let steps = "  - { id: a, title: 甲, approve: 副总经理, when: total > 10 }\n  \
                 - { id: b, title: 乙, approve: 副总经理, when: 'total < 5 and steps.a.outcome = \"approved\"' }\n";
    assert_eq!(deciders(steps), ["a", "b"]);
    assert!(never(steps).is_empty());
}

/// Working days and steps that take as long as they take, of the end `done`: at least and at most.
fn days(steps: &str) -> [(i64, Vec<String>); 2] {
    let found = explored(steps);
    let done = found.ends.iter().find(|end| end.outcome.as_str() == "done").expect("it can be done");
    [&done.time.0, &done.time.1].map(|time| (time.days, time.open.iter().map(ToString::to_string).collect()))
}

/// Only above 500, then this block, then what is asked up to 500 and what is asked above.
fn around(block: &str) -> String {
    format!(
        "  - choose: [{{ when: total > 500, steps: [] }}]\n    id: large\n    otherwise: [{{ end: small }}]\n{block}\
         \n  - {{ id: never, task: 副总经理, when: total < 100 }}\n  - {{ id: ever, task: 副总经理, when: total > 900 }}\n"
    )
}

#[test]
fn a_guard_before_a_block_is_known_inside_and_after_it() {
    let inner = "{ id: inner, task: 副总经理, when: total <= 500 }";
    for block in [
        format!("  - id: both\n    parallel:\n      a: [{inner}]\n      b: [{{ id: b, task: 副总经理 }}]"),
        format!(
            "  - id: first\n    race:\n      a: [{{ id: a, wait: 1 day }}, {inner}]\n      b: [{{ id: b, task: 副总经理 }}]"
        ),
        format!(
            "  - {{ id: all, each: rows, as: row, mode: in order, steps: [{{ id: a, task: 副总经理 }}, {inner}] }}"
        ),
        format!("  - {{ id: other, call: other, take: {{ file: file }}, on: {{ otherwise: next }} }}\n  - {inner}"),
        format!("  - {{ id: told, receive: told, key: instance.number }}\n  - {inner}"),
    ] {
        assert_eq!(never(&around(&block)), ["inner", "never"], "{block}");
    }
}

#[test]
fn what_a_branch_sets_is_known_after_the_join_and_what_others_may_write_is_not() {
    let after = "  - { id: high, task: 副总经理, when: level = \"high\" }\n  - { id: low, task: 副总经理, when: level = \"low\" }\n";
    let set = "[{ id: a, task: 副总经理 }, { set: { level: '\"high\"' } }]";
    let block = format!("  - id: both\n    parallel: {{ a: {set}, b: [{{ id: b, task: 副总经理 }}] }}\n");
    assert_eq!(never(&format!("{block}{after}")), ["low"]);
    // The other branch may be the one that is done.
    let first = "  - { id: begin, set: { level: '\"low\"' } }\n";
    let any = format!("{first}{block}    join: any\n{after}");
    assert_eq!(never(&any), [""; 0]);
    // Another process writes it.
    let call = "  - { id: begin, set: { level: '\"low\"' } }\n  - { id: other, call: other, take: { level: file }, on: { otherwise: next } }\n";
    let after = after.replace("level =", "level != null and level =");
    assert_eq!(never(&format!("{call}{after}")), [""; 0]);
}

#[test]
fn a_branch_that_ends_the_case_does_not_hide_the_others() {
    let block = "  - id: both\n    parallel:\n      a:\n        - { id: a, task: 副总经理 }\n        \
                 - { id: stop, choose: [{ when: total > 500, steps: [{ end: big }] }], otherwise: [] }\n      \
                 b: [{ id: b, task: 副总经理 }, { id: large, task: 副总经理, when: total > 900 }]\n  \
                 - { id: after, task: 副总经理, when: total > 900 }\n";
    assert_eq!(never(block), ["after"]);
}

#[test]
fn branches_take_their_longest_and_races_their_first() {
    let two = |join: &str| {
        format!(
            "  - id: both\n    parallel:\n      a: [{{ id: a, task: 副总经理, due: 2 working days }}, {{ id: c, task: 副总经理, due: 2 working days }}]\n      \
             b: [{{ id: b, task: 副总经理, due: 3 working days }}]\n    join: {join}\n"
        )
    };
    assert_eq!(days(&two("all")), [(0, vec![]), (4, vec![])]);
    assert_eq!(days(&two("any")), [(0, vec![]), (3, vec![])]);
    // Whichever two they are, the second of them.
    let three = "  - id: two\n    parallel:\n      a: [{ id: a, wait: 1 working day }]\n      b: [{ id: b, wait: 3 working days }]\n      \
                 c: [{ id: c, wait: 2 working days }, { id: d, task: 副总经理, due: 2 working days }]\n    join: 2\n";
    assert_eq!(days(three), [(2, vec![]), (3, vec![])]);
    let found = explored(three);
    assert_eq!(found.ends[0].ways, 3, "any two of three");
    assert!(found.ends[0].always.is_empty(), "none of them is sure to be one");
    let people = explored(&two("2"));
    let answered = people.ends[0].shortest.iter().filter(|turn| matches!(turn, Turn::Answer(..))).count();
    assert_eq!(answered, 3, "the steps of both branches");
    // An empty branch is always among them.
    let empty = three.replace("[{ id: a, wait: 1 working day }]", "[]");
    assert_eq!(days(&empty), [(2, vec![]), (3, vec![])]);
    assert_eq!(explored(&empty).ends[0].ways, 2);
    let late = two("all").replace("join: all", "due: 6 working days\n    overdue: { go: other }")
        + "  - { end: fine }\n  - { id: other, end: late }\n";
    let ends = explored(&late).ends;
    let late = ends.iter().find(|end| end.outcome.as_str() == "late").unwrap();
    assert_eq!((late.time.0.days, late.time.1.days), (6, 6));
    let race = "  - id: first\n    race:\n      a: [{ id: a, receive: told, key: instance.number }]\n      \
                b: [{ id: b, wait: 10 working days }, { id: c, task: 副总经理, due: 1 working day }]\n";
    assert_eq!(days(race), [(0, vec![]), (11, vec![])]);
}

#[test]
fn what_a_block_is_asked_after_it_follows_the_branch_that_was_first() {
    let ways = |steps: &str| {
        let length = |time: &Length| (time.days, time.seconds / 86_400);
        let ends = explored(steps).ends.into_iter();
        ends.map(|end| (end.outcome.to_string(), end.ways, length(&end.time.0), length(&end.time.1)))
            .collect::<Vec<_>>()
    };
    let way = |end: &str, least: (i64, i64), most: (i64, i64)| (end.to_owned(), 1, least, most);
    let any = "  - id: both\n    parallel:\n      a: [{ id: a, task: 副总经理, due: 1 working day }]\n      \
               b: [{ id: b, task: 副总经理, due: 3 working days }]\n    join: any\n    on: { a: other }\n  \
               - { end: of_b }\n  - { id: other, end: of_a }\n";
    assert_eq!(ways(any), [way("of_a", (0, 0), (1, 0)), way("of_b", (0, 0), (1, 0))]);
    // An empty branch is done at once.
    let empty = any.replace("[{ id: a, task: 副总经理, due: 1 working day }]", "[]");
    assert_eq!(ways(&empty), [way("of_a", (0, 0), (0, 0)), way("of_b", (0, 0), (0, 0))]);
    let race = "  - id: first\n    race:\n      a: [{ id: a, task: 副总经理, due: 2 working days }, { id: c, wait: 3 days }]\n      \
                b: [{ id: b, wait: 10 working days }, { id: d, wait: 5 days }]\n  \
                - id: which\n    choose: [{ when: steps.first.outcome = a, steps: [{ end: of_a }] }]\n    \
                otherwise: [{ end: of_b }]\n";
    assert_eq!(ways(race), [way("of_a", (0, 3), (2, 3)), way("of_b", (10, 5), (10, 5))]);
}

#[test]
fn a_wait_is_counted_and_what_has_no_end_is_said() {
    assert_eq!(days("  - { id: pause, wait: 5 working days }\n"), [(5, vec![]), (5, vec![])]);
    let both =
        "  - id: both\n    parallel: { a: [{ id: a, wait: 5 working days }], b: [{ id: b, wait: 2 working days }] }\n";
    assert_eq!(days(both), [(5, vec![]), (5, vec![])]);
    let told = "  - { id: told, receive: told, key: instance.number }\n";
    assert_eq!(days(told), [(0, vec![]), (0, vec!["told".to_owned()])]);
    let due = "  - { id: told, receive: told, key: instance.number, due: 3 working days, overdue: { go: next } }\n";
    assert_eq!(days(due), [(0, vec![]), (3, vec![])]);
}

#[test]
fn what_can_come_more_often_than_it_is_counted_is_said() {
    let again = |steps: &str| {
        let found = explored(steps);
        let done = found.ends.iter().find(|end| end.outcome.as_str() == "done").expect("it can be done");
        assert_eq!(done.time.0.again.len(), 0, "the quickest way comes to nothing twice");
        done.time.1.again.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    let outcomes = "outcomes: { good: 好, bad: 不好 }";
    let task = format!("  - {{ id: a, task: 副总经理 }}\n  - {{ id: b, task: 副总经理, {outcomes}");
    assert_eq!(again(&format!("{task} }}\n")), [""; 0]);
    assert_eq!(again(&format!("{task}, on: {{ bad: a }} }}\n")), ["a", "b"]);
    // Returned to the applicant, it comes again.
    assert_eq!(again("  - { id: a, approve: 副总经理 }\n"), ["a"]);
    let rows = "  - { id: all, each: rows, as: row, steps: [{ id: a, task: 副总经理 }]";
    assert_eq!(again(&format!("{rows} }}\n")), [""; 0]);
    assert_eq!(again(&format!("{rows}, mode: in order }}\n")), ["all"]);
}

#[test]
fn ways_back_take_none_of_the_ways_on_away() {
    let steps = "  - { id: s1, approve: 副总经理 }\n  - { id: s2, approve: 副总经理, when: total > 5, on: { rejected: s1 } }\n  \
                 - id: which\n    choose: [{ when: total > 900, steps: [{ id: a, task: 副总经理 }] }, { when: total > 500, steps: [{ id: b, task: 副总经理 }] }]\n    \
                 otherwise: [{ id: c, task: 副总经理 }]\n  \
                 - { id: s3, task: 副总经理, outcomes: { ok: 好, redo: 重来 }, on: { redo: s1 } }\n  - { end: fine }\n";
    let found = explored(steps);
    let ways: Vec<(&str, u64)> = found.ends.iter().map(|end| (end.outcome.as_str(), end.ways)).collect();
    // Past `s2` by its `when` or by an approval; only the first excludes the larger sums.
    assert_eq!(ways, [("fine", 4), ("rejected", 1)]);
    let again: Vec<&str> = found.ends[0].time.1.again.iter().map(|step| step.as_str()).collect();
    assert_eq!(again, ["a", "b", "c", "s1", "s2", "s3"]);
    // An end that only a way back leads to is come to all the same.
    let back = "  - { id: s1, task: 副总经理, outcomes: { ok: 好, no: 不 } }\n  \
                - { id: again, choose: [{ when: steps.s2.outcome = redo, steps: [{ end: late }] }], otherwise: [] }\n  \
                - { id: s2, task: 副总经理, outcomes: { ok: 好, redo: 重来 }, on: { redo: s1 } }\n  - { end: fine }\n";
    let ends: Vec<(String, u64)> =
        explored(back).ends.into_iter().map(|end| (end.outcome.to_string(), end.ways)).collect();
    assert!(ends.iter().all(|(_, ways)| *ways > 0), "{ends:?}");
}

#[test]
fn what_takes_a_step_back_can_happen() {
    let book =
        "  - { id: book, task: 副总经理, undo: { id: cancel, task: 副总经理 } }\n  - { id: sign, approve: 副总经理 }\n";
    let found = explored(book);
    assert_eq!(found.never, []);
    let asked: Vec<&str> = found.asked.iter().map(|asked| asked.step.as_str()).collect();
    assert_eq!(asked, ["book", "cancel", "sign"]);
}

/// A process with fields that follow from others, and with these steps.
fn guarded(steps: &str) -> Vec<Never> {
    let head = "process: one\ntitle: 一\nstart: [客户专员]\nform:\n  \
                total: { type: money, title: 合计, required: true, min: 0.01, max: 9000 }\n  \
                kind: { type: choice, title: 类别, options: [a, b, c], required: true }\n  \
                day: { type: date, title: 日期, required: true }\n  \
                other: { type: integer, title: 别的 }\n  \
                large: { type: boolean, title: 大, value: total > 5000 }\n  \
                size: { type: choice, title: 大小, options: [small, middle, big], value: 'if total < 50 then small else if large then big else middle' }\n  \
                double: { type: money, title: 两倍, value: total * 2 }\n\
                steps:\n  - { id: first, task: 副总经理, when: total > 5000, outcomes: { good: 好, bad: 坏 } }\n";
    let directory = std::fs::read_to_string(project("processes/directory.yaml")).unwrap();
    let compiled = compile(&[("one.yaml", &format!("{head}{steps}")), ("directory.yaml", &directory)]);
    assert!(!compiled.has_errors(), "{}", compiled.render(Lang::En));
    explore(&compiled.definitions[0]).never
}

/// Whether a step with this guard is never come to where the guard before it holds, which is asked at the same.
fn excluded(before: &str, guard: &str) -> bool {
    let steps = format!(
        "  - id: only\n    choose:\n      - {{ when: '{before}', steps: [] }}\n    otherwise: [{{ end: other }}]\n  \
         - {{ id: asked, task: 副总经理, when: '{guard}' }}\n"
    );
    guarded(&steps).contains(&Never::Step("asked".into()))
}

#[test]
fn guards_that_exclude_each_other_are_known() {
    for (before, guard) in [
        ("total > 5000", "total <= 3000"),
        ("total > 5000", "not(large)"),
        ("large", "size = small"),
        ("size = big", "total <= 5000"),
        ("size in (small, middle)", "total > 5000"),
        ("kind = a", "kind in (b, c)"),
        ("kind != a and kind != b", "kind = b"),
        ("day > date(\"2026-03-01\")", "day < date(\"2026-02-01\")"),
        ("other = null", "if other != null then other > 5 else false"),
        ("if other != null then other > 5 else false", "other = 4"),
        ("double > 100 or kind = a", "not(double > 100 or kind = a)"),
        ("applicant.department = 客户部", "applicant.department != 客户部"),
        ("steps.first.outcome = bad", "steps.first.outcome = skipped"),
        ("steps.first.outcome = bad", "total <= 5000"),
        ("total <= 5000", "steps.first.outcome = good"),
    ] {
        assert!(excluded(before, guard), "{before} excludes {guard}");
    }
    assert!(guarded("  - { id: asked, task: 副总经理, when: total > 9000 }\n").contains(&Never::Step("asked".into())));
}

#[test]
fn what_comes_back_is_no_way_of_its_own() {
    let ways =
        |steps: &str| explored(steps).ends.iter().map(|end| (end.outcome.to_string(), end.ways)).collect::<Vec<_>>();
    let one = "  - { id: a, approve: 副总经理 }\n";
    let both = [("done".to_owned(), 1), ("rejected".to_owned(), 1)];
    assert_eq!(ways(one), both);
    let three =
        "  - { id: b, approve: 副总经理, when: total > 500 }\n  - { id: c, approve: 副总经理, when: total <= 300 }\n";
    // Neither, the one or the other, never both.
    assert_eq!(ways(&format!("{one}{three}")), [("done".to_owned(), 3), ("rejected".to_owned(), 3)]);
}

#[test]
fn what_may_be_is_never_called_impossible() {
    for (before, guard) in [
        ("total > 5000", "total <= 5000.01"),
        ("total > 5000 or kind = a", "total <= 5000"),
        ("total > 5000 or kind = a", "kind != a"),
        // It may be rounded.
        ("double / 3 > 5", "double / 3 <= 5.01"),
        ("double > 100", "total <= 100"),
        ("other != 4", "other = null"),
        ("day > today()", "day <= today()"),
        ("size = big or kind = b", "size = small"),
        ("steps.first.outcome != bad", "total <= 5000"),
    ] {
        assert!(!excluded(before, guard), "{before} does not exclude {guard}");
    }
    // A step between writes it, or is walked again.
    let edit = "  - { id: small, choose: [{ when: total > 600, steps: [] }], otherwise: [{ end: other }] }\n  \
                - { id: less, task: 副总经理, edit: [total] }\n  - { id: asked, task: 副总经理, when: size = small }\n";
    assert!(!guarded(edit).contains(&Never::Step("asked".into())));
    let again = "  - { id: twice, choose: [{ when: steps.first.outcome = bad, steps: [{ go: again }] }], otherwise: [] }\n  \
                 - { id: one, task: 副总经理, on: { done: next } }\n  - { id: again, task: 副总经理, outcomes: { back: 回, on: 去 }, on: { back: first } }\n  \
                 - { id: asked, task: 副总经理, when: steps.first.outcome = bad }\n";
    assert!(!guarded(again).contains(&Never::Step("asked".into())));
}

#[test]
fn what_another_branch_ends_while_a_step_is_open_does_not_need_the_step() {
    let needed = |steps: &str, end: &str| -> Vec<String> {
        let found = explored(steps);
        let end = found.ends.iter().find(|found| found.outcome.as_str() == end).expect("it can end so");
        end.always.iter().map(ToString::to_string).collect()
    };
    let bad = "outcomes: { good: 好, bad: 坏 }, on: { bad: gone }";
    let both = format!(
        "  - id: both\n    parallel:\n      a: [{{ id: a, task: 副总经理 }}]\n      b: [{{ id: b, task: 副总经理, {bad} }}]\n  \
         - end: fine\n  - {{ id: gone, end: gone }}\n"
    );
    assert_eq!(needed(&both, "gone"), ["b"]);
    assert_eq!(needed(&both, "fine"), ["a", "b"]);
    // In its own branch the step comes first.
    let own = format!(
        "  - id: both\n    parallel:\n      a: [{{ id: a, task: 副总经理 }}, {{ id: b, task: 副总经理, {bad} }}]\n      \
         c: [{{ id: c, task: 副总经理 }}]\n  - end: fine\n  - {{ id: gone, end: gone }}\n"
    );
    assert_eq!(needed(&own, "gone"), ["a", "b"]);
}

#[test]
fn a_list_that_must_have_rows_is_never_passed() {
    let steps = "  - { id: all, each: rows, as: row, steps: [{ id: look, task: 副总经理 }] }\n";
    let ways = |rows: &str| {
        let found = explore(&with_rows(rows, steps));
        let done = found.ends.into_iter().find(|end| end.outcome.as_str() == "done").unwrap();
        (done.ways, done.always.len())
    };
    assert_eq!(ways("type: list"), (2, 0));
    assert_eq!(ways("type: list, min: 1"), (1, 1));
    assert_eq!(ways("type: list, required: true"), (1, 1));
    assert_eq!(ways("type: list, min: 1, when: total > 5"), (2, 0));
}

#[test]
fn cases_that_are_all_there_are_leave_no_other_way() {
    let choose = "  - id: graded\n    choose:\n      - { when: level = x, steps: [{ id: see, task: 副总经理 }] }\n      \
                  - { when: level = y, steps: [] }\n  - end: fine\n";
    let process = "process: one\nform: { kind: { type: choice, options: [a, b], required: true } }\n\
                   data: { level: { type: choice, options: [x, y, z] } }\nsteps:\n  \
                   - { id: grade, table: grade, with: { kind: kind }, take: { level: level } }\n";
    let table = "table: grade\ninputs: { kind: { type: choice, options: [a, b] } }\n\
                 outputs: { level: { type: choice, options: [x, y, z] } }\nhit: unique\n\
                 rules: [{ kind: a, level: x }, { kind: b, level: y }]\n";
    let directory = std::fs::read_to_string(project("processes/directory.yaml")).unwrap();
    let ends = |steps: &str| {
        let text = format!("{process}{steps}");
        let compiled = compile(&[("one.yaml", &text), ("grade.yaml", table), ("directory.yaml", &directory)]);
        assert!(!compiled.has_errors(), "{}", compiled.render(Lang::En));
        let found = explore(&compiled.definitions[0]);
        (found.ends.into_iter().map(|end| (end.outcome.to_string(), end.ways)).collect::<Vec<_>>(), found.never)
    };
    let otherwise = choose.replace("  - end: fine", "    otherwise: [{ end: lost }]\n  - end: fine");
    let (found, never) = ends(&otherwise);
    assert_eq!(found, [("fine".to_owned(), 2)]);
    assert_eq!(never.iter().filter(|never| matches!(never, Never::Case(_, None))).count(), 1);
    // What the table never answers needs no case.
    let third = choose.replace("  - end: fine", "      - { when: level = z, steps: [] }\n  - end: fine");
    assert_eq!(ends(&third).0, [("fine".to_owned(), 2)]);
}
