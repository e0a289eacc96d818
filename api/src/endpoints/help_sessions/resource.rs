//! A session as the API shows it: what its step shows, what can be done next, and where help is elsewhere (R-HELP-3).

use std::collections::BTreeMap;

use dossier_domain::catalogue::{Channel, Priority, ProblemKind};
use dossier_domain::help_session::{HelpMove, HelpStep, Session, Suggestion, SuggestionKind, contact};
use dossier_domain::{CaseId, Side};
use dossier_projections::case_history::{CommentRow, FeedItem, FeedOrder};
use dossier_projections::cases::CaseRow;
use serde::Serialize;
use utoipa::ToSchema;

use super::super::organizations_support_profile::links;
use super::{name_of, suggest};
use crate::call::{Call, Parent};
use crate::comment_resource::CommentResource;
use crate::proto_json::format_timestamp;
use crate::resources::CaseResource;
use crate::status::ApiError;
use crate::{published_issues, refusals};

/// Items of a case's feed among which the latest message is looked for.
const FEED_ITEMS: u32 = 20;

/// A session with the help assistant.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct HelpSessionResource {
    /// `organizations/{organization}/helpSessions/{session}`.
    pub name: String,
    /// DESCRIBE, SUGGESTIONS, RECENT_CASES, RECENT_CASE, PROBLEM_KINDS, DESCRIPTION, MORE_SUGGESTIONS, CONTACT, READY, SOLVED or
    /// BECAME_CASE.
    pub step: &'static str,
    /// What can be done now: the custom methods of this session.
    pub next_steps: Vec<&'static str>,
    /// The language in which the assistant answers.
    pub language_code: String,
    /// The product that it is about, as far as that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub product: Option<String>,
    /// When it began.
    pub create_time: String,
    /// The problem, in the words of whoever asks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
    /// The description for the case.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// What may help, the best first; at SUGGESTIONS and MORE_SUGGESTIONS.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub suggestions: Vec<SuggestionResource>,
    /// What was opened; in the answer to that only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub opened: Option<OpenedResource>,
    /// Cases that it may be about, the latest change first; at RECENT_CASES.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub recent_cases: Vec<CaseResource>,
    /// The case that it is about, with its latest message; at RECENT_CASE.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recent_case: Option<RecentCaseResource>,
    /// Kinds of problems to choose from; at PROBLEM_KINDS.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub problem_kinds: Vec<ProblemKindResource>,
    /// The kind that was chosen, with what there is to know of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem_kind: Option<ProblemKindResource>,
    /// Channels that are open now, with their languages; at CONTACT.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub contact_options: Vec<ContactOptionResource>,
    /// What `:startCase` begins with; at READY.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub draft: Option<DraftResource>,
    /// The case that came of it.
    #[serde(rename = "case", skip_serializing_if = "Option::is_none")]
    pub case_name: Option<String>,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_time: Option<String>,
    /// Where to find help elsewhere: `statusDashboard`, `helpCentre`, `community` and more (R-HELP-3).
    pub links: BTreeMap<String, String>,
}

/// Something that may help.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SuggestionResource {
    /// `helpArticles/{id}` or `knownIssues/{id}`.
    pub name: String,
    /// Title to show.
    pub title: String,
    /// The language that it is written in.
    pub language_code: String,
}

/// Something that was opened.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct OpenedResource {
    /// `helpArticles/{id}` or `knownIssues/{id}`.
    pub name: String,
    /// Title to show.
    pub title: String,
    /// The language that it is written in.
    pub language_code: String,
    /// The text, Markdown.
    pub text: String,
}

/// A case that it may be about, with the latest that was said.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RecentCaseResource {
    /// The case.
    #[serde(rename = "case")]
    pub shown: CaseResource,
    /// The latest that was said on it: by support, where support said anything of late.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<CommentResource>,
}

/// A kind of problem.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProblemKindResource {
    /// Stable key.
    pub id: String,
    /// Name to show.
    pub display_name: String,
    /// What to know, and what to tell support.
    pub information: String,
}

