//! The outbox: leased rows become mails, and what became of them is written down.
//!
//! ```text
//! lease ─→ compose once ─→ write the parts and “sending” ─→ send ─→ write how it went
//!   1           2                      3                     4             5
//! ```
//!
//! What a crash or a failure at each point leaves behind, and why no mail is lost and none doubled unmarked:
//!
//! * **Before 1, between 1 and 3**: nothing was sent, nothing is written but the lease. The next server ends the
//!   leases of the one before it ([`Outbox::recover`]); the mail is composed then.
//! * **Between 3 and 4**: the row says `sending` and nothing was sent. It is sent again as it is, and marked
//!   “possibly twice”, as it cannot be told apart from the next case.
//! * **Between 4 and 5**: the other side has the mail. It is sent again: the same bytes, the same Message-ID, and
//!   marked “possibly twice”.
//! * **The server answers no**: the row waits or is given up, by what was said (`smtp`), and the channel learns
//!   whether it was the mail or the server (`channel`).
//! * **No answer after the end of a mail**: as between 4 and 5, after at least ten minutes.
//! * **A template fails, an address is missing, something panics**: that row is given up with the reason and an
//!   operator sees it; the others go on.
//! * **The database cannot be written**: what is known is kept and written before the next mail goes.
//!
//! A mail whose task is over is skipped by the lease itself. One whose address changed, or whose key was revoked,
//! is composed anew under another Message-ID before it is sent. No ticket is ever written: the parts have a gap
//! for it, and each attempt makes the same one from the assignment's nonce and the key that the parts name.
//!
//! It sleeps until something is written or the next mail is due; it never polls.

mod deliver;
mod flush;

use self::deliver::{Inside, Outcome, parts_of};
use super::access::Keyring;
use super::channel::{Breaker, Channel, retry_at};
use super::{Delivery, Error, OutboxFilter, OutboxRow, Runtime, Settled, Settlement};
use crate::effects::mail::Sender;
use crate::effects::template::Templates;
use crate::effects::transport::{Failure, FailureKind, Transport};
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// How long a mail is nobody else's. Longer than every deadline of a send together.
const LEASE: Duration = Duration::from_secs(20 * 60);
/// Mails that are taken at once; few, so that an urgent one never waits behind many.
const TAKEN: u32 = 4;
/// The longest sleep: a clock that was set may have made a mail due.
const LONGEST_SLEEP: Duration = Duration::from_secs(3_600);
/// After the database could not be read or written.
const AFTER_TROUBLE: Duration = Duration::from_secs(5);
/// The most mails of an earlier server that are taken over in one go.
const RECOVERED: u32 = 1_000;

/// What sends the mail of an installation. One a database: see [`super::Role::Server`].
pub struct Outbox {
    inside: Arc<Inside>,
    breaker: Breaker,
    sent: VecDeque<DateTime<Utc>>,
    /// How mails went that could not be written down yet.
    unwritten: Vec<Settlement>,
    told: watch::Sender<Channel>,
}

/// A running outbox.
#[derive(Debug)]
pub struct Running {
    stop: watch::Sender<bool>,
    channel: watch::Receiver<Channel>,
    task: JoinHandle<()>,
}

impl std::fmt::Debug for Outbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Outbox").field("transport", &self.inside.transport).finish_non_exhaustive()
    }
}

impl Outbox {
    /// An outbox that does nothing yet.
    pub fn new(
        runtime: Runtime,
        templates: Arc<Templates>,
        keys: Keyring,
        transport: Transport,
        sender: Sender,
    ) -> Outbox {
        let inside = Arc::new(Inside { runtime, templates, keys, transport, sender });
        let told = watch::channel(Channel::Up).0;
        Outbox { inside, breaker: Breaker::default(), sent: VecDeque::new(), unwritten: Vec::new(), told }
    }

    /// Takes over what an earlier server left and sends from now on.
    pub fn start(mut self) -> Running {
        let (stop, mut stopped) = watch::channel(false);
        let channel = self.told.subscribe();
        let task = tokio::spawn(async move {
            while let Err(error) = self.recover().await {
                tracing::warn!(%error, "the outbox cannot take over the mail of an earlier server yet");
                if sleep(AFTER_TROUBLE, &mut stopped).await {
                    return;
                }
            }
            let mut changed = self.inside.runtime.changed();
            loop {
                changed.borrow_and_update();
                let wait = match self.turn(&stopped).await {
                    Ok(wait) => wait,
                    Err(error) => {
                        tracing::warn!(%error, "the outbox cannot use the database");
                        AFTER_TROUBLE
                    }
                };
                if *stopped.borrow() {
                    return;
                }
                let down = self.breaker.probing();
                tokio::select! {
                    // While the server is down, what is written changes nothing.
                    ticked = changed.changed(), if !down => if ticked.is_err() { return },
                    over = sleep(wait, &mut stopped) => if over { return },
                }
            }
        });
        Running { stop, channel, task }
    }

