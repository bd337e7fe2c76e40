//! `demo --year`: the first working days of it, played through the real binary.

use serde_json::Value as Json;
use std::path::Path;
use std::process::Command;

/// Plays from the first day to another and answers the summary.
fn play(folder: &Path, seed: &str, until: &str) -> Json {
    let played = Command::new(env!("CARGO_BIN_EXE_countersign"))
        .current_dir(folder)
        .args(["demo", "--year", "--json", "--keep", "year", "--seed", seed, "--until", until])
        .output()
        .unwrap();
    let (out, err) = (String::from_utf8_lossy(&played.stdout), String::from_utf8_lossy(&played.stderr));
    assert!(played.status.success(), "{out}{err}");
    let mut summary: Json = serde_json::from_str(&out).unwrap();
    summary["seconds"].take();
    summary
}

#[test]
fn the_same_seed_plays_the_same_days() {
    let playing = ["7", "7", "8"].map(|seed| {
        std::thread::spawn(move || {
            let folder = tempfile::tempdir().unwrap();
            let summary = play(folder.path(), seed, "2026-01-07");
            (folder, summary)
        })
    });
    let [first, second, other] = playing.map(|one| one.join().unwrap());
    assert_eq!(first.1, second.1, "the same cases, decisions and hashes of the logs");
    assert_ne!(first.1["log"], other.1["log"], "another seed is another year");

    let summary = &first.1;
    assert!(summary["decisions"].as_u64().unwrap() > 20, "{summary:#}");
    assert_eq!(summary["mails"]["failed"], 0, "{summary:#}");
    let refused: u64 = summary["refused"].as_object().unwrap().values().filter_map(Json::as_u64).sum();
    assert!(refused * 10 < summary["decisions"].as_u64().unwrap(), "nearly every form can be filled in: {summary:#}");

    // What it leaves is a database like any other.
    let shell = |arguments: &[&str]| {
        let database = first.0.path().join("year/demo.db");
        let done = Command::new(env!("CARGO_BIN_EXE_countersign"))
            .env("COUNTERSIGN_DB", database)
            .args(arguments)
            .output()
            .unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        serde_json::from_slice::<Json>(&done.stdout).unwrap()
    };
    let cases = shell(&["list", "--json"]);
    assert!(cases.to_string().contains("2026-01-0"), "cases began on the days that were played");
    assert_ne!(shell(&["tasks", "--json"]), Json::Array(Vec::new()), "somebody is still asked");
}
