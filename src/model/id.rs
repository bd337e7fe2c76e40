//! Newtype ids: words that authors choose, and identifiers that the engine gives.

use serde::{Deserialize, Serialize};
use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;
use uuid::Uuid;

macro_rules! words {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Arc<str>);

        impl $name {
            /// The word itself.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl From<&str> for $name {
            fn from(word: &str) -> $name {
                $name(Arc::from(word))
            }
        }

        impl From<String> for $name {
            fn from(word: String) -> $name {
                $name(Arc::from(word))
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:?}", &*self.0)
            }
        }
    )+};
}

words! {
    /// The name of a process: `leave`. May hold `-`.
    ProcessId,
    /// The name of a step, unique in its process: `supervisor`.
    StepId,
    /// The name of a field of a form or a column of a list: `total`.
    FieldName,
    /// The named result of a task, a step or an instance: `approved`.
    Outcome,
    /// The id of a person in the directory: `wang`.
    PersonId,
    /// The name of a position: `市场部经理`.
    PositionId,
    /// The name of a department: `市场部`.
    DepartmentId,
    /// The business number of an instance: `LP-2026-0007`.
    BusinessNumber,
    /// The id of a command, given by the caller or derived from what was clicked; unique per instance.
    CommandId,
}

macro_rules! uuids {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub Uuid);

        impl $name {
            /// Reads the 32 hexadecimal digits that `Display` writes.
            pub fn parse(text: &str) -> Option<$name> {
                Uuid::try_parse(text).ok().map($name)
            }

            /// The 16 bytes, for digests and tickets.
            pub fn as_bytes(&self) -> &[u8; 16] {
                self.0.as_bytes()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let mut digits = [0u8; 32];
                f.pad(self.0.as_simple().encode_lower(&mut digits))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{self}")
            }
        }

        impl Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let mut digits = [0u8; 32];
                serializer.serialize_str(self.0.as_simple().encode_lower(&mut digits))
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<$name, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                $name::parse(&text).ok_or_else(|| serde::de::Error::custom("not an id of 32 hexadecimal digits"))
            }
        }
    )+};
}

uuids! {
    /// An instance. Version 7: ids sort by start time, so new rows land next to each other.
    InstanceId,
    /// One person's part of a task, named by the ticket in that person's mail. Version 7, as instances.
    AssignmentId,
}

macro_rules! counters {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub u32);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    )+};
}

counters! {
    /// A token of one instance, numbered within it.
    TokenId,
    /// A scope of one instance; 0 is the instance itself.
    ScopeId,
    /// A task of one instance.
    TaskId,
    /// A timer of one instance.
    TimerId,
    /// A mail of one instance; with the instance it names one outbox row for ever.
    MailId,
}

/// The version of a definition: the first 16 bytes of the SHA-256 of its compiled content, in hexadecimal.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Version(pub Arc<str>);

impl Version {
    /// The first eight digits, for tables.
    pub fn short(&self) -> &str {
        self.0.get(..8).unwrap_or(&self.0)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}
