//! `cases.answerSurvey`: the answer of who filed a case to the survey of a closing, signed in (R-SURVEY-1).

use dossier_domain::case::{AnswerSurvey, CaseCommand, SurveyChannel};
use utoipa::ToSchema;

use super::case_commands::execute;
use super::support_commands::own_text_if_any;
use crate::call::{Call, Reply};
use crate::proto_json::Message;
use crate::refusals;
use crate::resources::CaseResource;
use crate::status::ApiError;

/// How content somebody is.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(
    dead_code,
    reason = "describes the request for the OpenAPI document; requests are read field by field"
)]
pub struct SurveyAnswer {
    /// Which closing of the case, from 1; the latest when absent.
    #[schema(minimum = 1)]
    closing: Option<i32>,
    /// From 1, bad, to 5, good.
    #[schema(minimum = 1, maximum = 5)]
    rating: i32,
    /// In the caller's words.
    text: Option<String>,
}

/// Answers the survey of a closing, once, until the case is reopened.
///
/// # Errors
/// 400 for a rating out of range, a survey that was answered (`SURVEY_ANSWERED`) or has expired (`SURVEY_EXPIRED`); 403 for
/// everybody but who filed the case; 404 for a closing that never was.
#[utoipa::path(
    post,
    path = "/v2/organizations/{organization}/cases/{case}:answerSurvey",
    operation_id = "cases.answerSurvey",
    tag = "cases",
    params(
        ("organization" = String, Path, description = "Id of the organization"),
        ("case" = String, Path, description = "Id of the case"),
        ("If-Match" = Option<String>, Header, description = "The ETag the case must still have"),
        ("Idempotency-Key" = Option<String>, Header, description = "A ULID or UUID"),
    ),
    request_body = SurveyAnswer,
    responses((status = 200, description = "The case", body = CaseResource)),
)]
pub async fn handle(call: Call) -> Result<Reply, ApiError> {
    let case = call.case_id()?;
    let message = Message::parse(&call.body)?;
    let rating = message.int32("rating")?.unwrap_or_default();
    let closing = if let Some(closing) = message.int32("closing")? {
        // What is no number of a closing is none that ever was.
        u32::try_from(closing).unwrap_or_default()
    } else {
        let commands = &call.app.commands;
        let view = commands.case_view(&call.parent()?.organization, case).await.map_err(refusals::load)?;
        view.state.filed().map_or(0, |case| case.closings)
    };
    let command = AnswerSurvey {
        closing,
        rating: u8::try_from(rating).unwrap_or_default(),
        text: own_text_if_any(&call, &message, "text")?,
        via: SurveyChannel::SignedIn,
    };
    execute(&call, Some(case), &CaseCommand::AnswerSurvey(command)).await
}
