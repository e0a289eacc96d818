//! What lies in `deploy`.