    /// Sends everything that is due by the clock, as far as the channel lets it, and answers how many mails were
    /// tried. For tests and demonstrations; a server calls [`Outbox::start`].
    ///
    /// # Errors
    /// What the store says.
    pub async fn drain(&mut self) -> Result<usize, Error> {
        let mut tried = 0;
        loop {
            match self.batch().await? {
                Some(0) | None => return Ok(tried),
                Some(some) => tried += some,
            }
        }
    }

    /// Whether mail goes out.
    pub fn channel(&self) -> &Channel {
        &self.breaker.channel
    }

    /// Ends the leases of an earlier server: there is only one at a time, and it is this one. What was being sent
    /// is sent again and marked.
    ///
    /// # Errors
    /// What the store says.
    pub async fn recover(&self) -> Result<usize, Error> {
        let (runtime, now) = (&self.inside.runtime, self.inside.runtime.now());
        let mut all = 0;
        for state in [Delivery::Sending, Delivery::Prepared, Delivery::Pending] {
            let mut before = None;
            loop {
                let filter = OutboxFilter { state: Some(state), limit: RECOVERED, before, ..OutboxFilter::default() };
                let rows = runtime.mails(&filter).await?;
                let Some(last) = rows.last() else { break };
                before = Some(last.row);
                // A mail that is pending and was never leased is nobody's; it is due by itself.
                let leased = rows.iter().filter(|row| row.attempt > 0 && row.next_at > now);
                let settlements = leased.map(|row| {
                    let reply = "taken over from a server that ended / 由重启后的服务接手".to_owned();
                    let how = match state {
                        Delivery::Pending => Settled::Again { at: now },
                        _ => Settled::Retry { at: now, reply, possibly_twice: state == Delivery::Sending },
                    };
                    settlement(row, how)
                });
                let settlements: Vec<Settlement> = settlements.collect();
                if !settlements.is_empty() {
                    all += runtime.settle(settlements).await?;
                }
            }
        }
        Ok(all)
    }

    /// Puts the mails that were delivered before into the mailbox, which keeps nothing over a restart.
    ///
    /// # Errors
    /// What the store says.
    pub async fn refill(&self, limit: u32) -> Result<usize, Error> {
        let Transport::Mailbox(mailbox) = &self.inside.transport else { return Ok(0) };
        let filter = OutboxFilter { state: Some(Delivery::Accepted), limit, ..OutboxFilter::default() };
        let mut rows = self.inside.runtime.mails(&filter).await?;
        rows.reverse();
        let mut filled = 0;
        for row in &rows {
            let Some(parts) = parts_of(row) else { continue };
            // A link that is dead by now opens its honest page.
            let link = self.inside.link(row, &parts).await?.unwrap_or_default();
            filled += usize::from(mailbox.deliver(&parts, Some(&link)).is_ok());
        }
        Ok(filled)
    }

    /// Sends until nothing is due; answers how long to sleep.
    async fn turn(&mut self, stopped: &watch::Receiver<bool>) -> Result<Duration, Error> {
        loop {
            if *stopped.borrow() {
                return Ok(Duration::ZERO);
            }
            let now = self.inside.runtime.now();
            if let Some(until) = self.breaker.waits_until(now).or_else(|| self.paced_until(now)) {
                return Ok(between(now, until));
            }
            self.write().await?;
            match self.inside.runtime.mail_due().await? {
                None => return Ok(LONGEST_SLEEP),
                Some(due) if due > now => return Ok(between(now, due)),
                Some(_) => self.batch().await?,
            };
        }
    }

    /// Takes a few mails and sends them one after the other; `None` where the channel or the rate says no.
    async fn batch(&mut self) -> Result<Option<usize>, Error> {
        let now = self.inside.runtime.now();
        if self.breaker.waits_until(now).is_some() || self.paced_until(now).is_some() {
            return Ok(None);
        }
        // What went out is written down before anything else goes out.
        self.write().await?;
        let limit = if self.breaker.probing() { 1 } else { TAKEN };
        let rows = self.inside.runtime.lease(limit, LEASE).await?;
        let (mut tried, mut trouble) = (0, None);
        for row in rows {
            let now = self.inside.runtime.now();
            let unwritten = (!self.unwritten.is_empty()).then_some(now);
            let held = unwritten.or_else(|| self.breaker.waits_until(now)).or_else(|| self.paced_until(now));
            let settled = match held {
                // The channel or the database went down in the middle of the batch: the rest of it was not tried.
                Some(until) => untried(&row, until),
                None => {
                    tried += 1;
                    self.sent.push_back(now);
                    self.one(&row).await
                }
            };
            self.unwritten.push(settlement(&row, settled));
            if unwritten.is_none() {
                trouble = self.write().await.err();
            }
        }
        match trouble {
            Some(error) => Err(error),
            None => Ok(Some(tried)),
        }
    }

