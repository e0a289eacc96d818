//! `/unsubscribe/{token}`: no more mails about a case or a known issue; `/not-affected/{token}`: a known issue does not affect one
//! (R-KI-5). Whoever has the link acts for its reader, without signing in. `GET` shows a page with one button; `POST` acts, also
//! with the body that mail programs send for one click (RFC 8058).

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::Request;
use axum::response::Response;
use axum::routing::get;
use dossier_commands::identity;
use dossier_commands::signed_link::{LinkRecipient, SignedLink};
use dossier_domain::case::{CaseCommand, ChangeNotifications, NotificationsChannel};
use dossier_domain::known_issue::{KnownIssueCommand, SayNotAffected, Unsubscribe};
use dossier_domain::notification::RecipientKey;
use dossier_domain::{AccountId, CaseId, KnownIssueId, OrganizationId, StaffRole};
use dossier_processes::reactor::system_actor;

use super::unsubscribe_texts::Texts;
use super::{Visit, accepted_languages, no_such_link};
use crate::app::App;
use crate::browser::page::{escape, page_in};
use crate::refusals;
use crate::status::ApiError;

/// The page's name in logs and metrics, and that of who acts in the reader's place.
const NAME: &str = "unsubscribe";

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/unsubscribe/{token}", get(show).post(act))
        .route("/not-affected/{token}", get(show).post(act))
}

/// Shows what the link does. Changes nothing.
async fn show(State(app): State<Arc<App>>, Path(token): Path<String>, request: Request<Body>) -> Response {
    let (visit, _) = Visit::new(app, request);
    let shown = match Wish::open(&visit, &token).await {
        Ok(wish) => wish.form(),
        Err(error) => refused(&visit, error),
    };
    visit.answer(NAME, shown)
}

/// Does it, or undoes it where the form says so.
async fn act(State(app): State<Arc<App>>, Path(token): Path<String>, request: Request<Body>) -> Response {
    let (visit, body) = Visit::new(app, request);
    let acted = async {
        let wish = Wish::open(&visit, &token).await?;
        // Mail programs send one click as a form of either kind (RFC 8058); only a page's own button says anything else.
        let again = visit.form(body).await.is_ok_and(|form| form.get("again").is_some());
        wish.fulfil(&visit, again).await
    };
    let answer = match acted.await {
        Ok(page) => page,
        Err(error) => refused(&visit, error),
    };
    visit.answer(NAME, answer)
}

/// What somebody does not want.
enum What {
    CaseMails { organization: OrganizationId, case: CaseId, recipient: RecipientKey, stopped: bool },
    IssueMails { issue: KnownIssueId, account: AccountId },
    Affected { issue: KnownIssueId, account: AccountId },
}

struct Wish {
    what: What,
    texts: &'static Texts,
}

impl Wish {
    async fn open(visit: &Visit, token: &str) -> Result<Self, ApiError> {
        let page = visit.parts.uri.path().split('/').nth(1).unwrap_or_default();
        let browser = || Texts::of(accepted_languages(&visit.parts.headers));
        match (page, visit.open(token)?) {
            ("unsubscribe", SignedLink::StopCaseMails { organization, case, recipient }) => {
                let view = visit.app.commands.case_view(&organization, case).await.map_err(refusals::load)?;
                let filed = view.state.filed().ok_or_else(|| no_such_link("there is no such case"))?;
                let recipient = match recipient {
                    LinkRecipient::Account(account) => RecipientKey::Account(account),
                    LinkRecipient::Address(address) => RecipientKey::Address(address),
                };
                let stopped = filed.notifications_stopped.contains(&recipient);
                let texts = Texts::of([filed.language.as_str()]);
                Ok(Self { what: What::CaseMails { organization, case, recipient, stopped }, texts })
            }
            ("unsubscribe", SignedLink::StopIssueMails { issue, account }) => {
                Ok(Self { what: What::IssueMails { issue: KnownIssueId(issue), account }, texts: browser() })
            }
            ("not-affected", SignedLink::NotAffected { issue, account }) => {
                Ok(Self { what: What::Affected { issue: KnownIssueId(issue), account }, texts: browser() })
            }
            _ => Err(no_such_link("this link is for something else")),
        }
    }

