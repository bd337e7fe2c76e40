//! Ids and nonces: they follow from the seed of the command, so the same command makes the same ones.

use super::Facts;
use super::run::Run;
use crate::model::id::{AssignmentId, InstanceId};
use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};
use uuid::{Builder, Uuid};

impl Run<'_> {
    /// The next 32 bytes that follow from the command's seed.
    pub(super) fn draw(&mut self) -> [u8; 32] {
        self.drawn += 1;
        draw(&self.facts.seed, self.drawn)
    }

    /// A new assignment id with its nonce. The id begins with the time, so that new rows land next to each other;
    /// what a ticket rests on is the nonce and its key.
    pub(super) fn draw_assignment(&mut self) -> (AssignmentId, [u8; 16]) {
        let bytes = self.draw();
        let (mut random, mut nonce) = ([0; 10], [0; 16]);
        random.copy_from_slice(&bytes[..10]);
        nonce.copy_from_slice(&bytes[16..]);
        (AssignmentId(timed(self.now, &random)), nonce)
    }

    /// The id of an instance that is to start.
    pub(super) fn draw_instance(&mut self) -> InstanceId {
        let bytes = self.draw();
        let mut random = [0; 10];
        random.copy_from_slice(&bytes[..10]);
        InstanceId(timed(self.now, &random))
    }
}

/// A new instance id: its first bits are the time, so that ids sort by it.
pub(super) fn new_instance(facts: &Facts<'_>) -> InstanceId {
    let bytes = draw(&facts.seed, 0);
    let mut random = [0; 10];
    random.copy_from_slice(&bytes[..10]);
    InstanceId(timed(facts.now, &random))
}

fn timed(now: DateTime<Utc>, random: &[u8; 10]) -> Uuid {
    let millis = u64::try_from(now.timestamp_millis()).unwrap_or(0);
    Builder::from_unix_timestamp_millis(millis, random).into_uuid()
}

fn draw(seed: &[u8; 16], count: u32) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(b"countersign/draw/v1");
    hash.update(seed);
    hash.update(count.to_le_bytes());
    hash.finalize().into()
}
