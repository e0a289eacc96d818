//! `/survey/{token}`: the survey of a closing, for whoever has the link that was mailed to the filer (R-SURVEY-1).

use std::fmt::Write as _;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{Request, StatusCode};
use axum::response::Response;
use axum::routing::get;
use dossier_commands::signed_link::SignedLink;
use dossier_commands::{CommandError, identity};
use dossier_domain::case::{AnswerSurvey, Case, CaseCommand, CaseRejection, SurveyChannel, check_survey};
use dossier_domain::{OrganizationId, Personal, StaffRole};
use dossier_processes::reactor::system_actor;

use super::survey_texts::Texts;
use super::{Visit, accepted_languages, no_such_link, with_status};
use crate::app::App;
use crate::browser::page::{escape, page_in};
use crate::refusals;
use crate::status::{ApiError, Code};

/// The page's name in logs and metrics, and that of who answers in the filer's place.
const NAME: &str = "survey";
/// What the form takes: in the longest encoding it stays below what is read of somebody who has not signed in.
const MAX_TEXT_CHARS: usize = 5_000;

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new().route("/survey/{token}", get(show).post(answer))
}

/// Shows the form, or why there is none. Changes nothing.
async fn show(State(app): State<Arc<App>>, Path(token): Path<String>, request: Request<Body>) -> Response {
    let (visit, _) = Visit::new(app, request);
    let shown = match Survey::open(&visit, &token).await {
        Ok(survey) => survey.check().map_or_else(
            |why| survey.refused(&visit, refusals::case(&why)),
            |()| survey.form(None, "", None),
        ),
        Err(error) => refused_unread(&visit, error),
    };
    visit.answer(NAME, shown)
}

/// Takes an answer.
async fn answer(State(app): State<Arc<App>>, Path(token): Path<String>, request: Request<Body>) -> Response {
    let (visit, body) = Visit::new(app, request);
    let answered = match Survey::open(&visit, &token).await {
        Ok(survey) => survey.answered(&visit, body).await,
        Err(error) => refused_unread(&visit, error),
    };
    visit.answer(NAME, answered)
}

/// The closing that a link is for, as it stands.
struct Survey {
    organization: OrganizationId,
    case: Box<Case>,
    closing: u32,
    texts: &'static Texts,
}

impl Survey {
    async fn open(visit: &Visit, token: &str) -> Result<Self, ApiError> {
        let SignedLink::Survey { organization, case, closing } = visit.open(token)? else {
            return Err(no_such_link("this link is for something else"));
        };
        let view = visit.app.commands.case_view(&organization, case).await.map_err(refusals::load)?;
        let case = view.state.filed().cloned().ok_or_else(|| no_such_link("there is no such case"))?;
        let texts = Texts::of([case.language.as_str()]);
        Ok(Self { organization, case: Box::new(case), closing, texts })
    }

    fn check(&self) -> Result<(), CaseRejection> {
        check_survey(&self.case, self.closing)
    }

    async fn answered(&self, visit: &Visit, body: Body) -> Response {
        let form = match visit.form(body).await {
            Ok(form) => form,
            Err(error) if error.code() == Code::PayloadTooLarge => {
                let page = self.form(None, "", Some(self.texts.too_large));
                return with_status(page, StatusCode::PAYLOAD_TOO_LARGE);
            }
            Err(error) => return self.refused(visit, error),
        };
        let rating = form.text("rating").and_then(|rating| rating.parse().ok());
        let text = form.text("text").map(str::trim).unwrap_or_default();
        let Some(rating) = rating else {
            return with_status(
                self.form(None, text, Some(self.texts.rating_missing)),
                StatusCode::BAD_REQUEST,
            );
        };
        match self.execute(visit, rating, text).await {
            Ok(()) => self.told(self.texts.thanks),
            Err(CommandError::Rejected(CaseRejection::Invalid { field, .. })) => {
                let (rating, why) = match field {
                    "rating" => (None, self.texts.rating_missing),
                    _ => (Some(rating), self.texts.too_large),
                };
                with_status(self.form(rating, text, Some(why)), StatusCode::BAD_REQUEST)
            }
            // The same closing, another answer.
            Err(CommandError::KeyReused) => {
                self.refused(visit, refusals::case(&CaseRejection::SurveyAnswered))
            }
            Err(error) => self.refused(visit, refusals::command(&error, refusals::case)),
        }
    }

