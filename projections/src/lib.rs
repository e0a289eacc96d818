//! The read side: read models, the runner with its checkpoints, rebuild.