    /// Writes down how mails went. What cannot be written is kept and written later: the lease is long enough.
    async fn write(&mut self) -> Result<(), Error> {
        if !self.unwritten.is_empty() {
            self.inside.runtime.settle(self.unwritten.clone()).await?;
            self.unwritten.clear();
        }
        Ok(())
    }

    /// One mail, in a task of its own: one that panics is given up, and nothing else.
    async fn one(&mut self, row: &OutboxRow) -> Settled {
        let (inside, own) = (self.inside.clone(), row.clone());
        let outcome = tokio::spawn(async move { inside.deliver(own).await }).await;
        let outcome = outcome.unwrap_or_else(|error| {
            tracing::error!(instance = %row.instance, mail = %row.mail, "composing or sending a mail panicked");
            let _ = error;
            let what = "the program failed on this mail; please report it / 程序处理这封邮件时出错，请报告";
            Outcome::Settled(Settled::Failed { reply: what.to_owned() })
        });
        self.judge(row, outcome)
    }

    /// What is written down of how a mail went, and what the channel learns from it.
    fn judge(&mut self, row: &OutboxRow, outcome: Outcome) -> Settled {
        let now = self.inside.runtime.now();
        match outcome {
            Outcome::Settled(settled) => settled,
            Outcome::Sent(reply) => {
                let was = self.breaker.probing();
                self.breaker.answered();
                if was {
                    tracing::info!("mail goes out again");
                    self.told.send_replace(Channel::Up);
                }
                Settled::Accepted { reply }
            }
            Outcome::Failed(failure) => {
                let news = self.breaker.failed(failure.kind, &failure.reply, now);
                self.tell(news, &failure);
                let seed = [row.instance.as_bytes().as_slice(), &row.mail.0.to_be_bytes()].concat();
                match retry_at(failure.kind, row.attempt, row.queued_at, now, &seed) {
                    Some(at) => {
                        let possibly_twice = failure.kind == FailureKind::Unknown;
                        Settled::Retry { at, reply: failure.reply, possibly_twice }
                    }
                    None => Settled::Failed { reply: failure.reply },
                }
            }
        }
    }

    fn tell(&self, news: bool, failure: &Failure) {
        if self.breaker.probing() {
            self.told.send_replace(self.breaker.channel.clone());
        }
        match failure.kind {
            FailureKind::Refused if news => {
                tracing::error!(
                    "mail is stopped: the server refuses the name or password; it is tried again each hour"
                );
            }
            FailureKind::Policy => tracing::warn!("the mail server refuses a mail by its policy"),
            _ if news => tracing::warn!("mail waits: the server cannot be reached; it is tried again each minute"),
            _ => {}
        }
    }

    /// Until when the rate lets nothing go.
    fn paced_until(&mut self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let limit = self.inside.transport.per_minute()? as usize;
        let minute = TimeDelta::minutes(1);
        while self.sent.front().is_some_and(|sent| *sent + minute <= now) {
            self.sent.pop_front();
        }
        (self.sent.len() >= limit).then(|| self.sent.front().map(|first| *first + minute)).flatten()
    }
}

impl Running {
    /// Whether mail goes out, as it changes.
    pub fn channel(&self) -> watch::Receiver<Channel> {
        self.channel.clone()
    }

    /// Ends after the mail that is being sent.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        // Its panics were its mails'; there is nothing left to save here.
        let _ = self.task.await;
    }
}

fn settlement(row: &OutboxRow, how: Settled) -> Settlement {
    Settlement { instance: row.instance, mail: row.mail, attempt: row.attempt, how }
}

/// Hands a leased mail back as it was.
fn untried(row: &OutboxRow, at: DateTime<Utc>) -> Settled {
    if row.parts.is_none() {
        return Settled::Again { at };
    }
    let reply = row.reply.clone().unwrap_or_default();
    Settled::Retry { at, reply, possibly_twice: row.state == Delivery::Sending }
}

fn between(now: DateTime<Utc>, then: DateTime<Utc>) -> Duration {
    (then - now).to_std().unwrap_or_default().clamp(Duration::from_millis(1), LONGEST_SLEEP)
}

/// Sleeps; answers whether it was told to stop.
async fn sleep(wait: Duration, stopped: &mut watch::Receiver<bool>) -> bool {
    tokio::select! {
        () = tokio::time::sleep(wait) => false,
        _ = stopped.wait_for(|stop| *stop) => true,
    }
}
