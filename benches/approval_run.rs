//! The approval run beside its floor: `cargo bench --bench approval_run [CALLERS,… [PASSES]]`, and
//! `cargo bench --bench approval_run soak RUNS` for memory and disk. `countersign bench` prints the same rows.
#![allow(clippy::expect_used, reason = "a benchmark that cannot go on fails")]

use countersign::bench::{self, Options};
use std::path::Path;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    // `RUST_LOG=countersign=trace` shows each commit.
    let filter = tracing_subscriber::EnvFilter::from_default_env();
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let here = Path::new(".");
    let done = runtime.block_on(async {
        match words.as_slice() {
            ["soak", runs, keep @ ..] => {
                let keep = keep.first().map(Path::new);
                let soak = bench::soak(runs.parse().expect("a number of runs"), here, keep).await?;
                println!("{}", serde_json::to_string(&soak).expect("JSON"));
            }
            words => {
                let mut options = Options { folder: here.to_path_buf(), ..Options::default() };
                if let Some(callers) = words.first() {
                    options.callers = callers.split(',').map(|one| one.parse().expect("numbers of callers")).collect();
                }
                if let Some(passes) = words.get(1) {
                    options.passes = passes.parse().expect("a number of passes");
                }
                for row in bench::run(&options, |_, _, _| {}).await? {
                    println!("{}", serde_json::to_string(&row).expect("JSON"));
                }
            }
        }
        Ok::<(), countersign::runtime::Error>(())
    });
    if let Err(error) = done {
        eprintln!("{error}");
        std::process::exit(1);
    }
}
