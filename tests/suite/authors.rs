//! The shell for authors: what the commands say that try a folder without a database. `tests/cli/author.<lang>.txt` holds
//! it; `UPDATE_GOLDEN=1` rewrites it.

use crate::cli::Shell;
use crate::support::{golden, project};

const DIRECTORY: &str = "
directory: office
positions:
  boss: { title: { zh: 总经理, en: General manager } }
  seller: { title: { zh: 销售员, en: Seller }, reports_to: boss }
people:
  zhou: { name: 周敏, mail: zhou@example.com, positions: [boss], language: zh }
  li: { name: Li Lei, mail: li@example.com, positions: [seller], language: en }
";

const ORDER: &str = "
process: order
title: { zh: 订单, en: Order }
start: [seller]
form:
  amount: { type: money, title: { zh: 金额, en: Amount }, required: true, min: 1 }
  reason: { type: text, title: { zh: 原因, en: Reason }, required: true }
data:
  number: { type: text, title: { zh: 单号, en: Number } }
steps:
  - { id: large, title: { zh: 大额审批, en: Large orders }, approve: boss, when: amount > 5000, on: { rejected: next } }
  - { id: small, title: { zh: 小额登记, en: Small orders }, task: boss, when: amount <= 3000 }
  - id: size
    choose:
      - { when: amount > 3000, steps: [{ set: { number: '\"large\"' } }] }
      - { when: amount < 5000, steps: [] }
    otherwise: [{ end: none }]
  - id: book
    title: { zh: 入账, en: Booking }
    http: POST https://erp.example/orders
    take: { number: response.order.id }
    on: { failed: next }
  - { id: paid, title: { zh: 收款, en: Payment }, receive: paid, key: reason }
  - { id: pause, title: { zh: 等一等, en: Pause }, wait: 1 month }
  - id: again
    title: { zh: 再看, en: Look again }
    task: boss
    outcomes: { again: { zh: 再等, en: Again }, over: { zh: 好了, en: Over } }
    on: { again: pause }
  - end: booked
";

const CLAIM: &str = "
process: claim
title: { zh: 报销, en: Claim }
start: [seller]
form: { paper: { type: file, title: { zh: 单据, en: Paper }, required: true } }
steps:
  - { id: sign, title: { zh: 签字, en: Sign }, approve: boss }
";

/// What has more forms than the one that starts it, and one that nobody can guess.
const TRIP: &str = r#"
process: trip
title: { zh: 出差, en: Trip }
start: [seller]
form: { share: { type: money, title: { zh: 自付, en: Own share }, required: true } }
steps:
  - id: plan
    title: { zh: 安排, en: Plan }
    task: applicant
    form:
      out:   { type: date, title: { zh: 去, en: Out }, min: today() + 3 days, required: true }
      back:  { type: date, title: { zh: 回, en: Back }, min: out + 10 days, required: true }
      fare:  { type: money, title: { zh: 车票, en: Fare }, min: share * 1.5, required: true }
      class: { type: choice, title: { zh: 舱位, en: Class }, options: [a, b, c], required: true, check: { that: 'class = "c"', say: { zh: 只能 c, en: Only c } } }
      room:  { type: money, title: { zh: 住宿, en: Room }, required: true }
      all:   { type: money, title: { zh: 合计, en: All }, value: fare + room, check: { that: all > 2000, say: { zh: 合计太少, en: Too little in all } } }
  - id: code
    title: { zh: 报账, en: Claim }
    task: applicant
    form: { code: { type: text, title: { zh: 编码, en: Code }, required: true, check: { that: 'ends with(code, string(share)) and string length(code) = 30', say: { zh: 编码不对, en: Not this code } } } }
  - { id: never, title: { zh: 补件, en: Add }, task: applicant, when: share > 100, form: { more: { type: text, title: { zh: 补充, en: More }, required: true } } }
"#;

const CALENDAR: &str = "
calendar: works
year: 2026
zone: Asia/Shanghai
week: { mon-fri: [09:00-12:00, 13:30-18:00] }
holidays: { May: 2026-05-01..2026-05-05 }
working: { Instead: 2026-05-09 }
";

const TESTS: &str = "
test: a small order
process: order
now: 2026-03-02T09:00
start: { by: li, data: { amount: 20, reason: x } }
do:
  - expect: { task: small }
";

