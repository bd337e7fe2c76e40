//! Many mails at once, for a driver who moves the clock only after them: composed side by side, and written down in
//! two transactions instead of two a mail.
//!
//! The order of a server holds for each of them: nothing is sent that is not written down as being sent, and nothing
//! is written down as accepted before the other side took it. A crash leaves more mails marked “possibly twice”.

use super::super::together::together;
use super::deliver::{Outcome, Ready, prepared};
use super::{LEASE, Outbox, settlement};
use crate::model::text::Wording;
use crate::runtime::{Error, OutboxRow};

/// The most mails that are taken at once.
const MANY: u32 = 256;

/// The most cases whose mails are composed at once: each is read, and only so many read at once.
const SIDE_BY_SIDE: usize = 4;

impl Outbox {
    /// Sends everything that is due by the clock, many at once, and answers how many mails were tried. Only for a
    /// transport that has no channel to lose: a server calls [`Outbox::start`].
    ///
    /// # Errors
    /// What the store says.
    pub async fn flush(&mut self) -> Result<usize, Error> {
        let mut tried = 0;
        loop {
            let rows = self.inside.runtime.lease(MANY, LEASE).await?;
            let (taken, many) = (rows.len(), MANY as usize);
            if taken > 0 {
                self.send_all(rows).await?;
            }
            tried += taken;
            if taken < many {
                return Ok(tried);
            }
        }
    }

    async fn send_all(&mut self, rows: Vec<OutboxRow>) -> Result<(), Error> {
        let mut cases = by_case(rows).into_iter().peekable();
        let mut composed = Vec::new();
        while cases.peek().is_some() {
            let composing = cases.by_ref().take(SIDE_BY_SIDE).map(|rows| {
                let inside = self.inside.clone();
                tokio::spawn(async move {
                    let (mut case, mut done) = (None, Vec::with_capacity(rows.len()));
                    for row in rows {
                        let ready = inside.ready_in(&row, &mut case).await;
                        let ready = ready.unwrap_or_else(|error| Err(inside.troubled(&row, &error)));
                        done.push((row, ready));
                    }
                    done
                })
            });
            for done in together(composing).await {
                composed.extend(done.map_err(|error| {
                    let what = Wording::new("有一封邮件无法生成。", "A mail could not be composed.");
                    Error::new(crate::runtime::Kind::Broken, what, error.to_string())
                })?);
            }
        }
        let (mut writing, mut sending, mut settled) = (Vec::new(), Vec::new(), Vec::new());
        for (row, ready) in composed {
            match ready {
                Ok(Ready { parts, kept }) => {
                    writing.extend(kept.into_iter().flat_map(|kept| prepared(&row, &parts, kept)));
                    sending.push((row, parts));
                }
                Err(how) => settled.push(settlement(&row, how)),
            }
        }
        if !writing.is_empty() {
            self.inside.runtime.settle(writing).await?;
        }
        for (row, parts) in sending {
            let outcome = self.inside.send(&row, &parts).await;
            let outcome = outcome.unwrap_or_else(|error| Outcome::Settled(self.inside.troubled(&row, &error)));
            settled.push(settlement(&row, self.judge(&row, outcome)));
        }
        self.inside.runtime.settle(settled).await?;
        Ok(())
    }
}

/// The mails of each case together, as each case is read once, in the order in which they came.
fn by_case(rows: Vec<OutboxRow>) -> Vec<Vec<OutboxRow>> {
    let mut cases: Vec<Vec<OutboxRow>> = Vec::new();
    for row in rows {
        match cases.iter_mut().find(|known| known.first().is_some_and(|first| first.instance == row.instance)) {
            Some(known) => known.push(row),
            None => cases.push(vec![row]),
        }
    }
    cases
}
