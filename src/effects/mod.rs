//! The room `effects`.
