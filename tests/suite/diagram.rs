//! Pictures of processes: what they say, by golden files, and where everything stands, by geometry.
//!
//! The laws of a picture: no two nodes overlap; no words of an edge overlap a node or other words; no text is wider
//! than its box; a line begins and ends on the border of a node and crosses none; a container holds a node whole or
//! not at all. They hold for the shipped processes and for generated ones.

use crate::support::{files, golden, name, project};
use countersign::compile::{self, NoTemplates, SourceText};
use countersign::diagram::{
    self, Branch, Drawing, Form, Item, Kind, List, Marks, Note, Picture, Point, Rect, Shape, To, Way,
};
use countersign::model::definition::Definition;
use countersign::model::id::StepId;
use countersign::model::text::Lang;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::path::Path;

const LANGS: [Lang; 2] = [Lang::Zh, Lang::En];

/// The definitions of a folder of processes, with the shipped directory and calendar.
fn definitions(folder: &str) -> Vec<Definition> {
    let organisation = ["processes/directory.yaml", "processes/china-2026.yaml"].map(project);
    let mut paths = files(&project(folder), ".yaml");
    paths.retain(|path| !path.to_string_lossy().ends_with(".test.yaml"));
    paths.extend(organisation.into_iter().filter(|_| folder != "processes"));
    let read = |path: &std::path::PathBuf| SourceText { name: name(path), bytes: std::fs::read(path).unwrap() };
    let compiled = compile::compile(paths.iter().map(read).collect(), &NoTemplates);
    assert!(!compiled.has_errors(), "{}", compiled.render(Lang::En));
    compiled.definitions
}

fn one(text: &str) -> Definition {
    let directory = std::fs::read_to_string(project("processes/directory.yaml")).unwrap();
    let compiled = crate::support::compile(&[("one.yaml", text), ("directory.yaml", &directory)]);
    assert!(!compiled.has_errors(), "{}", compiled.render(Lang::En));
    compiled.definitions.into_iter().next().unwrap()
}

/// With the titles of the shipped directory.
fn drawing(definition: &Definition, lang: Lang) -> Drawing {
    let text = std::fs::read_to_string(project("processes/directory.yaml")).unwrap();
    let compiled = crate::support::compile(&[("directory.yaml", &text)]);
    Drawing::of(definition, &BTreeMap::new(), &compiled.directory.unwrap(), lang)
}

fn outlined(drawing: &Drawing, marks: &Marks, width: Option<usize>) -> String {
    let line = |line: Vec<(diagram::Tone, String)>| line.into_iter().map(|(_, text)| text).collect::<String>() + "\n";
    diagram::outline(drawing, marks, width).into_iter().map(line).collect()
}

#[test]
fn every_format_says_the_same_of_a_process_with_jumps() {
    for definition in definitions("tests/diagrams") {
        for lang in LANGS {
            let drawing = drawing(&definition, lang);
            let marks = Marks::default();
            let base = format!("tests/diagrams/{}.{}", definition.process, lang.tag());
            golden(&project(&format!("{base}.mmd")), &diagram::mermaid(&drawing, &marks));
            golden(&project(&format!("{base}.dot")), &diagram::dot(&drawing, &marks));
            golden(&project(&format!("{base}.txt")), &outlined(&drawing, &marks, Some(72)));
            golden(&project(&format!("{base}.svg")), &diagram::svg(&drawing, &marks));
        }
    }
}

#[test]
fn the_pictures_of_the_readme_are_what_graph_draws() {
    let gift = definitions("processes").into_iter().find(|one| one.process.as_str() == "gift").unwrap();
    for lang in LANGS {
        let path = project(&format!("docs/images/gift.{}.svg", lang.tag()));
        golden(&path, &diagram::svg(&drawing(&gift, lang), &Marks::default()));
    }
}