    /// Answers in the filer's place: the link vouches for them. A link answers once, so a form that is sent twice is a repeat.
    async fn execute(
        &self,
        visit: &Visit,
        rating: u8,
        text: &str,
    ) -> Result<(), CommandError<CaseRejection>> {
        let commands = &visit.app.commands;
        let sealer = commands.sealer();
        let (case, closing) = (self.case.id, self.closing);
        let text = Some(text).filter(|text| !text.is_empty());
        // What the filer wrote is sealed with the filer's key.
        let text = text.map(|text| Personal::new(self.case.filer.subject().clone(), text.to_owned()));
        let body = format!("{rating}\n{}", text.as_ref().and_then(Personal::open).map_or("", String::as_str));
        let request = dossier_commands::Request {
            command_id: identity::command_id(
                sealer,
                &["survey link", &case.to_string()],
                &closing.to_string(),
            ),
            fingerprint: identity::fingerprint(sealer, body.as_bytes()),
            actor: system_actor(sealer, NAME, [StaffRole::System]),
            acting_for: None,
            correlation_id: visit.request_id.clone(),
            causation_id: None,
            if_match: None,
        };
        let command = AnswerSurvey { closing, rating, text, via: SurveyChannel::Link };
        let command = CaseCommand::AnswerSurvey(command);
        commands.case(&request, &self.organization, Some(case), &command).await.map(|_| ())
    }

    fn form(&self, rating: Option<u8>, text: &str, mistake: Option<&str>) -> Response {
        let texts = self.texts;
        let mistake = mistake.map(|why| format!("<p role=alert>{}</p>", escape(why))).unwrap_or_default();
        let mut ratings = String::new();
        for (number, label) in (1_u8..).zip(texts.ratings) {
            let checked = if rating == Some(number) { " checked" } else { "" };
            let _ = write!(
                ratings,
                "<label><input type=radio name=rating value={number} required{checked}>{}</label>",
                escape(label)
            );
        }
        let body = format!(
            "<h1>{}</h1><p>{} <code>{}</code></p>{mistake}<form method=post>\
             <fieldset><legend>{}</legend>{ratings}</fieldset>\
             <label for=text>{}</label><textarea id=text name=text maxlength={MAX_TEXT_CHARS}>\n{}</textarea>\
             <button>{}</button></form>",
            escape(texts.title),
            escape(texts.case),
            self.case.id,
            escape(texts.question),
            escape(texts.comment),
            escape(text),
            escape(texts.send),
        );
        page_in(texts.language, texts.title, &body, true)
    }

    fn told(&self, [heading, message]: [&'static str; 2]) -> Response {
        let body = format!("<h1>{}</h1><p>{}</p>", escape(heading), escape(message));
        page_in(self.texts.language, heading, &body, false)
    }

    fn refused(&self, visit: &Visit, error: ApiError) -> Response {
        let (status, [heading, message]) = match error.reason() {
            "SURVEY_ANSWERED" => (Some(StatusCode::CONFLICT), self.texts.answered),
            "SURVEY_EXPIRED" | "CASE_MERGED" => (Some(StatusCode::GONE), self.texts.expired),
            "CLOSING_NOT_FOUND" => (None, self.texts.invalid),
            _ => (None, self.texts.later),
        };
        let mut page = visit.refused(error, self.texts.language, heading, message);
        if let Some(status) = status {
            *page.status_mut() = status;
        }
        page
    }
}

/// A refusal before it is known which language its reader wants: as the browser says.
fn refused_unread(visit: &Visit, error: ApiError) -> Response {
    let texts = Texts::of(accepted_languages(&visit.parts.headers));
    let [heading, message] = if error.reason() == "INVALID_LINK" { texts.invalid } else { texts.later };
    visit.refused(error, texts.language, heading, message)
}
