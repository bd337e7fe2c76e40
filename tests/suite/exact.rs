//! Exact decimals, from what people type to what people read: the same digits everywhere, and no float on the way.

use countersign::effects::format::money;
use countersign::model::form::FieldKind;
use countersign::model::input::{Reading, read_kind};
use countersign::model::people::Directory;
use countersign::model::value::Value;
use proptest::prelude::*;
use rust_decimal::{Decimal, RoundingStrategy};
use std::path::Path;

/// Any amount that fits: up to 18 digits, up to 8 places.
fn decimals() -> impl Strategy<Value = Decimal> {
    (-999_999_999_999_999_999_i64..=999_999_999_999_999_999, 0_u32..=8).prop_map(|(n, scale)| Decimal::new(n, scale))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn what_is_stored_is_what_was_meant_to_the_last_digit(number in decimals()) {
        let value = Value::Number(number);
        let json = serde_json::to_string(&value).unwrap();
        let back: Value = serde_json::from_str(&json).unwrap();
        prop_assert_eq!(back.as_number().unwrap().serialize(), number.serialize(), "{}", json);
        prop_assert!(value.to_plain().is_string(), "a bare JSON number is read as a float by others");
    }

    #[test]
    fn what_is_typed_is_read_to_the_last_digit(number in decimals()) {
        let directory = Directory::default();
        let reading = Reading { directory: &directory, today: "2026-03-02".parse().unwrap() };
        let read = read_kind(&reading, &FieldKind::Decimal, &number.to_string()).unwrap();
        prop_assert_eq!(read, Value::Number(number));
    }

    #[test]
    fn what_is_shown_is_half_up_to_two_places(number in decimals()) {
        let shown = money(number).replace(',', "");
        let exact = number.round_dp_with_strategy(2, RoundingStrategy::MidpointAwayFromZero);
        prop_assert_eq!(shown.parse::<Decimal>().unwrap(), exact);
    }
}

/// Where a float may stand: figures of the benchmark, and seconds that a mail server is waited for.
const FLOATS: &[&str] = &["src/bench/", "src/cli/command/bench.rs", "src/effects/smtp.rs", "src/effects/transport.rs"];

#[test]
fn no_float_stands_on_the_way_of_money() {
    let mut wrong = Vec::new();
    look(Path::new("src"), &mut wrong);
    assert!(wrong.is_empty(), "floats lose cents:\n{}", wrong.join("\n"));
}

fn look(folder: &Path, wrong: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            look(&path, wrong);
            continue;
        }
        let shown = path.display().to_string();
        if FLOATS.iter().any(|allowed| shown.starts_with(allowed)) {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let code = text.lines().enumerate().take_while(|(_, line)| !line.starts_with("#[cfg(test)]"));
        for (number, line) in code.filter(|(_, line)| !line.trim_start().starts_with("//")) {
            let words = line.split(|c: char| !c.is_alphanumeric() && c != '_');
            if words.into_iter().any(|word| ["f64", "f32", "as_f64", "as_f32", "to_f64", "from_f64"].contains(&word)) {
                wrong.push(format!("{shown}:{}: {}", number + 1, line.trim()));
            }
        }
    }
}
