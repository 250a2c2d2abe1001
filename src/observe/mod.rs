//! What is known of the platform: rows per account, learned from lists, look-ups and our own writes.

pub mod table;
