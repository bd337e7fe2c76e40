//! Measuring: the approval run through the runtime, beside a floor that writes the same rows and decides nothing.
//!
//! Both run in one process on one file system, in alternating passes, each with a writing thread of its own, the
//! same statements and `synchronous=FULL`. Callers are tasks that wait for each answer before they ask again. A
//! rate counts acknowledged commands; of several passes the median counts.

pub mod flow;

use crate::engine::command::Command;
use crate::engine::state::State;
use crate::engine::{Facts, decide};
use crate::model::text::Wording;
use crate::model::time::Calendar;
use crate::runtime::{Accepted, Clock, Database, Denied, Deployment, Error, Kind, Options as Open, Role, Runtime};
use crate::store::floor::{self, Rows, Template};
use crate::store::record::Head;
use crate::store::{self, Batch, Writer};
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;

/// The most commands of one commit of the floor, as of the writer.
const GROUP: usize = 256;

/// What to measure.
#[derive(Clone, Debug)]
pub struct Options {
    /// How many callers at once; a row each.
    pub callers: Vec<usize>,
    /// How long a pass takes.
    pub pass: Duration,
    /// How many passes of each, engine and floor.
    pub passes: usize,
    /// Where the files are made and removed again: the file system that is measured.
    pub folder: PathBuf,
}

impl Default for Options {
    fn default() -> Options {
        Options { callers: vec![1, 64, 256], pass: Duration::from_secs(2), passes: 5, folder: std::env::temp_dir() }
    }
}

/// What was measured for a number of callers.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    /// How many callers at once.
    pub callers: usize,
    /// Acknowledged commands a second.
    pub engine: f64,
    /// Acknowledged groups of rows a second, without an engine.
    pub floor: f64,
    /// The first over the second.
    pub ratio: f64,
    /// Half of the commands took at most so long.
    pub p50_ms: f64,
    /// All but one in a hundred took at most so long.
    pub p99_ms: f64,
    /// The same of the floor.
    pub floor_p99_ms: f64,
}

/// Measures; `progress` hears of each pass before it begins: which row, and how many of how many passes.
///
/// # Errors
/// What the store says, or that the approval run does not run.
pub async fn run(options: &Options, mut progress: impl FnMut(usize, usize, usize)) -> Result<Vec<Row>, Error> {
    let mut rows = Vec::new();
    for callers in &options.callers {
        let folder = Folder::new(&options.folder)?;
        let engine = Engine::open(&folder.0.join("engine.db")).await?;
        let base = Floor::open(&folder.0.join("floor.db")).await?;
        let (mut measured, mut bounds) = (Passes::default(), Passes::default());
        for pass in 0..options.passes.max(1) {
            progress(*callers, pass * 2, options.passes * 2);
            measured.add(engine.pass(*callers, options.pass).await?, options.pass);
            progress(*callers, pass * 2 + 1, options.passes * 2);
            bounds.add(base.pass(*callers, options.pass).await?, options.pass);
        }
        engine.runtime.shutdown().await;
        base.close().await;
        rows.push(Row {
            callers: *callers,
            engine: measured.rate().round(),
            floor: bounds.rate().round(),
            ratio: (measured.rate() / bounds.rate() * 1000.0).round() / 1000.0,
            p50_ms: measured.quantile(0.50),
            p99_ms: measured.quantile(0.99),
            floor_p99_ms: bounds.quantile(0.99),
        });
    }
    Ok(rows)
}

/// What a number of whole runs left behind.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Soak {
    /// How many runs.
    pub runs: usize,
    /// Resident memory of this process after them, in MB; `None` where the system does not say.
    pub resident_mb: Option<f64>,
    /// Bytes of the file a run, after a checkpoint.
    pub bytes_a_run: f64,
    /// Runs a second.
    pub rate: f64,
}

/// Does so many runs with 64 callers into one file and looks at memory and disk; keeps the file if told where.
///
/// # Errors
/// What the store says.
pub async fn soak(runs: usize, folder: &Path, keep: Option<&Path>) -> Result<Soak, Error> {
    let own = Folder::new(folder)?;
    let file = keep.map_or_else(|| own.0.join("soak.db"), Path::to_path_buf);
    let engine = Engine::open(&file).await?;
    let begun = Instant::now();
    let left = Arc::new(AtomicUsize::new(runs));
    let mut callers = JoinSet::new();
    for caller in 0..64 {
        let (runtime, left, names) = (engine.runtime.clone(), left.clone(), engine.names.clone());
        callers.spawn(async move {
            let mut times = Vec::new();
            while left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok() {
                times.clear();
                one_run(&runtime, caller, &names, &mut times).await?;
            }
            Ok::<(), Error>(())
        });
    }
    finish(callers).await?;
    let rate = runs as f64 / begun.elapsed().as_secs_f64();
    let resident_mb = resident();
    engine.runtime.shutdown().await;
    // The last connection moves what is in the write-ahead log into the file as it closes.
    let size = std::fs::metadata(&file).map_or(0, |meta| meta.len());
    Ok(Soak { runs, resident_mb, bytes_a_run: (size as f64 / runs.max(1) as f64).round(), rate: rate.round() })
}

