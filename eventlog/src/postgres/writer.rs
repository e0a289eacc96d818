//! The one task of a node that writes. It takes every append that waits, up to a bound, and stores what it accepts of
//! them in one transaction under the log's lock.

use std::sync::Arc;
use std::time::Duration;

use sqlx::postgres::PgConnectOptions;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep_until, timeout_at};
use tokio_util::sync::CancellationToken;

use super::batch::{Answer, Judged, Trust};
use super::follow::Head;
use super::known::Known;
use super::session::{Backend, Session, is_connection_lost, is_refusal, sentence, sql_state};
use super::store::PostgresOptions;
use crate::store::{Append, AppendError};

/// How often at most the writer steps back before it takes a batch.
const GATHER_ROUNDS: u32 = 4;

/// An append that waits for its batch.
pub(super) struct Queued {
    pub(super) append: Append,
    pub(super) bytes: usize,
    /// When the caller asked.
    pub(super) since: Instant,
    pub(super) answer: oneshot::Sender<Answer>,
}

/// How often at most the other nodes are told of commits: each time costs a wake-up of every node, and of the server's
/// processes behind them.
const TELL_EVERY: Duration = Duration::from_millis(5);

/// What is said of a server that keeps silent.
const NO_ANSWER: &str = "the database does not answer";

/// Instants by which the steps of a batch end, so that every caller has its answer in time.
#[derive(Clone, Copy)]
pub(super) struct Limits {
    /// Until then the batch is judged under the lock, or nothing is stored.
    judged: Instant,
    /// Until then it is stored and committed, or it is looked up.
    committed: Instant,
    /// Until then it is found out, or its outcome is unknown.
    pub(super) answered: Instant,
}

impl Limits {
    fn new(since: Instant, answer_within: Duration) -> Self {
        Self {
            judged: since + answer_within * 5 / 10,
            committed: since + answer_within * 8 / 10,
            answered: since + answer_within,
        }
    }
}