/// A table of rates with this hit policy.
fn table(name: &str, hit: &str) -> String {
    format!(
        "table: {name}\ninputs:\n  kind: {{ type: choice, title: {{ zh: 类别, en: Kind }}, options: {{ fixed: {{ zh: 固定, en: Fixed }}, \
         risk: {{ zh: 风险, en: Risky }} }} }}\noutputs:\n  rate: {{ type: percent, title: {{ zh: 比例, en: Rate }} }}\nhit: {hit}\nrules:\n  \
         - {{ kind: fixed, rate: 8 % }}\n  - {{ kind: risk, rate: 12.5 % }}\n"
    )
}

const BASES: &str = "
table: bases
inputs:
  large: { type: boolean, title: { zh: 大额, en: Large } }
outputs:
  base: { type: choice, title: { zh: 基数, en: Base }, options: { net: { zh: 净额, en: Net amount }, all: { zh: 全额, en: Whole amount } } }
  least: { type: money, title: { zh: 至少, en: At least } }
  days: { type: integer, title: { zh: 期限, en: Time }, unit: { zh: 天, en: days } }
hit: unique
rules:
  - { large: true, base: net, least: 12000, days: 30 }
  - { large: false, base: all, least: 0.5, days: 7 }
";

const STEPS: &str = "
table: steps
inputs:
  amount: { type: money, title: { zh: 金额, en: Amount }, min: 0 }
outputs:
  rate: { type: percent, title: { zh: 比例, en: Rate } }
hit: unique
rules:
  - { amount: '<= 6000', rate: 8 % }
  - { amount: '>= 6000.01', rate: 12.5 % }
";

const TYPED: &str = r#"
    explore nope
    explore odrer
    simulate odrer --as li
    graph processes/order.yaml
    graph nope
    table nope
    table bass
    test nope
    test order
    explore order
    graph order
    simulate order --as li --from 2026-03-02T09:00
    simulate order --as li --from 2026-03-02T09:00 --answer book=failed --answer paid=done --answer again=over
    simulate order --as li --from 2026-03-02T09:00 --answer book=done --answer paid=done
    simulate order --as li --answer paid=failed
    simulate order --as li --answer pause=done
    simulate trip --as li --from 2026-03-02T09:00
    simulate trip --as li --from 2026-03-02T09:00 --set code.code=short --json
    simulate trip --as li --from 2026-03-02T09:00 --set share=7 --set code.code=................xxxxxxxxxxxxx7 --set plan.all=3 --set plan.room=500
    simulate trip --as li --from 2026-03-02T09:00 --set share=7 --set code.code=................xxxxxxxxxxxxx7 --set plan.room=5000 --set never.more=x
    simulate trip --as li --set cdoe.code=x
    simulate trip --as li --data none.yaml
    simulate claim --as li --data claim.data
    simulate claim --as li --set paper=@slips/none.pdf
    simulate trip --as li --set code.cod=x
    table rates --set kind=risk
    table counts --set kind=risk
    table bases --set large=true
    table steps --set amount=6000.005
    table steps --set amount=-1
    evaluate '(date("2026-05-01") + 1 working day).day' --in processes/rates.yaml
    evaluate '(date("2026-05-01") + 1 working day).day'
    evaluate 'is working day(date("2026-05-04"))' --in nowhere
    evaluate 'working days between(date("2026-04-30"), date("2026-05-09")) * 2'
    evaluate 'date("2026-05-01") + 1 day'
    test --coverage
"#;

#[test]
fn a_folder_is_tried_in_both_languages() {
    for lang in ["zh", "en"] {
        let shell = Shell::new(lang);
        std::fs::create_dir(shell.folder.path().join("processes")).unwrap();
        for (name, text) in [
            ("directory.yaml", DIRECTORY),
            ("order.yaml", ORDER),
            ("order.test.yaml", TESTS),
            ("trip.yaml", TRIP),
            ("claim.yaml", CLAIM),
            ("calendar.yaml", CALENDAR),
            ("rates.yaml", &table("rates", "unique")),
            ("counts.yaml", &table("counts", "collect count")),
            ("bases.yaml", BASES),
            ("steps.yaml", STEPS),
        ] {
            shell.write(&format!("processes/{name}"), text);
        }
        shell.write("claim.data", "paper: '@none.pdf'\n");
        golden(&project(&format!("tests/cli/author.{lang}.txt")), &shell.transcript(TYPED));
    }
}
