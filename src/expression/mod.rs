//! The room `expression`.
