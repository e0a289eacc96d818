//! The real relay, projectors, commands, reactors and domain on a simulated log, bus, work store and clock. One seed decides
//! everything: who does what, which answer is lost, who crashes between which two steps, who sleeps while another takes
//! over, where the clock jumps. After each run nothing may be lost, doubled or different.
//!
//! # How one seed decides
//!
//! All parts run on one thread, and time stands still until the [`driver`] moves it. Each incarnation of a part has random
//! numbers of its own, so that what one part meets does not depend on what another does. Projectors write to real SQLite files,
//! whose threads do not stand still: so a projector runs only while nothing else does ([`part`]), until it waits again.
//! A test runs a seed twice and compares every step.
//!
//! # Where things are
//!
//! [`log`], [`bus`] and [`work`] implement the ports and their troubles; [`nodes`], [`processes`] and [`projector`] start the
//! real parts on them, and [`mortal`] kills one in the middle of a transaction; [`senders`] take messages from the ledger as
//! the real ones do; [`tally`] is a read model that notices what the real ones forgive; [`acts`] is what people do, with a
//! ledger of what they were answered; [`checks`] compares everything after the end.
//!
//! Timers: much time passes at once, often until one is nearly or just due, with or without somebody there, by clocks that
//! differ and are set back. Merges race with each other and with their undoing. Messages are compared with what one undisturbed
//! pass over the finished log intends. Sometimes the work store is lost at the end, and history is met again.
//!
//! A failing seed is printed with the line that shows its steps. More seeds: `make simulate SEEDS=1000`.

pub mod acts;
pub mod bus;
pub mod checks;
pub mod driver;
pub mod log;
pub mod mortal;
pub mod nodes;
pub mod part;
pub mod people;
pub mod processes;
pub mod projector;
pub mod reactors;
pub mod report;
pub mod seeds;
pub mod senders;
pub mod tally;
pub mod work;
pub mod world;