/// A channel that is open now.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ContactOptionResource {
    /// WEB, EMAIL, CHAT or PHONE.
    pub channel: String,
    /// The languages spoken there.
    pub languages: Vec<String>,
}

/// What a case begins with; `:startCase` can say otherwise.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DraftResource {
    /// The case that goes on; absent: there will be a new one.
    #[serde(rename = "case", skip_serializing_if = "Option::is_none")]
    pub case_name: Option<String>,
    /// Short summary.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// The whole story.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Key of the classification, where the kind of problem tells one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub classification: Option<String>,
    /// P1 to P4, where the kind of problem tells it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub priority: Option<&'static str>,
    /// WEB, EMAIL, CHAT or PHONE.
    pub channel: String,
    /// The language.
    pub language_code: String,
}

/// Shows sessions of a call's organization.
pub(super) struct Shower<'a> {
    call: &'a Call,
    parent: &'a Parent,
}

impl<'a> Shower<'a> {
    pub(super) fn new(call: &'a Call) -> Result<Self, ApiError> {
        Ok(Self { call, parent: call.parent()? })
    }

    pub(super) async fn show(&self, session: &Session) -> Result<HelpSessionResource, ApiError> {
        let catalogue = self.call.app.commands.catalogue();
        let at = |step: HelpStep| session.step == step;
        let kind = session.kind.as_deref().and_then(|id| catalogue.problem_kind(id));
        let kinds = catalogue.problem_kinds.iter().filter(|_| at(HelpStep::Kinds));
        let text = |value: &Option<dossier_domain::Personal<String>>| value.as_ref()?.open().cloned();
        Ok(HelpSessionResource {
            name: format!("organizations/{}/helpSessions/{}", session.organization, session.id),
            step: session.step.as_str(),
            next_steps: session.next_moves().into_iter().map(HelpMove::as_str).collect(),
            language_code: session.language.clone(),
            product: session.about().map(ToString::to_string),
            create_time: format_timestamp(session.started_at),
            problem: text(&session.problem),
            description: text(&session.description),
            suggestions: self.suggestions(session).await?,
            opened: None,
            recent_cases: if at(HelpStep::RecentCases) {
                self.recent_cases(session).await?
            } else {
                Vec::new()
            },
            recent_case: match &session.chosen_case {
                Some(chosen) if at(HelpStep::RecentCase) => self.recent_case(chosen.case).await?,
                _ => None,
            },
            problem_kinds: kinds.filter_map(|kind| kind_resource(kind, &session.language)).collect(),
            problem_kind: kind.and_then(|kind| kind_resource(kind, &session.language)),
            contact_options: if at(HelpStep::Contact) { self.contact_options(session) } else { Vec::new() },
            draft: at(HelpStep::Ready).then(|| self.draft(session, kind)).flatten(),
            case_name: session.end.as_ref().and_then(|end| end.case).map(|case| self.case_name(case)),
            end_time: session.end.as_ref().map(|end| format_timestamp(end.at)),
            links: links(&catalogue.links),
        })
    }

    fn case_name(&self, case: CaseId) -> String {
        format!("organizations/{}/cases/{case}", self.parent.organization)
    }

    /// What is suggested, as far as it is still there and may be shown.
    async fn suggestions(&self, session: &Session) -> Result<Vec<SuggestionResource>, ApiError> {
        let mut shown = Vec::with_capacity(session.suggestions().len());
        for suggestion in session.suggestions() {
            let opened = self.open(suggestion, &session.language).await?;
            shown.extend(opened.map(|opened| SuggestionResource {
                name: opened.name,
                title: opened.title,
                language_code: opened.language_code,
            }));
        }
        Ok(shown)
    }

