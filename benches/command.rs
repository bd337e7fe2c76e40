//! What one command costs the writer's thread: deciding it, writing its record, and its rows. The budget is 10 µs
//! a command for the three together; `docs/performance.md` has the figures.
#![allow(clippy::expect_used, reason = "a benchmark that cannot go on fails")]

use countersign::bench::flow;
use countersign::engine::{Decision, Facts, apply, decide};
use countersign::model::time::Calendar;
use countersign::store::Batch;
use countersign::store::floor::Template;
use countersign::store::record::{Head, read_entry, write_entry};
use criterion::{Criterion, criterion_group, criterion_main};
use std::hint::black_box;

fn commands(criterion: &mut Criterion) {
    let directory = flow::directory();
    let definition = flow::definition(&directory).expect("the approval run is right");
    let calendar = Calendar::default();
    let now = "2026-11-24T04:00:00Z".parse().expect("a time");
    let facts = |seed| Facts { now, directory: &directory, calendar: &calendar, sequence: 1, seed: [seed; 16] };
    let start = flow::start(1, "0123456789abcdef0123456789abcdef".into());
    let begun: Decision = decide(&definition, None, &start, &facts(1)).expect("a start");
    let first = flow::approve(&begun.state, "1123456789abcdef0123456789abcdef".into()).expect("a task");
    let middle: Decision = decide(&definition, Some(&begun.state), &first, &facts(2)).expect("an approval");
    let second = flow::approve(&middle.state, "2123456789abcdef0123456789abcdef".into()).expect("a task");
    let over: Decision = decide(&definition, Some(&middle.state), &second, &facts(3)).expect("an approval");

    criterion.bench_function("decide/start", |b| b.iter(|| decide(&definition, None, black_box(&start), &facts(1))));
    criterion.bench_function("decide/first", |b| {
        b.iter(|| decide(&definition, Some(&begun.state), black_box(&first), &facts(2)));
    });
    criterion.bench_function("decide/second", |b| {
        b.iter(|| decide(&definition, Some(&middle.state), black_box(&second), &facts(3)));
    });
    let steps = [(None, &begun), (Some(&begun.state), &middle), (Some(&middle.state), &over)];
    for (name, (_, done)) in ["start", "first", "second"].iter().zip(&steps) {
        criterion.bench_function(&format!("record/{name}"), |b| {
            b.iter(|| write_entry(done.state.id, black_box(&done.entry), &Head::default(), [1; 16]));
        });
    }
    criterion.bench_function("batch/run", |b| {
        b.iter(|| {
            let mut batch = Batch::default();
            let mut head = Head::default();
            for (before, done) in &steps {
                (head, _) = batch.push(&definition, &done.entry, *before, &done.state, &head, [1; 16]);
            }
            batch
        });
    });
    let mut batch = Batch::default();
    let mut head = Head::default();
    for (before, done) in &steps {
        (head, _) = batch.push(&definition, &done.entry, *before, &done.state, &head, [1; 16]);
    }
    criterion.bench_function("rows/run", |b| b.iter(|| Template::new(black_box(&batch), &[])));
    let stored = write_entry(middle.state.id, &middle.entry, &Head::default(), [1; 16]).0;
    criterion.bench_function("load/entry", |b| {
        b.iter(|| {
            let entry = read_entry(black_box(&stored)).expect("an entry");
            apply(Some(begun.state.clone()), &entry).expect("it folds")
        });
    });
}

criterion_group!(benches, commands);
criterion_main!(benches);
