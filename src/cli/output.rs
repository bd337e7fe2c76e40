//! The only printer: words, tables and JSON on standard output; notes, errors and progress on standard error.
//!
//! The terminal has the restraint of paper: bold for what is asked, dim for the past, one accent for where a case
//! stands. Colours obey `NO_COLOR`, `CLICOLOR_FORCE` and what the other end is. How rows stand in columns is in
//! `columns`.

pub(crate) use super::columns::{Table, pad, wrap};
use super::exit::{Exit, Stop};
use crate::model::text::{Lang, Wording};
use anstyle::{AnsiColor, Style};
use std::io::{IsTerminal, Write};
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// When to paint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Colour {
    /// On terminals that can, unless `NO_COLOR` is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// What is said with a style.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ink {
    /// What is asked, and titles.
    Bold,
    /// The past, and what is beside the point.
    Dim,
    /// Where a case stands.
    Seal,
    /// What is wrong or late.
    Amber,
}

/// The printer.
#[derive(Debug)]
pub(crate) struct Output {
    /// The reader's language.
    pub(crate) lang: Lang,
    paint: bool,
    paint_errors: bool,
    /// Columns of the terminal; `None` where nothing is cut.
    width: Option<usize>,
    /// Columns of the terminal that shows errors.
    error_width: Option<usize>,
    /// Whether standard error is a terminal, so that progress may move on it.
    moving: bool,
    /// Errors as JSON.
    json: bool,
}

impl Output {
    /// A printer for a reader.
    pub(crate) fn new(lang: Lang, colour: Colour, json: bool) -> Output {
        let paint = |auto: anstream::ColorChoice| match colour {
            Colour::Auto => auto != anstream::ColorChoice::Never,
            Colour::Always => true,
            Colour::Never => false,
        };
        let (out, err) = (std::io::stdout(), std::io::stderr());
        Output {
            lang,
            paint: paint(anstream::AutoStream::choice(&out)),
            paint_errors: paint(anstream::AutoStream::choice(&err)),
            width: out.is_terminal().then(terminal_width),
            error_width: err.is_terminal().then(terminal_width),
            moving: err.is_terminal(),
            json,
        }
    }

    /// The same printer where nothing is cut.
    pub(crate) fn unbounded(self) -> Output {
        Output { width: None, error_width: None, ..self }
    }

    /// Picks the words of the reader's language.
    pub(crate) fn pick<'a>(&self, zh: &'a str, en: &'a str) -> &'a str {
        match self.lang {
            Lang::Zh => zh,
            Lang::En => en,
        }
    }

    /// Columns of the terminal; `None` where the reader is none.
    pub(crate) fn width(&self) -> Option<usize> {
        self.width
    }

    /// Whether what is printed is painted.
    pub(crate) fn paints(&self) -> bool {
        self.paint
    }

    /// A text in a style, where the other end shows styles.
    pub(crate) fn ink(&self, ink: Ink, text: &str) -> String {
        if self.paint { painted(ink, text) } else { text.to_owned() }
    }

    /// Prints lines to standard output.
    pub(crate) fn print(&self, text: &str) -> Result<(), Stop> {
        let mut out = std::io::stdout().lock();
        let end = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
        let written = out.write_all(text.as_bytes()).and_then(|()| out.write_all(end.as_bytes()));
        written.and_then(|()| out.flush()).map_err(|error| unheard(&error))
    }

    /// Prints JSON to standard output.
    pub(crate) fn json(&self, value: &serde_json::Value) -> Result<(), Stop> {
        let text = serde_json::to_string_pretty(value).unwrap_or_else(|_| value.to_string());
        self.print(&text)
    }

    /// Says something beside the result, on standard error.
    pub(crate) fn note(&self, zh: impl AsRef<str>, en: impl AsRef<str>) {
        let text = self.broken("", self.pick(zh.as_ref(), en.as_ref()));
        let text = if self.paint_errors { painted(Ink::Dim, &text) } else { text };
        // Whoever closed standard error does not want to hear it.
        let _ = writeln!(std::io::stderr().lock(), "{text}");
    }

