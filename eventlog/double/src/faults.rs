//! What can be made to go wrong.

use std::sync::Mutex;
use std::time::Duration;

use tokio::sync::watch;

/// How an append's answer gets lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lost {
    /// The append is applied, and the call breaks instead of answering.
    AppliedThenBroken,
    /// The append is applied, and nothing is ever answered.
    AppliedThenSilent,
    /// The call breaks before the append is applied.
    BrokenBefore,
    /// The append is neither applied nor answered.
    SilentBefore,
}

/// Orders to a double; each holds until it is carried out or taken back. They outlive a restart.
#[derive(Debug)]
pub struct Faults {
    orders: Mutex<Orders>,
    subscriptions_ended: watch::Sender<u64>,
    subscriptions_begun: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct Orders {
    lost: Vec<Lost>,
    refusals: Vec<&'static str>,
    append_delay: Duration,
}

impl Default for Faults {
    fn default() -> Self {
        Self {
            orders: Mutex::default(),
            subscriptions_ended: watch::Sender::new(0),
            subscriptions_begun: watch::Sender::new(0),
        }
    }
}

impl Faults {
    /// The next append loses its answer; ordered twice, the one after it too.
    pub fn lose_next(&self, lost: Lost) {
        self.orders().lost.push(lost);
    }

    /// The next append is answered with this message of the server, such as `Server Is Busy`, and is not applied.
    pub fn refuse_next(&self, message: &'static str) {
        self.orders().refusals.push(message);
    }

    /// Every append waits so long before it is applied.
    pub fn delay_appends(&self, delay: Duration) {
        self.orders().append_delay = delay;
    }

    /// Ends every subscription without an error, as a server does that shuts down gracefully.
    pub fn end_subscriptions(&self) {
        self.subscriptions_ended.send_modify(|times| *times += 1);
    }

    /// How many subscriptions were begun so far, and a way to wait for the next.
    pub fn subscriptions_begun(&self) -> watch::Receiver<u64> {
        self.subscriptions_begun.subscribe()
    }

    pub(crate) fn begin_subscription(&self) -> watch::Receiver<u64> {
        let mut ended = self.subscriptions_ended.subscribe();
        ended.mark_unchanged();
        self.subscriptions_begun.send_modify(|times| *times += 1);
        ended
    }

    pub(crate) fn take_lost(&self) -> Option<Lost> {
        take_first(&mut self.orders().lost)
    }

    pub(crate) fn take_refusal(&self) -> Option<&'static str> {
        take_first(&mut self.orders().refusals)
    }

    pub(crate) fn append_delay(&self) -> Duration {
        self.orders().append_delay
    }

    fn orders(&self) -> std::sync::MutexGuard<'_, Orders> {
        self.orders.lock().expect("no holder of the lock panics")
    }
}

fn take_first<T>(orders: &mut Vec<T>) -> Option<T> {
    (!orders.is_empty()).then(|| orders.remove(0))
}
