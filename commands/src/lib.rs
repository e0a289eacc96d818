//! The write side: load, fold, decide, append, retry, idempotency, receipts.