    fn form(&self) -> Response {
        let Texts { language, stop, resume, case, issue, affected, stopped, .. } = self.texts;
        let (heading, says, name, button) = match &self.what {
            What::CaseMails { case: id, stopped: false, .. } => (case, id.to_string(), "stop", stop),
            What::CaseMails { case: id, stopped: true, .. } => (stopped, id.to_string(), "again", resume),
            What::IssueMails { issue: id, .. } => (issue, id.to_string(), "stop", stop),
            What::Affected { issue: id, .. } => (affected, id.to_string(), "stop", affected),
        };
        let body = format!(
            "<h1>{}</h1><p><code>{}</code></p><form method=post><button name={name} value=yes>{}</button></form>",
            escape(heading),
            escape(&says),
            escape(button),
        );
        page_in(language, heading, &body, true)
    }

    async fn fulfil(&self, visit: &Visit, again: bool) -> Result<Response, ApiError> {
        match &self.what {
            What::CaseMails { organization, case, recipient, .. } => {
                let (recipient, stop) = (*recipient, !again);
                let via = NotificationsChannel::Link;
                let command = CaseCommand::ChangeNotifications(ChangeNotifications { recipient, stop, via });
                let request = request(visit, "case");
                let done = visit.app.commands.case(&request, organization, Some(*case), &command).await;
                done.map_err(|error| refusals::command(&error, refusals::case))?;
                let [heading, message] = if stop { self.texts.done } else { self.texts.resumed };
                let name = if stop { "again" } else { "stop" };
                let button = if stop { self.texts.resume } else { self.texts.stop };
                let form = format!(
                    "<form method=post><button name={name} value=yes>{}</button></form>",
                    escape(button)
                );
                Ok(self.told(heading, message, &form))
            }
            What::IssueMails { issue, account } => {
                let command = KnownIssueCommand::Unsubscribe(Unsubscribe { on_behalf_of: Some(*account) });
                self.on_issue(visit, *issue, *account, &command).await?;
                Ok(self.told(self.texts.done[0], self.texts.done[1], ""))
            }
            What::Affected { issue, account } => {
                let command =
                    KnownIssueCommand::SayNotAffected(SayNotAffected { on_behalf_of: Some(*account) });
                self.on_issue(visit, *issue, *account, &command).await?;
                Ok(self.told(self.texts.noted[0], self.texts.noted[1], ""))
            }
        }
    }

    /// For every organization that they spoke for: the mail went to the person.
    async fn on_issue(
        &self,
        visit: &Visit,
        issue: KnownIssueId,
        account: AccountId,
        command: &KnownIssueCommand,
    ) -> Result<(), ApiError> {
        let commands = &visit.app.commands;
        let view = commands.known_issue_view(issue).await.map_err(refusals::load)?;
        let known = view.published().ok_or_else(|| no_such_link("there is no such known issue"))?;
        let spoken = known.affected.iter().filter(|(_, who, _)| *who == account);
        for organization in spoken.map(|(organization, ..)| organization.clone()).collect::<Vec<_>>() {
            let request = request(visit, organization.as_str());
            let done = commands.known_issue(&request, Some(&organization), Some(issue), command).await;
            done.map_err(|error| refusals::command(&error, |why| no_such_link(&why.to_string())))?;
        }
        Ok(())
    }

    fn told(&self, heading: &str, message: &str, form: &str) -> Response {
        let body = format!("<h1>{}</h1><p>{}</p>{form}", escape(heading), escape(message));
        page_in(self.texts.language, heading, &body, !form.is_empty())
    }
}

/// In the reader's place: the link vouches for them. Each post is a wish of its own for each thing it is about, and one that
/// changes nothing is none.
fn request(visit: &Visit, about: &str) -> dossier_commands::Request {
    let sealer = visit.app.commands.sealer();
    dossier_commands::Request {
        command_id: identity::command_id(sealer, &["link", about], &visit.request_id),
        fingerprint: NAME.to_owned(),
        actor: system_actor(sealer, NAME, [StaffRole::System]),
        acting_for: None,
        correlation_id: visit.request_id.clone(),
        causation_id: None,
        if_match: None,
    }
}

fn refused(visit: &Visit, error: ApiError) -> Response {
    let texts = Texts::of(accepted_languages(&visit.parts.headers));
    let [heading, message] = if error.reason() == "INVALID_LINK" { texts.invalid } else { texts.later };
    visit.refused(error, texts.language, heading, message)
}
