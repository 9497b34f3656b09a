//! A file for each method of the protocol: decode, call one function, encode.

pub(crate) mod initialize;
pub(crate) mod notifications;