    /// What a suggestion holds; `None` where it is no more, or is not for the organization any more.
    pub(super) async fn open(
        &self,
        suggestion: &Suggestion,
        language: &str,
    ) -> Result<Option<OpenedResource>, ApiError> {
        let (app, entitled) = (&self.call.app, suggest::entitled(self.call)?);
        let name = name_of(suggestion);
        if suggestion.kind == SuggestionKind::KnownIssue {
            let issue = published_issues::of_id(&app.known_issues, &suggestion.id, &entitled).await;
            let issue = issue.map_err(|error| refusals::query(&error))?;
            return Ok(issue.map(|issue| OpenedResource {
                name,
                title: issue.summary,
                language_code: "en".to_owned(),
                text: issue.details,
            }));
        }
        let article = app.help_articles.get(&suggestion.id, language);
        Ok(article.filter(|article| article.may_be_suggested(&entitled)).map(|article| OpenedResource {
            name,
            title: article.title.clone(),
            language_code: article.language.clone(),
            text: article.body.clone(),
        }))
    }

    /// A case that the caller sees now.
    pub(super) async fn visible(&self, case: CaseId) -> Result<Option<std::sync::Arc<CaseRow>>, ApiError> {
        let (scope, organization) = (self.parent.authority.visibility(), &self.parent.organization);
        let found = self.call.app.current_cases.get(&scope, organization, case).await;
        found.map_err(|error| refusals::query(&error))
    }

    fn case(&self, row: &CaseRow) -> CaseResource {
        CaseResource::new(row, self.parent.authority.side(), self.call.enums())
    }

    async fn recent_cases(&self, session: &Session) -> Result<Vec<CaseResource>, ApiError> {
        let mut cases = Vec::with_capacity(session.recent_cases.len());
        for case in &session.recent_cases {
            cases.extend(self.visible(*case).await?.map(|row| self.case(&row)));
        }
        Ok(cases)
    }

    async fn recent_case(&self, case: CaseId) -> Result<Option<RecentCaseResource>, ApiError> {
        let Some(row) = self.visible(case).await? else { return Ok(None) };
        let (scope, organization) = (self.parent.authority.visibility(), &self.parent.organization);
        let feeds = &self.call.app.feeds;
        let feed = feeds.read(&scope, organization, case, FeedOrder::NewestFirst, None, FEED_ITEMS).await;
        let items = feed.map_err(|error| refusals::query(&error))?.map(|feed| feed.items).unwrap_or_default();
        let said: Vec<CommentRow> = items
            .into_iter()
            .filter_map(|item| match item {
                FeedItem::Comment(comment) => Some(comment),
                FeedItem::Attachment(_) => None,
            })
            .collect();
        let by_support = said.iter().find(|comment| comment.side == "support");
        let message = by_support.or(said.first());
        Ok(Some(RecentCaseResource {
            shown: self.case(&row),
            message: message
                .map(|row| CommentResource::of_row(row, organization.as_str(), self.call.enums())),
        }))
    }

    fn contact_options(&self, session: &Session) -> Vec<ContactOptionResource> {
        let commands = &self.call.app.commands;
        let options =
            contact::options(&self.parent.access, commands.catalogue(), session.about(), commands.now());
        let resource = |option: contact::ContactOption| ContactOptionResource {
            channel: Channel::as_str(option.channel).to_uppercase(),
            languages: option.languages.into_iter().collect(),
        };
        options.into_iter().map(resource).collect()
    }

    fn draft(&self, session: &Session, kind: Option<&ProblemKind>) -> Option<DraftResource> {
        let contact = session.contact.as_ref()?;
        Some(DraftResource {
            case_name: session.chosen_case.as_ref().map(|chosen| self.case_name(chosen.case)),
            display_name: session.draft_title().filter(|_| session.chosen_case.is_none()),
            description: session.draft_description().cloned(),
            classification: kind.and_then(|kind| kind.classification.clone()),
            priority: kind.and_then(|kind| kind.priority).map(Priority::as_str),
            channel: contact.channel.as_str().to_uppercase(),
            language_code: contact.language.clone(),
        })
    }

    /// From which side the caller sees cases.
    pub(super) fn side(&self) -> Side {
        self.parent.authority.side()
    }
}

fn kind_resource(kind: &ProblemKind, language: &str) -> Option<ProblemKindResource> {
    let text = kind.text(language)?;
    Some(ProblemKindResource {
        id: kind.id.clone(),
        display_name: text.display_name.clone(),
        information: text.information.clone(),
    })
}
