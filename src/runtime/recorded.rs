//! What was recorded, for whoever measures it: the cases of a process one after another, a page at a time, so that
//! very many of them take no more room than a few.

use super::Runtime;
use super::read::fold;
use crate::engine::event::Entry;
use crate::engine::state::State;
use crate::model::id::ProcessId;
use crate::store::Error;

/// How many cases are read at once.
const PAGE: u32 = 200;

/// A case with its log.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// Where it stands.
    pub state: State,
    /// Its log, first entry first.
    pub entries: Vec<Entry>,
}

impl Runtime {
    /// Hands every case of a process, of all its versions, to `each`, oldest first.
    ///
    /// # Errors
    /// What the store says.
    pub async fn recorded(&self, process: &ProcessId, mut each: impl FnMut(Recorded)) -> Result<(), Error> {
        let mut after = 0;
        loop {
            let page = self.store.logs(process, after, PAGE).await?;
            let Some((last, _)) = page.last() else { return Ok(()) };
            after = *last;
            for (_, log) in &page {
                if let Some((state, entries)) = fold(log)? {
                    each(Recorded { state, entries });
                }
            }
        }
    }
}
