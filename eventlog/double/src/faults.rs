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
    appends_ended: watch::Sender<u64>,
    held: watch::Sender<Held>,
}

/// An append that waits to be let go.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
enum Held {
    #[default]
    Nothing,
    /// The next append to this stream.
    Awaited(String),
    /// It came.
    There,
}

#[derive(Debug, Default)]
struct Orders {
    lost: Vec<Lost>,
    refusals: Vec<&'static str>,
    /// What streams contain to which every append is refused, and how.
    always_refuse: Option<(&'static str, &'static str)>,
    append_delay: Duration,
    leader: Option<u16>,
}

impl Default for Faults {
    fn default() -> Self {
        Self {
            orders: Mutex::default(),
            subscriptions_ended: watch::Sender::new(0),
            subscriptions_begun: watch::Sender::new(0),
            appends_ended: watch::Sender::new(0),
            held: watch::Sender::default(),
        }
    }
}

impl Faults {
    /// The next append loses its answer; ordered twice, the one after it too.
    pub fn lose_next(&self, lost: Lost) {
        self.orders().lost.push(lost);
    }

    /// Whether an append still has to lose its answer.
    pub fn is_to_lose(&self) -> bool {
        !self.orders().lost.is_empty()
    }

    /// The next append is answered with this message of the server, such as `Server Is Busy`, and is not applied.
    pub fn refuse_next(&self, message: &'static str) {
        self.orders().refusals.push(message);
    }

    /// Every append to streams whose name contains this is answered so from now on.
    pub fn refuse_all_to(&self, containing: &'static str, message: &'static str) {
        self.orders().always_refuse = Some((containing, message));
    }

    /// The next append to this stream of the server waits until [`Faults::let_go`].
    pub fn hold_next_to(&self, stream: &str) {
        self.held.send_replace(Held::Awaited(stream.to_owned()));
    }

    /// Returns when the append to be held has come.
    pub async fn until_held(&self) {
        let mut held = self.held.subscribe();
        // The sender lives as long as this.
        let _ = held.wait_for(|held| *held == Held::There).await;
    }

    /// Lets go of the append that is held.
    pub fn let_go(&self) {
        self.held.send_replace(Held::Nothing);
    }

    /// How many appends came to their end, whatever it was.
    pub fn appends_ended(&self) -> watch::Receiver<u64> {
        self.appends_ended.subscribe()
    }

    /// Every append waits so long before it is applied.
    pub fn delay_appends(&self, delay: Duration) {
        self.orders().append_delay = delay;
    }

    /// Makes it a follower: whoever wants the leader is sent to the one at this port of this machine. `None` makes it the
    /// leader again.
    pub fn follow(&self, leader: Option<u16>) {
        self.orders().leader = leader;
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

    pub(crate) async fn hold(&self, stream: &str) {
        let mut held = self.held.subscribe();
        let awaited = Held::Awaited(stream.to_owned());
        let is_held = self.held.send_if_modified(|held| {
            let is_held = *held == awaited;
            if is_held {
                *held = Held::There;
            }
            is_held
        });
        if is_held {
            let _ = held.wait_for(|held| *held == Held::Nothing).await;
        }
    }

    pub(crate) fn end_append(&self) {
        self.appends_ended.send_modify(|times| *times += 1);
    }

    pub(crate) fn take_lost(&self) -> Option<Lost> {
        take_first(&mut self.orders().lost)
    }

    pub(crate) fn take_refusal(&self, stream: &str) -> Option<&'static str> {
        let mut orders = self.orders();
        let always = orders.always_refuse.filter(|(containing, _)| stream.contains(containing));
        take_first(&mut orders.refusals).or(always.map(|(_, message)| message))
    }

    pub(crate) fn leader(&self) -> Option<u16> {
        self.orders().leader
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