/// Resident memory of this process in MB, where the system says it.
pub fn resident() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: f64 = line.split_whitespace().next()?.parse().ok()?;
    Some((kilobytes / 1024.0 * 10.0).round() / 10.0)
}

/// A folder that is removed again.
struct Folder(PathBuf);

impl Folder {
    fn new(inside: &Path) -> Result<Folder, Error> {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let name = format!("countersign-bench-{}-{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        let path = inside.join(name);
        match std::fs::create_dir_all(&path) {
            Ok(()) => Ok(Folder(path)),
            Err(error) => Err(Error::new(
                Kind::CannotOpen,
                Wording::new(
                    format!("无法在 {} 建立文件夹，请换一个可写的位置。", inside.display()),
                    format!("Cannot make a folder in {}; choose a place that can be written.", inside.display()),
                ),
                error.to_string(),
            )),
        }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[derive(Default)]
struct Passes {
    rates: Vec<f64>,
    times: Vec<f64>,
}

impl Passes {
    fn add(&mut self, times: Vec<Duration>, pass: Duration) {
        self.rates.push(times.len() as f64 / pass.as_secs_f64());
        self.times.extend(times.into_iter().map(|time| time.as_secs_f64() * 1000.0));
    }

    fn rate(&self) -> f64 {
        quantile(&mut self.rates.clone(), 0.5)
    }

    fn quantile(&mut self, share: f64) -> f64 {
        (quantile(&mut self.times, share) * 1000.0).round() / 1000.0
    }
}

fn quantile(values: &mut [f64], share: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    let last = values.len().saturating_sub(1);
    values.get((last as f64 * share).round() as usize).copied().unwrap_or_default()
}

async fn finish<T: 'static>(mut callers: JoinSet<Result<T, Error>>) -> Result<Vec<T>, Error> {
    let mut all = Vec::new();
    while let Some(done) = callers.join_next().await {
        all.push(done.map_err(|error| does_not_run(&error.to_string()))??);
    }
    Ok(all)
}

fn does_not_run(detail: &str) -> Error {
    let mut error = Error::broken(
        "性能测试的审批流程没有按预期运行，结果无效。",
        "The approval run of the benchmark did not run as it should; there is no result.",
    );
    error.detail = detail.to_owned();
    error
}

/// The engine on a file, with the approval run live.
struct Engine {
    runtime: Runtime,
    names: Arc<AtomicUsize>,
}

impl Engine {
    async fn open(file: &Path) -> Result<Engine, Error> {
        let database = Database::File(file.to_path_buf());
        let runtime = Runtime::open(Open { database, clock: Clock::System, role: Role::Shell }).await?;
        let directory = flow::directory();
        let definition = flow::definition(&directory).map_err(|faults| does_not_run(&format!("{faults:?}")))?;
        let calendar = Calendar::default();
        let note = "bench".to_owned();
        runtime
            .deploy(Deployment { definitions: vec![definition], directory, calendar, metrics: Vec::new(), note })
            .await?;
        Ok(Engine { runtime, names: Arc::default() })
    }

    async fn pass(&self, callers: usize, pass: Duration) -> Result<Vec<Duration>, Error> {
        let until = Instant::now() + pass;
        let mut running = JoinSet::new();
        for caller in 0..callers {
            let (runtime, names) = (self.runtime.clone(), self.names.clone());
            running.spawn(async move {
                let mut times = Vec::new();
                while Instant::now() < until {
                    one_run(&runtime, caller, &names, &mut times).await?;
                }
                Ok::<_, Error>(times)
            });
        }
        Ok(finish(running).await?.into_iter().flatten().collect())
    }
}

/// One approval run; adds how long each of its commands took.
async fn one_run(
    runtime: &Runtime,
    caller: usize,
    names: &AtomicUsize,
    times: &mut Vec<Duration>,
) -> Result<(), Error> {
    let name = |step: u8| command_name(names.fetch_add(1, Ordering::Relaxed), step).into();
    let begun = Instant::now();
    let started = runtime.start(&flow::PROCESS.into(), flow::start(caller, name(0))).await;
    let mut state = accepted(started)?.state;
    times.push(begun.elapsed());
    for step in 1..=2 {
        let command = flow::approve(&state, name(step)).ok_or_else(|| does_not_run("nothing to approve"))?;
        let begun = Instant::now();
        state = accepted(runtime.submit(state.id, command).await)?.state;
        times.push(begun.elapsed());
    }
    if state.ended.is_none() {
        return Err(does_not_run("the run did not end"));
    }
    Ok(())
}

fn accepted(answer: Result<Accepted, Denied>) -> Result<Accepted, Error> {
    answer.map_err(|denied| match denied {
        Denied::Unavailable(error) => error,
        other => does_not_run(&format!("{other:?}")),
    })
}

/// A command id of the usual length.
fn command_name(number: usize, step: u8) -> String {
    format!("{number:030x}{step:02x}")
}

/// The rows of the three commands of a run, and what must be another in every run.
struct Templates {
    commands: Vec<Template>,
    ids: Vec<String>,
}

impl Templates {
    /// From what the engine really writes for each command.
    fn new() -> Result<Templates, Error> {
        let directory = flow::directory();
        let definition = flow::definition(&directory).map_err(|faults| does_not_run(&format!("{faults:?}")))?;
        let calendar = Calendar::default();
        let (mut state, mut head) = (None::<State>, Head::default());
        let (mut ids, mut batches) = (Vec::new(), Vec::new());
        for step in 0..3u8 {
            let id = command_name(usize::MAX >> 1, step);
            let command: Command = match &state {
                None => flow::start(0, id.as_str().into()),
                Some(state) => flow::approve(state, id.as_str().into()).ok_or_else(|| does_not_run("no task"))?,
            };
            let now = Clock::System.now();
            let (directory, calendar) = (&directory, &calendar);
            let facts = Facts { now, directory, calendar, sequence: 1, seed: [step + 1; 16] };
            let decision = decide(&definition, state.as_ref(), &command, &facts)
                .map_err(|refusal| does_not_run(&format!("{refusal:?}")))?;
            let mut batch = Batch::default();
            (head, _) =
                batch.push(&definition, &decision.entry, state.as_ref(), &decision.state, &head, [step + 7; 16]);
            ids.push(id);
            ids.extend(batch.opened.keys().map(ToString::to_string));
            ids.extend(batch.begun.keys().map(ToString::to_string));
            ids.extend(decision.state.number.as_ref().map(ToString::to_string));
            batches.push(batch);
            state = Some(decision.state);
        }
        ids.dedup();
        let commands = batches.iter().map(|batch| Template::new(batch, &ids)).collect();
        Ok(Templates { commands, ids })
    }

    /// Ids of a run of their own, as long as the first ones.
    fn fresh(&self, run: usize) -> Vec<String> {
        let fresh = |(gap, id): (usize, &String)| match id.len() {
            32 => format!("{run:028x}{gap:04x}"),
            length => format!("B-{run:0width$}", width = length - 2),
        };
        self.ids.iter().enumerate().map(fresh).collect()
    }
}

type Written = (Rows, bool, oneshot::Sender<Result<(), Error>>);

/// Rows on a file, without an engine.
struct Floor {
    writer: mpsc::Sender<Written>,
    templates: Arc<Templates>,
    runs: Arc<AtomicUsize>,
    thread: std::thread::JoinHandle<()>,
}

impl Floor {
    async fn open(file: &Path) -> Result<Floor, Error> {
        let opened = store::open_file(file).await?;
        let (writer, waiting) = mpsc::channel(4_096);
        let work = move || {
            if let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_time().build() {
                runtime.block_on(write(opened.writer, waiting));
            }
        };
        let thread = std::thread::Builder::new()
            .name("floor".to_owned())
            .spawn(work)
            .map_err(|error| does_not_run(&error.to_string()))?;
        Ok(Floor { writer, templates: Arc::new(Templates::new()?), runs: Arc::default(), thread })
    }

    async fn close(self) {
        drop(self.writer);
        let _ = tokio::task::spawn_blocking(move || self.thread.join()).await;
    }

    async fn pass(&self, callers: usize, pass: Duration) -> Result<Vec<Duration>, Error> {
        let until = Instant::now() + pass;
        let mut running = JoinSet::new();
        for _ in 0..callers {
            let (writer, templates, runs) = (self.writer.clone(), self.templates.clone(), self.runs.clone());
            running.spawn(async move {
                let mut times = Vec::new();
                while Instant::now() < until {
                    let ids = templates.fresh(runs.fetch_add(1, Ordering::Relaxed));
                    for (step, template) in templates.commands.iter().enumerate() {
                        let rows = template.fill(&ids);
                        let (reply, answer) = oneshot::channel();
                        let begun = Instant::now();
                        writer.send((rows, step == 0, reply)).await.map_err(|_| Error::closed())?;
                        answer.await.map_err(|_| Error::closed())??;
                        times.push(begun.elapsed());
                    }
                }
                Ok::<_, Error>(times)
            });
        }
        Ok(finish(running).await?.into_iter().flatten().collect())
    }
}

/// Groups what waits and writes it; without work of its own to overlap with, it waits for each commit.
async fn write(mut writer: Writer, mut waiting: mpsc::Receiver<Written>) {
    let mut next = 1;
    while let Some(first) = waiting.recv().await {
        let (mut rows, mut replies, mut starts) = (Rows::default(), Vec::new(), 0);
        let mut more = Some(first);
        while let Some((one, start, reply)) = more {
            rows.add(&one);
            starts += u64::from(start);
            replies.push(reply);
            more = if replies.len() < GROUP { waiting.try_recv().ok() } else { None };
        }
        if starts > 0 {
            rows.numbers("B-2026-#", next, next + starts);
            next += starts;
        }
        let done = floor::write(&mut writer, rows).await.map(|_| ());
        for reply in replies {
            let _ = reply.send(done.clone());
        }
    }
    writer.close().await;
}
