//! Every open case, for what has to look at all of them.

use super::{Error, InstanceFilter, InstanceRow, Runtime, Standing};

/// How many rows are looked at in one read.
const PAGE: u32 = 500;

impl Runtime {
    /// The open cases, oldest first; with a key only those of that value of the key field.
    pub(super) async fn open_cases(&self, key: Option<&str>) -> Result<Vec<InstanceRow>, Error> {
        let mut found: Vec<InstanceRow> = Vec::new();
        loop {
            let filter = InstanceFilter {
                standing: Some(Standing::Open),
                key: key.map(str::to_owned),
                before: found.last().map(|row| row.row),
                limit: PAGE,
                ..InstanceFilter::default()
            };
            let rows = self.instances(&filter).await?;
            let last = rows.len() < PAGE as usize;
            found.extend(rows);
            if last {
                found.reverse();
                return Ok(found);
            }
        }
    }
}