/// What the server enforces on the writer's connection, beside the limits that the writer keeps itself: a node that stalls
/// in the middle of a batch loses its transaction before the others have waited too long.
pub(super) fn server_limits(answer_within: Duration) -> [(&'static str, String); 4] {
    let millis = |part: u32| (answer_within * part / 10).as_millis().to_string();
    [
        ("idle_in_transaction_session_timeout", millis(4)),
        ("lock_timeout", millis(5)),
        ("statement_timeout", millis(5)),
        // Literals are written for this.
        ("standard_conforming_strings", "on".to_owned()),
    ]
}

/// Why a batch was not stored as a whole.
pub(super) enum Failure {
    /// Known not to be stored: the commit was never asked for.
    NotStored(String),
    /// The database refused what was to be stored, and rolled back.
    Refused {
        /// What it said.
        detail: String,
        /// Whether the values themselves are impossible.
        invalid: bool,
    },
    /// The commit was asked for and not answered.
    Broken {
        /// What was met.
        detail: String,
        /// True only if the commit held.
        answers: Vec<Answer>,
        /// The server's process that was asked.
        backend: Backend,
    },
}

/// The writer's state.
pub(super) struct Writer {
    pub(super) connect: PgConnectOptions,
    /// The server, for sentences.
    pub(super) server: String,
    pub(super) session: Option<Session>,
    pub(super) known: Known,
    pub(super) head: Arc<Head>,
    pub(super) bounds: PostgresOptions,
    pub(super) telling: Telling,
}

/// What the other nodes were told.
pub(super) struct Telling {
    /// When they were told last.
    pub(super) at: Instant,
    /// Whether something was committed since.
    pub(super) untold: bool,
}

impl Telling {
    pub(super) fn new() -> Self {
        Self { at: Instant::now(), untold: false }
    }

    fn is_due(&self) -> bool {
        self.at.elapsed() >= TELL_EVERY
    }

    fn told(&mut self) {
        *self = Self::new();
    }
}

impl Writer {
    /// Writes until the store is closed or dropped; what was queued by then is still stored and answered.
    pub(super) async fn run(
        mut self,
        mut queue: mpsc::Receiver<Queued>,
        closing: CancellationToken,
        done: CancellationToken,
    ) {
        let _done = done.drop_guard();
        loop {
            let first = tokio::select! {
                biased;
                () = closing.cancelled(), if !queue.is_closed() => {
                    queue.close();
                    continue;
                }
                queued = queue.recv() => queued,
                () = sleep_until(self.telling.at + TELL_EVERY), if self.telling.untold => {
                    self.tell().await;
                    continue;
                }
            };
            let Some(first) = first else { break };
            let batch = self.gather(first, &mut queue).await;
            self.settle(batch).await;
        }
        self.tell().await;
    }

    /// Tells the other nodes of commits that they were not told of. A hint: when it fails, they look by themselves.
    async fn tell(&mut self) {
        if !self.telling.untold {
            return;
        }
        self.telling.told();
        let Some(mut session) = self.session.take() else { return };
        let limit = Instant::now() + self.bounds.answer_within / 4;
        if let Ok(Ok(())) = timeout_at(limit, session.tell(self.known.last_position())).await {
            self.session = Some(session);
        }
    }

    /// Takes what waits, up to the bounds.
    async fn gather(&self, first: Queued, queue: &mut mpsc::Receiver<Queued>) -> Vec<Queued> {
        // Callers that the last batch woke are about to queue again: let them, as long as some do. It costs
        // microseconds and spares whole commits.
        for _ in 0..GATHER_ROUNDS {
            let waiting = queue.len();
            tokio::task::yield_now().await;
            if queue.len() == waiting {
                break;
            }
        }
        let mut bytes = first.bytes;
        let mut events = first.append.events.len();
        let mut batch = vec![first];
        while bytes < self.bounds.batch_bytes && events < self.bounds.batch_events {
            let Ok(next) = queue.try_recv() else { break };
            bytes += next.bytes;
            events += next.append.events.len();
            batch.push(next);
        }
        batch
    }

    async fn settle(&mut self, batch: Vec<Queued>) {
        // Whoever has waited for most of the time already is told now, while it is in time.
        let too_old = self.bounds.answer_within * 4 / 10;
        let (late, batch): (Vec<_>, Vec<_>) =
            batch.into_iter().partition(|queued| queued.since.elapsed() > too_old);
        for queued in late {
            let _ = queued
                .answer
                .send(Err(AppendError::Unavailable("the event log is too slow or away".to_owned())));
        }
        let Some(since) = batch.iter().map(|queued| queued.since).min() else { return };
        let limits = Limits::new(since, self.bounds.answer_within);
        let (appends, waiting): (Vec<_>, Vec<_>) =
            batch.into_iter().map(|queued| (queued.append, queued.answer)).unzip();
        let answers = self.store(&appends, limits).await;
        for (waiting, answer) in waiting.into_iter().zip(answers) {
            // Nobody may be waiting any more; the append holds all the same.
            let _ = waiting.send(answer);
        }
    }

    /// Stores a batch. When the database refuses it, everything is looked up; when it still does, it is halved until
    /// what it refuses stands alone, and fails alone.
    async fn store(&mut self, appends: &[Append], limits: Limits) -> Vec<Answer> {
        let mut answers = Vec::with_capacity(appends.len());
        let mut pending = vec![(appends, Trust::Indexes)];
        while let Some((part, trust)) = pending.pop() {
            let stored = match self.attempt(part, trust, limits).await {
                Ok(stored) => stored,
                Err(Failure::Refused { .. }) if trust == Trust::Indexes => {
                    pending.push((part, Trust::Nothing));
                    continue;
                }
                Err(Failure::Refused { .. }) if part.len() > 1 => {
                    let (first, second) = part.split_at(part.len() / 2);
                    pending.extend([(second, trust), (first, trust)]);
                    continue;
                }
                Err(Failure::Refused { detail, invalid: true }) => vec![Err(AppendError::Invalid(detail))],
                Err(Failure::Refused { detail, .. } | Failure::NotStored(detail)) => {
                    part.iter().map(|_| Err(AppendError::Unavailable(detail.clone()))).collect()
                }
                Err(Failure::Broken { detail, answers, backend }) => {
                    tracing::error!(%detail, appends = part.len(), "a commit to the event log was not answered");
                    self.look_up(part, answers, &detail, &backend, limits).await
                }
            };
            answers.extend(stored);
        }
        answers
    }

    /// Judges a batch and stores what it accepts, all or nothing.
    async fn attempt(
        &mut self,
        appends: &[Append],
        trust: Trust,
        limits: Limits,
    ) -> Result<Vec<Answer>, Failure> {
        // A session is dropped, and its transaction with it, on every failure that does not prove the connection good.
        let judged = timeout_at(limits.judged, self.judge(appends, trust)).await;
        let (mut session, judged) = judged.map_err(|_| Failure::NotStored(NO_ANSWER.to_owned()))??;
        if judged.events() == 0 {
            if session.roll_back_within(limits.committed).await {
                self.session = Some(session);
            }
            return Ok(judged.answers);
        }
        let tells = self.telling.is_due();
        let error = match timeout_at(limits.committed, session.commit(judged.statement(tells))).await {
            Ok(Ok(())) => {
                self.session = Some(session);
                if tells {
                    self.telling.told();
                } else {
                    self.telling.untold = true;
                }
                metrics::counter!("dossier_log_events_total").increment(judged.events() as u64);
                metrics::counter!("dossier_log_commits_total").increment(1);
                let (answers, last) = judged.committed(&mut self.known);
                self.head.reached(last);
                return Ok(answers);
            }
            Ok(Err(error)) => Some(error),
            Err(_) => None,
        };
        let detail = error.as_ref().map_or(NO_ANSWER.to_owned(), sentence);
        let Some(error) = error.filter(is_refusal) else {
            self.telling.untold = true;
            return Err(Failure::Broken { detail, answers: judged.answers, backend: session.backend });
        };
        if session.roll_back_within(limits.answered).await {
            self.session = Some(session);
        }
        // Classes of PostgreSQL's errors: data exceptions, and violated constraints.
        match sql_state(&error).as_deref().and_then(|state| state.get(..2)) {
            Some("22") => Err(Failure::Refused { detail, invalid: true }),
            Some("23") => Err(Failure::Refused { detail, invalid: false }),
            _ => Err(Failure::NotStored(detail)),
        }
    }

    /// Begins a transaction under the lock and judges a batch in it.
    async fn judge<'a>(
        &mut self,
        appends: &'a [Append],
        trust: Trust,
    ) -> Result<(Session, Judged<'a>), Failure> {
        let mut session = self.begin().await?;
        let judged = Judged::judge(&mut session, &mut self.known, appends, trust).await;
        judged.map(|judged| (session, judged)).map_err(|error| Failure::NotStored(sentence(&error)))
    }

    /// A session in a transaction that holds the lock. One that the server has dropped since the last batch is replaced.
    async fn begin(&mut self) -> Result<Session, Failure> {
        if let Some(mut session) = self.session.take() {
            match self.known.begin(&mut session).await {
                Ok(()) => return Ok(session),
                Err(error) if is_connection_lost(&error) => {}
                Err(error) => return Err(Failure::NotStored(sentence(&error))),
            }
        }
        let mut session = self.connect().await.map_err(Failure::NotStored)?;
        let begun = self.known.begin(&mut session).await;
        begun.map(|()| session).map_err(|error| Failure::NotStored(sentence(&error)))
    }

    pub(super) async fn connect(&self) -> Result<Session, String> {
        Session::connect(&self.connect, &self.server).await
    }
}
