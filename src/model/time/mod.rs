//! Lengths of time, moments, and the working calendar with its deadline arithmetic.
//!
//! Everything here is exact and takes its moment as an argument. Local times are turned into instants at one
//! place, [`Calendar::instant`]: a time that the clock skips (DST) becomes the first that exists, one that it
//! repeats becomes the earlier.

mod calendar;
mod duration;
mod moment;
mod words;

pub use calendar::{Calendar, Hours, add_days, add_months};
pub use duration::{Duration, NotADuration, Unit};
pub use moment::{Moment, NotATime, TimeOfDay, Zone, split_zone};
pub use words::{date_words, moment_words, weekday_words};

/// Stores a type as the text that it writes and reads.
macro_rules! stored_as_text {
    ($($name:ident),+) => {$(
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<$name, D::Error> {
                let text = <std::borrow::Cow<'de, str> as serde::Deserialize>::deserialize(deserializer)?;
                text.parse().map_err(|_| serde::de::Error::custom(concat!("not a ", stringify!($name))))
            }
        }
    )+};
}
use stored_as_text;
