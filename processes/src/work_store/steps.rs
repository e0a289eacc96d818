//! Steps of messages that several connections take at the same time, written with one transaction: SQLite waits for the disk
//! with each, one after another. Nobody is answered before the transaction that has their step is durable.

use std::mem::take;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use tokio::sync::oneshot;

use super::WorkStoreError;
use crate::notifications::ledger::{MessageId, Outcome};

/// What a node that holds a message does with it.
#[derive(Debug)]
pub(super) enum Step {
    /// Marks it as handed over.
    HandOver { id: MessageId, attempt: u32 },
    /// Writes down what the attempt came to.
    Finish { id: MessageId, attempt: u32, now: Timestamp, outcome: Outcome },
}

/// What a step came to, as the ledger answers it.
type Answer = Result<bool, WorkStoreError>;

/// Steps that wait for being written.
#[derive(Default)]
pub(super) struct Steps {
    waiting: Mutex<Vec<(Step, oneshot::Sender<Answer>)>>,
    turn: tokio::sync::Mutex<()>,
}

impl Steps {
    /// Has a step written, by `write` together with all that wait by then, or by another caller's. `write` answers for each step
    /// in their order; when it fails, none of them is answered for.
    pub(super) async fn taken<W>(&self, step: Step, write: impl FnOnce(Vec<Step>) -> W + Send) -> Answer
    where
        W: Future<Output = Result<Vec<bool>, WorkStoreError>> + Send,
    {
        let (sender, mut answer) = oneshot::channel();
        self.waiting().push((step, sender));
        let turn = tokio::select! {
            biased;
            answer = &mut answer => return answered(answer),
            turn = self.turn.lock() => turn,
        };
        let mut waiting = take(&mut *self.waiting());
        // Whoever was stopped while it waited takes no step any more.
        waiting.retain(|(_, sender)| !sender.is_closed());
        let (steps, senders): (Vec<_>, Vec<_>) = waiting.into_iter().unzip();
        if !steps.is_empty() {
            let written = write(steps).await;
            for (index, sender) in senders.into_iter().enumerate() {
                let answer = written.as_ref().map(|answers| answers[index]);
                // One that is gone by now finds the step done, or its lease ends.
                drop(sender.send(answer.map_err(Clone::clone)));
            }
        }
        drop(turn);
        answered(answer.await)
    }

    fn waiting(&self) -> MutexGuard<'_, Vec<(Step, oneshot::Sender<Answer>)>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn answered(answer: Result<Answer, oneshot::error::RecvError>) -> Answer {
    answer.unwrap_or_else(|_| {
        Err(WorkStoreError::Unavailable("who wrote it down was stopped meanwhile".to_owned()))
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use uuid::Uuid;

    use super::*;

    fn step(attempt: u32) -> Step {
        Step::HandOver { id: MessageId(Uuid::nil()), attempt }
    }

    fn attempts(steps: &[Step]) -> Vec<u32> {
        let attempt = |step: &Step| match step {
            Step::HandOver { attempt, .. } | Step::Finish { attempt, .. } => *attempt,
        };
        steps.iter().map(attempt).collect()
    }

    /// Callers of steps 1 to `count` that wait while somebody else writes, and what was written together then.
    async fn waiting(count: u32, fail: bool) -> (Vec<Answer>, Vec<Vec<u32>>) {
        let (steps, written) = (Arc::new(Steps::default()), Arc::new(Mutex::new(Vec::new())));
        let busy = steps.turn.lock().await;
        let callers: Vec<_> = (1..=count)
            .map(|attempt| {
                let (steps, written) = (steps.clone(), written.clone());
                tokio::spawn(async move {
                    let write = |all: Vec<Step>| async move {
                        let all = attempts(&all);
                        let even = all.iter().map(|attempt| attempt.is_multiple_of(2)).collect();
                        written.lock().unwrap().push(all);
                        if fail { Err(WorkStoreError::Unavailable("full".to_owned())) } else { Ok(even) }
                    };
                    steps.taken(step(attempt), write).await
                })
            })
            .collect();
        while steps.waiting().len() < count as usize {
            tokio::task::yield_now().await;
        }
        drop(busy);
        let mut answers = Vec::new();
        for caller in callers {
            answers.push(caller.await.unwrap());
        }
        let written = take(&mut *written.lock().unwrap());
        (answers, written)
    }

    #[tokio::test]
    async fn steps_that_wait_are_written_together_and_each_caller_gets_its_own_answer() {
        let (answers, written) = waiting(4, false).await;
        assert_eq!(answers, [Ok(false), Ok(true), Ok(false), Ok(true)]);
        assert_eq!(written, [[1, 2, 3, 4]]);
    }

    #[tokio::test]
    async fn nobody_is_told_that_a_step_is_written_that_is_not() {
        let (answers, written) = waiting(3, true).await;
        assert_eq!(answers, vec![Err(WorkStoreError::Unavailable("full".to_owned())); 3]);
        assert_eq!(written.len(), 1);
    }

    #[tokio::test]
    async fn who_is_stopped_while_waiting_takes_no_step() {
        let steps = Arc::new(Steps::default());
        let busy = steps.turn.lock().await;
        let stopped = tokio::spawn({
            let steps = steps.clone();
            async move { steps.taken(step(1), |_| async { panic!("it is not its turn") }).await }
        });
        while steps.waiting().is_empty() {
            tokio::task::yield_now().await;
        }
        stopped.abort();
        assert!(stopped.await.unwrap_err().is_cancelled());
        drop(busy);
        let answer = steps.taken(step(2), |all| async move {
            assert_eq!(attempts(&all), [2]);
            Ok(vec![true])
        });
        assert_eq!(answer.await, Ok(true));
    }

    #[tokio::test]
    async fn steps_whose_writer_is_stopped_are_not_known_to_be_written() {
        let steps = Arc::new(Steps::default());
        let (begun, begins) = oneshot::channel();
        let writer = tokio::spawn({
            let steps = steps.clone();
            let write = |_| async {
                begun.send(()).unwrap();
                std::future::pending().await
            };
            async move { steps.taken(step(1), write).await }
        });
        begins.await.unwrap();
        let waits = tokio::spawn({
            let steps = steps.clone();
            async move { steps.taken(step(2), |all| async move { Ok(vec![true; all.len()]) }).await }
        });
        while steps.waiting().is_empty() {
            tokio::task::yield_now().await;
        }
        writer.abort();
        assert_eq!(waits.await.unwrap(), Ok(true), "the next one writes what still waits");
    }
}
