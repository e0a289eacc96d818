//! Executing what a reactor orders, and what came of it, by who acts next.

use async_trait::async_trait;
use dossier_commands::{CommandError, Commands, Outcome, Request};
use dossier_domain::Aggregate;

use super::Order;

/// What came of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Issued {
    /// It was applied now.
    Applied,
    /// It was applied before: the same event met again.
    Repeated,
    /// There was nothing to change.
    Unchanged,
}

impl Issued {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::Repeated => "repeated",
            Self::Unchanged => "unchanged",
        }
    }
}

/// Why an order was not executed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IssueError {
    /// The business refuses, for good. The reactor goes on with the next.
    #[error("{0}")]
    Refused(String),
    /// It cannot be executed now, or what came of it is not known. The reactor repeats it under the same id.
    #[error("{0}")]
    Unavailable(String),
    /// The log or the key store is not readable. The reactor stops; the operator acts.
    #[error("{0}")]
    Damaged(String),
}

/// Executes orders. A request that comes again with the same command id has its effect once.
#[async_trait]
pub trait Issue: Send + Sync + 'static {
    /// Executes an order.
    ///
    /// # Errors
    /// [`IssueError`].
    async fn issue(&self, request: &Request, order: &Order) -> Result<Issued, IssueError>;
}

#[async_trait]
impl Issue for Commands {
    async fn issue(&self, request: &Request, order: &Order) -> Result<Issued, IssueError> {
        match order {
            Order::Case { organization, case, command } => {
                issued(self.case(request, organization, *case, command).await)
            }
            Order::CaseOrElse { organization, case, command, reason, other, instead } => {
                match self.case(request, organization, Some(*case), command).await {
                    Err(CommandError::Rejected(rejection)) if rejection.reason() == *reason => {
                        let command_id = request.command_id.step("instead");
                        let request = Request { command_id, ..request.clone() };
                        issued(self.case(&request, organization, Some(*other), instead).await)
                    }
                    result => issued(result),
                }
            }
            Order::KnownIssue { issue, command } => {
                issued(self.known_issue(request, None, *issue, command).await)
            }
            Order::LinkedCase { organization, case, issue, act } => {
                match self.linked_case(request, organization, *case, *issue, act).await.transpose() {
                    None => Ok(Issued::Unchanged),
                    Some(result) => issued(result),
                }
            }
            Order::Access { organization, command } => {
                issued(self.access(request, organization, command).await)
            }
        }
    }
}

fn issued<A: Aggregate, R: std::error::Error>(
    result: Result<Outcome<A>, CommandError<R>>,
) -> Result<Issued, IssueError> {
    match result {
        Ok(outcome) if outcome.replayed => Ok(Issued::Repeated),
        Ok(outcome) if outcome.events.is_empty() => Ok(Issued::Unchanged),
        Ok(_) => Ok(Issued::Applied),
        Err(error) => {
            let why = error.to_string();
            Err(match error {
                CommandError::Rejected(_)
                | CommandError::KeyReused
                | CommandError::PreconditionFailed
                | CommandError::TooLarge(_) => IssueError::Refused(why),
                CommandError::Contention | CommandError::Unavailable(_) | CommandError::OutcomeUnknown => {
                    IssueError::Unavailable(why)
                }
                CommandError::Damaged(_) => IssueError::Damaged(why),
            })
        }
    }
}
