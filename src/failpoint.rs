//! Named points at which a test can crash, fail or delay the program; nothing at all without the feature
//! `failpoints`.
//!
//! `COUNTERSIGN_FAILPOINT="name=crash|error|delay:MS[@N][;…]"` arms points for the whole process: `crash` aborts
//! as `kill -9` would, `error` makes the point answer an I/O error, `delay` sleeps. `@N` acts at the N-th hit
//! only. `COUNTERSIGN_FAILPOINT_LOG=FILE` appends the name of every point at its first hit, so that a test can
//! tell whether all were reached.
//!
//! A point is written `failpoint!("writer.before_commit")?` and answers [`std::io::Result`].

/// Acts as the environment says for the point of this name; see [`mod@crate::failpoint`].
#[macro_export]
macro_rules! failpoint {
    ($name:literal) => {
        $crate::failpoint::hit($name)
    };
}

/// What the macro calls: always `Ok` without the feature.
///
/// # Errors
/// The error that was asked for.
#[cfg(not(feature = "failpoints"))]
#[inline(always)]
pub fn hit(_name: &str) -> std::io::Result<()> {
    Ok(())
}

#[cfg(feature = "failpoints")]
pub use armed::hit;

#[cfg(feature = "failpoints")]
mod armed {
    use std::collections::BTreeMap;
    use std::io::Write;
    use std::sync::{Mutex, OnceLock, PoisonError};

    struct Point {
        name: String,
        act: Act,
        only: Option<u64>,
    }

    enum Act {
        Crash,
        Error,
        Delay(u64),
    }

    fn points() -> &'static [Point] {
        static POINTS: OnceLock<Vec<Point>> = OnceLock::new();
        POINTS.get_or_init(|| {
            let text = std::env::var("COUNTERSIGN_FAILPOINT").unwrap_or_default();
            text.split(';').filter_map(|one| parse(one.trim())).collect()
        })
    }

    fn parse(text: &str) -> Option<Point> {
        let (name, act) = text.split_once('=')?;
        let (act, only) = match act.split_once('@') {
            Some((act, only)) => (act, Some(only.parse().ok()?)),
            None => (act, None),
        };
        let act = match act.split_once(':') {
            Some(("delay", ms)) => Act::Delay(ms.parse().ok()?),
            None if act == "crash" => Act::Crash,
            None if act == "error" => Act::Error,
            _ => return None,
        };
        Some(Point { name: name.to_owned(), act, only })
    }

    /// Acts as the environment says for the point of this name.
    ///
    /// # Errors
    /// The error that was asked for.
    pub fn hit(name: &str) -> std::io::Result<()> {
        static HITS: Mutex<BTreeMap<String, u64>> = Mutex::new(BTreeMap::new());
        let count = {
            let mut hits = HITS.lock().unwrap_or_else(PoisonError::into_inner);
            let count = hits.entry(name.to_owned()).or_default();
            *count += 1;
            *count
        };
        if count == 1
            && let Some(log) = std::env::var_os("COUNTERSIGN_FAILPOINT_LOG")
            && let Ok(mut file) = std::fs::OpenOptions::new().create(true).append(true).open(log)
        {
            let _ = writeln!(file, "{name}");
        }
        for point in points() {
            if point.name != name || point.only.is_some_and(|only| only != count) {
                continue;
            }
            match point.act {
                Act::Crash => std::process::abort(),
                Act::Error => return Err(std::io::Error::other(format!("failpoint {name}"))),
                Act::Delay(ms) => std::thread::sleep(std::time::Duration::from_millis(ms)),
            }
        }
        Ok(())
    }
}