    /// Says why the program stops, on standard error.
    pub(crate) fn error(&self, exit: Exit, what: &Wording, faults: &[(String, Wording)]) {
        let text = what.get(self.lang);
        let line = if self.json {
            let mut error = serde_json::json!({ "code": exit.code(), "name": exit.name(), "message": text });
            if !faults.is_empty() {
                let fault = |(field, what): &(String, Wording)| serde_json::json!({ "field": field, "message": what.get(self.lang) });
                error["faults"] = faults.iter().map(fault).collect();
            }
            serde_json::json!({ "error": error }).to_string()
        } else {
            let label = self.pick("错误：", "error: ");
            let text = self.broken(label, text);
            let label = if self.paint_errors { painted(Ink::Amber, label) } else { label.to_owned() };
            format!("{label}{text}")
        };
        let _ = writeln!(std::io::stderr().lock(), "{line}");
    }

    /// A text in lines that fit the terminal of errors, of which the first begins behind a label.
    fn broken(&self, label: &str, text: &str) -> String {
        match self.error_width {
            Some(width) => {
                let lines = wrap(&format!("{label}{text}"), width).join("\n");
                lines.strip_prefix(label).map_or(lines.clone(), str::to_owned)
            }
            None => text.to_owned(),
        }
    }

    /// A table as text, cut to the terminal.
    pub(crate) fn table(&self, table: &Table) -> String {
        table.draw(self.width, |ink, text| self.ink(ink, text))
    }

    /// Shows how far something is whose length is known, only on a terminal, until it is dropped.
    pub(crate) fn bar(&self, zh: &str, en: &str, length: u64) -> Bar {
        if !self.moving {
            return Bar(indicatif::ProgressBar::hidden());
        }
        let bar = indicatif::ProgressBar::new(length).with_message(self.pick(zh, en).to_owned());
        // The template is ours: it is one.
        let style = indicatif::ProgressStyle::with_template("{msg} {bar:40} {pos}/{len}");
        Bar(style.map_or(bar.clone(), |style| bar.with_style(style)))
    }

    /// Shows that something is under way, from the second second on and only on a terminal, until it is dropped.
    pub(crate) fn progress(&self, zh: &str, en: &str) -> Progress {
        if !self.moving {
            return Progress { told: None, thread: None };
        }
        let mut words = self.pick(zh, en).to_owned();
        let (teller, told) = mpsc::channel::<String>();
        let thread = std::thread::spawn(move || {
            let end = Instant::now() + Duration::from_secs(1);
            loop {
                match told.recv_timeout(end.saturating_duration_since(Instant::now())) {
                    Ok(now) => words = now,
                    Err(mpsc::RecvTimeoutError::Timeout) => break,
                    Err(mpsc::RecvTimeoutError::Disconnected) => return,
                }
            }
            let spinner = indicatif::ProgressBar::new_spinner().with_message(words);
            spinner.enable_steady_tick(Duration::from_millis(120));
            while let Ok(now) = told.recv() {
                spinner.set_message(now);
            }
            spinner.finish_and_clear();
        });
        Progress { told: Some(teller), thread: Some(thread) }
    }
}

/// A bar that fills, on a terminal only; see [`Output::bar`].
#[derive(Debug)]
pub(crate) struct Bar(indicatif::ProgressBar);

impl Bar {
    /// Fills it so far.
    pub(crate) fn reach(&self, position: u64) {
        self.0.set_position(position);
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

fn unheard(error: &std::io::Error) -> Stop {
    if error.kind() == std::io::ErrorKind::BrokenPipe {
        return Stop::Unheard;
    }
    Stop::Because(
        Exit::World,
        Wording::new(format!("无法写到标准输出：{error}"), format!("Standard output cannot be written: {error}")),
    )
}

fn painted(ink: Ink, text: &str) -> String {
    let style = match ink {
        Ink::Bold => Style::new().bold(),
        Ink::Dim => Style::new().dimmed(),
        Ink::Seal => Style::new().fg_color(Some(AnsiColor::Red.into())).bold(),
        Ink::Amber => Style::new().fg_color(Some(AnsiColor::Yellow.into())),
    };
    if text.is_empty() { String::new() } else { format!("{style}{text}{style:#}") }
}

fn terminal_width() -> usize {
    let columns = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    let asked = || terminal_size::terminal_size().map(|(width, _)| usize::from(width.0));
    columns.or_else(asked).unwrap_or(100).max(40)
}

/// Something under way; see [`Output::progress`].
#[derive(Debug)]
pub(crate) struct Progress {
    told: Option<mpsc::Sender<String>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Progress {
    /// Says how far it is.
    pub(crate) fn say(&self, words: &str) {
        if let Some(told) = &self.told {
            // A drawer that is gone draws nothing.
            let _ = told.send(words.to_owned());
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        drop(self.told.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