#[test]
fn words_of_authors_are_no_markup_in_any_format() {
    let found = one("process: gift
title: '<b>\"礼品\"</b>'
form: { total: { type: money, title: 合计, required: true } }
steps:
  - { id: boss, title: 'a | b; <script>&', approve: 副总经理, when: total >= 5 }
  - end: given
");
    let drawing = drawing(&found, Lang::En);
    let marks = Marks { current: [StepId::from("boss")].into(), ..Marks::default() };
    let mermaid = diagram::mermaid(&drawing, &marks);
    assert!(mermaid.starts_with("flowchart TD\n") && mermaid.contains("class n1 current"), "{mermaid}");
    let svg = diagram::svg(&drawing, &marks);
    assert!(svg.contains("a | b; &lt;script&gt;&amp;") && svg.contains("class=\"people current\""), "{svg}");
    for text in [&mermaid, &svg] {
        assert!(!text.contains("<script>") && !text.contains("<b>"), "{text}");
    }
    let dot = diagram::dot(&drawing, &marks);
    assert!(dot.contains("label=\"<b>\\\"礼品\\\"</b>\"") && dot.contains("penwidth=3"), "{dot}");
    let outline = outlined(&drawing, &marks, None);
    assert!(outline.contains("▶ approve a | b; <script>& boss\n"), "{outline}");
    assert!(outline.contains("only if 合计 >= 5") && outline.contains("Rejected → end: Rejected"), "{outline}");
}

#[test]
fn no_line_of_an_outline_is_wider_than_asked() {
    for definition in definitions("tests/diagrams") {
        for width in [24, 30, 41, 60, 80] {
            let text = outlined(&drawing(&definition, Lang::Zh), &Marks::default(), Some(width));
            for line in text.lines() {
                let cells: usize = line.chars().map(|c| if u32::from(c) > 0x2e80 { 2 } else { 1 }).sum();
                // Deep in branches a line keeps eight cells whatever the width.
                assert!(cells <= width.max(indent(line) + 10), "{cells} > {width}: {line}");
            }
        }
    }
}

fn indent(line: &str) -> usize {
    line.chars().take_while(|c| matches!(c, ' ' | '│')).count()
}

#[test]
fn shipped_processes_obey_the_laws_of_pictures() {
    for folder in ["processes", "tests/diagrams"] {
        for definition in definitions(folder) {
            for lang in LANGS {
                obeys(&diagram::picture(&drawing(&definition, lang)));
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn generated_processes_obey_the_laws_of_pictures(seed in any::<u64>(), size in 1usize..=40) {
        let drawing = Made { state: seed | 1, left: size, next: 1, around: Vec::new() }.drawing();
        obeys(&diagram::picture(&drawing));
    }
}

/// Makes a drawing out of a seed: lists in lists, jumps to the same or an enclosing list, long and short words.
struct Made {
    state: u64,
    left: usize,
    next: usize,
    /// The numbers of the items of the lists around.
    around: Vec<usize>,
}

const WORDS: [&str; 6] = [
    "审批",
    "部门主管审批",
    "总经理审批，并由总经理办公室主任会同法务部门负责人共同确认接待规格和全部费用预算方案",
    "Head of the customer department signs the reception request",
    "a_very_long_identifier_without_any_place_where_it_could_break_into_lines_at_all",
    "MWMW % @ ≥ “引号”",
];

impl Made {
    fn pick(&mut self, among: usize) -> usize {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        usize::try_from(self.state % among as u64).unwrap()
    }

    fn words(&mut self) -> String {
        WORDS[self.pick(WORDS.len())].to_owned()
    }

    fn drawing(mut self) -> Drawing {
        let mut start = self.item(Kind::Start, 0);
        start.ways = vec![Way { label: String::new(), on: vec![], to: To::Next }];
        let mut steps = self.list(0);
        steps.items.insert(0, start);
        let lang = LANGS[self.pick(2)];
        Drawing { process: "made".into(), title: self.words(), lang, steps }
    }

    fn list(&mut self, depth: usize) -> List {
        let count = (1 + self.pick(if depth == 0 { 40 } else { 4 })).min(self.left);
        self.left -= count;
        let own: Vec<usize> = (self.next..self.next + count).collect();
        self.next += count;
        let outer = self.around.len();
        self.around.extend(&own);
        let items = own.iter().map(|number| self.step(*number, depth)).collect();
        self.around.truncate(outer);
        List { items }
    }

    fn step(&mut self, number: usize, depth: usize) -> Item {
        const LEAVES: [Kind; 11] = [
            Kind::Approve,
            Kind::Approve,
            Kind::Task,
            Kind::Task,
            Kind::Set,
            Kind::Notify,
            Kind::Call,
            Kind::Wait,
            Kind::Guard,
            Kind::End,
            Kind::Knot,
        ];
        const BLOCKS: [Kind; 4] = [Kind::Choose, Kind::Parallel, Kind::Each, Kind::Race];
        if depth < 4 && self.left > 0 && self.pick(3) == 0 {
            let kind = BLOCKS[self.pick(BLOCKS.len())];
            let mut item = self.item(kind, number);
            for _ in 0..if kind == Kind::Each { 1 } else { 1 + self.pick(4) } {
                let steps = if self.pick(5) == 0 { List::default() } else { self.list(depth + 1) };
                let label = if kind == Kind::Each { String::new() } else { self.words() };
                item.branches.push(Branch { label, steps });
            }
            item.ways = self.ways(false);
            item.after = self.ways(true);
            return item;
        }
        let kind = LEAVES[self.pick(LEAVES.len())];
        let mut item = self.item(kind, number);
        if kind != Kind::End {
            item.ways = self.ways(true);
        }
        item
    }

    fn ways(&mut self, onward: bool) -> Vec<Way> {
        let mut ways = Vec::new();
        if onward && self.pick(8) > 0 {
            let label = if self.pick(2) == 0 { self.words() } else { String::new() };
            let on = vec![label.clone()];
            ways.push(Way { label, on, to: To::Next });
        }
        for _ in 0..self.pick(3) {
            let to = match self.pick(2) {
                0 => To::End(self.words()),
                _ => {
                    let at = self.pick(self.around.len());
                    To::Item(self.around[at])
                }
            };
            let label = self.words();
            ways.push(Way { on: vec![label.clone()], label, to });
        }
        ways
    }

    fn item(&mut self, kind: Kind, number: usize) -> Item {
        let notes = (0..self.pick(3)).map(|_| Note::Who(self.words())).collect();
        let when = (self.pick(4) == 0).then(|| self.words());
        let title = if kind == Kind::Knot { String::new() } else { self.words() };
        Item { number, step: None, kind, title, notes, when, branches: vec![], ways: vec![], after: vec![] }
    }
}

fn obeys(picture: &Picture) {
    let page = Rect { x: 0, y: 0, w: picture.width, h: picture.height };
    for (at, shape) in picture.shapes.iter().enumerate() {
        assert!(page.holds(&shape.rect), "outside the page: {shape:?}");
        for other in &picture.shapes[at + 1..] {
            assert!(!shape.rect.overlaps(&other.rect), "two nodes overlap:\n{shape:?}\n{other:?}");
        }
        for line in &shape.lines {
            assert!(shape.rect.holds(&line.rect), "a text leaves its node: {line:?} of {shape:?}");
        }
        for container in &picture.containers {
            let (holds, meets) = (container.rect.holds(&shape.rect), container.rect.overlaps(&shape.rect));
            assert!(holds || !meets, "a container cuts a node: {container:?} {shape:?}");
        }
    }
    for (at, label) in picture.labels.iter().enumerate() {
        assert!(page.holds(&label.rect), "outside the page: {label:?}");
        for line in &label.lines {
            assert!(label.rect.holds(&line.rect), "a text leaves its label: {line:?}");
        }
        for shape in &picture.shapes {
            assert!(!label.rect.overlaps(&shape.rect), "words on a node:\n{label:?}\n{shape:?}");
        }
        for other in &picture.labels[at + 1..] {
            assert!(!label.rect.overlaps(&other.rect), "words on words:\n{label:?}\n{other:?}");
        }
        let crossing = picture.wires.iter().filter(|wire| crosses(&wire.points, &label.rect)).count();
        assert!(crossing <= 1, "{crossing} lines cross {label:?}");
    }
    for wire in &picture.wires {
        for end in [wire.points.first(), wire.points.last()].into_iter().flatten() {
            assert!(picture.shapes.iter().any(|shape| on_border(shape, *end)), "a line ends nowhere: {wire:?}");
        }
        for shape in &picture.shapes {
            let own = [wire.points.first(), wire.points.last()].into_iter().flatten().any(|end| on_border(shape, *end));
            assert!(own || !crosses(&wire.points, &shape.rect), "a line crosses a node:\n{wire:?}\n{shape:?}");
        }
        for pair in wire.points.windows(2) {
            assert!(pair[0].x == pair[1].x || pair[0].y == pair[1].y, "a line is askew: {wire:?}");
            assert!([pair[0], pair[1]].iter().all(|point| (0..=page.w).contains(&point.x)), "off the page: {wire:?}");
        }
    }
}

/// Whether a line goes through the inside of a box.
fn crosses(points: &[Point], rect: &Rect) -> bool {
    points.windows(2).any(|pair| {
        let (left, right) = (pair[0].x.min(pair[1].x), pair[0].x.max(pair[1].x));
        let (top, bottom) = (pair[0].y.min(pair[1].y), pair[0].y.max(pair[1].y));
        left < rect.x + rect.w
            && rect.x < right.max(left + 1)
            && top < rect.y + rect.h
            && rect.y < bottom.max(top + 1)
            && !(left == right && left == rect.x)
            && !(top == bottom && top == rect.y)
    })
}

fn on_border(shape: &Shape, point: Point) -> bool {
    let Rect { x, y, w, h } = shape.rect;
    let within = (x..=x + w).contains(&point.x) && (y..=y + h).contains(&point.y);
    let edge = point.x == x || point.x == x + w || point.y == y || point.y == y + h;
    if shape.form != Form::Hexagon {
        return within && edge;
    }
    // The sides of a hexagon lean inwards from its middle.
    let lean = 16 * (point.y - y - h / 2).abs() / (h / 2).max(1);
    within && (point.y == y || point.y == y + h || (point.x - (x + w / 2)).abs() >= w / 2 - lean - 1)
}

/// Golden pictures are read by people; a broken one is found by any XML reader.
#[test]
fn every_tag_of_a_picture_is_closed() {
    for path in files(Path::new(&project("tests/diagrams")), ".svg") {
        let text = std::fs::read_to_string(&path).unwrap();
        let mut open: Vec<String> = Vec::new();
        for tag in text.split('<').skip(1) {
            let (tag, _) = tag.split_once('>').unwrap_or((tag, ""));
            let word = tag.split([' ', '/']).find(|word| !word.is_empty()).unwrap_or_default().to_owned();
            match (tag.starts_with('/'), tag.ends_with('/')) {
                (true, _) => assert_eq!(open.pop().as_deref(), Some(word.as_str()), "{}", path.display()),
                (false, false) => open.push(word),
                (false, true) => {}
            }
        }
        assert!(open.is_empty(), "{}: {open:?}", path.display());
    }
}

#[test]
fn what_a_picture_says_of_other_processes_and_of_lateness_is_in_titles_and_whole() {
    let text = "
process: deal
title: Deal
start: [clerk]
form: { day: { type: date, title: { zh: 交货日, en: Delivery }, required: true } }
steps:
  - { id: pause, title: { zh: 等, en: Pause }, wait: day - 3 days }
  - { id: look, title: { zh: 看, en: Look }, task: lead, due: day + 1 working day }
  - { id: offer, title: { zh: 报价, en: Offer }, call: offer, on: { withdrawn: lost, cancelled: lost, otherwise: next } }
  - { id: sign, title: { zh: 签字, en: Sign }, approve: lead, due: 1 day, overdue: { decide: approved, notify: applicant } }
  - { id: paid, title: { zh: 收款, en: Paid }, task: lead, due: 1 day, overdue: { notify: applicant, every: 1 day } }
  - { id: lost, end: lost, title: { zh: 丢单, en: Lost } }
";
    let offer = "
process: offer
title: { zh: 给客户报价, en: An offer }
start: [clerk]
form: {}
steps: [{ id: send, task: lead }]
";
    let files = [("deal.yaml", text), ("offer.yaml", offer), ("directory.yaml", crate::support::OFFICE)];
    let compiled = crate::support::compile(&files);
    assert!(!compiled.has_errors(), "{}", compiled.render(Lang::En));
    let deal = compiled.definitions.iter().find(|one| one.process.as_str() == "deal").expect("it compiles");
    let titles = compiled.definitions.iter().map(|one| (one.process.clone(), one.title.clone())).collect();
    for (lang, said) in [
        (
            Lang::Zh,
            [
                "流程“给客户报价”",
                "已撤回",
                "逾期通知申请人 · 逾期按“同意”处理",
                "逾期后每天通知申请人",
                "等到 交货日之前 3 天",
                "期限：交货日之后 1 个工作日",
            ],
        ),
        (
            Lang::En,
            [
                "process “An offer”",
                "Withdrawn",
                "overdue: tell the applicant · overdue: decided as “Approved”",
                "overdue: every day tell the applicant",
                "Wait until 3 days before Delivery",
                "due: 1 working day after Delivery",
            ],
        ),
    ] {
        let drawing = Drawing::of(deal, &titles, compiled.directory.as_ref().unwrap(), lang);
        let found = outlined(&drawing, &Marks::default(), None);
        assert!(said.iter().all(|said| found.contains(said)), "{found}");
    }
}

#[test]
fn branches_have_their_own_names_and_lists_their_rows_and_undo_all_its_steps() {
    let found = one("process: hire
title: 招聘
form: { code: { type: text, title: 编号, required: true } }
steps:
  - id: answer
    race:
      rejected: [{ id: no, receive: said_no, key: code }]
      failed: [{ id: none, receive: said_nothing, key: code }]
      approved: [{ id: yes, receive: said_yes, key: code }]
    on: { rejected: lost, failed: lost }
  - id: score
    each: holders(客户专员)
    as: judge
    into: scores
    steps: [{ id: judged, task: judge, form: { points: { type: integer, title: 分数, required: true } } }]
  - id: desk
    title: 安排座位
    task: 客户部经理
    undo: [{ title: 收回钥匙, task: 客户部经理 }, { title: 清空座位, task: 客户部经理 }]
  - end: hired
  - { id: lost, end: lost }
");
    let told = outlined(&drawing(&found, Lang::Zh), &Marks::default(), None);
    for said in ["rejected、failed → 结束：lost", "“客户专员”的每一行", "撤销时：收回钥匙 → 清空座位"]
    {
        assert!(told.contains(said), "{said}\n{told}");
    }
    for other in ["不同意", "没有办成", "scores"] {
        assert!(!told.contains(other), "{other}\n{told}");
    }
}
