//! The floor: rows of the same number and size as a real batch, written by the same statements, with nothing
//! decided. A benchmark holds the engine to it.
//!
//! A template is made from what the engine really wrote for one command. Its ids and numbers are gaps, so that
//! copies of it are rows of their own with the very same lengths.

use super::error::Error;
use super::sqlite;
use super::{Batch, Writer};

/// How many tables a batch can write.
pub const TABLES: usize = sqlite::TABLES;

/// The table whose row the floor writes itself: one a sequence and commit.
const SEQUENCE: usize = 6;

/// The rows of one command, with gaps.
#[derive(Clone, Debug)]
pub struct Template(Vec<(usize, Vec<Piece>)>);

#[derive(Clone, Debug)]
enum Piece {
    Text(String),
    Gap(usize),
}

/// Rows of one command or of many, by table.
#[derive(Clone, Debug, Default)]
pub struct Rows([String; TABLES]);

impl Template {
    /// The rows of a batch, with a gap wherever one of `ids` stands. Copies must be of the same lengths.
    pub fn new(batch: &Batch, ids: &[String]) -> Template {
        let (mask, texts) = sqlite::tables(batch);
        let written = (0..TABLES).filter(|bit| mask & (1 << bit) != 0);
        let tables = written.zip(texts).filter(|(bit, _)| *bit != SEQUENCE);
        Template(
            tables.map(|(bit, text)| (bit, cut(text.trim_start_matches('[').trim_end_matches(']'), ids))).collect(),
        )
    }

    /// The rows with these ids in the gaps.
    pub fn fill(&self, ids: &[String]) -> Rows {
        let mut rows = Rows::default();
        for (table, pieces) in &self.0 {
            let Some(text) = rows.0.get_mut(*table) else { continue };
            text.push('[');
            for piece in pieces {
                match piece {
                    Piece::Text(piece) => text.push_str(piece),
                    Piece::Gap(gap) => text.push_str(ids.get(*gap).map_or("", String::as_str)),
                }
            }
            text.push(']');
        }
        rows
    }

    /// How many bytes the rows have.
    pub fn size(&self) -> usize {
        self.fill(&[]).0.iter().map(String::len).sum()
    }
}

fn cut(text: &str, ids: &[String]) -> Vec<Piece> {
    let (mut pieces, mut rest) = (Vec::new(), text);
    loop {
        let next = ids.iter().enumerate().filter_map(|(gap, id)| Some((rest.find(id.as_str())?, gap, id.len()))).min();
        let Some((at, gap, length)) = next else {
            pieces.push(Piece::Text(rest.to_owned()));
            return pieces;
        };
        pieces.push(Piece::Text(rest.get(..at).unwrap_or_default().to_owned()));
        pieces.push(Piece::Gap(gap));
        rest = rest.get(at + length..).unwrap_or_default();
    }
}

impl Rows {
    /// Adds the rows of another command.
    pub fn add(&mut self, other: &Rows) {
        for (all, more) in self.0.iter_mut().zip(&other.0) {
            if !more.is_empty() {
                if !all.is_empty() {
                    all.push(',');
                }
                all.push_str(more);
            }
        }
    }

    /// Numbers were taken: the sequence is rewritten once, as a real batch does.
    pub fn numbers(&mut self, sequence: &str, was: u64, next: u64) {
        if let Some(text) = self.0.get_mut(SEQUENCE) {
            *text = format!("[\"{sequence}\",{was},{next}]");
        }
    }
}

/// Writes rows as a commit does; `false` where the store is no database.
///
/// # Errors
/// What the database says.
pub async fn write(writer: &mut Writer, rows: Rows) -> Result<bool, Error> {
    let Writer::Sqlite(writer) = writer else { return Ok(false) };
    let mut mask = 0;
    let mut texts = Vec::with_capacity(TABLES);
    for (bit, text) in rows.0.into_iter().enumerate().filter(|(_, text)| !text.is_empty()) {
        mask |= 1 << bit;
        texts.push(format!("[{text}]"));
    }
    writer.commit_tables(mask, texts).await.map(|_| true)
}
