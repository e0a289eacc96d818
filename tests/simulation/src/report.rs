//! What runs were like, so that one sees that the checks had something to look at.

/// What a run was like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Events in the log.
    pub events: usize,
    /// Commands sent, repeats too.
    pub sent: usize,
    /// Commands that were done.
    pub done: usize,
    /// Effects of reactors.
    pub effects: usize,
    /// Timers that went off and recorded something.
    pub timers: usize,
    /// Merges, also those that were undone.
    pub merges: usize,
    /// Messages that were intended.
    pub messages: usize,
}

impl Report {
    /// Counts another run in.
    pub fn add(&mut self, other: Self) {
        self.events += other.events;
        self.sent += other.sent;
        self.done += other.done;
        self.effects += other.effects;
        self.timers += other.timers;
        self.merges += other.merges;
        self.messages += other.messages;
    }
}
