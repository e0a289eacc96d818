//! What may help with a problem (R-HELP-1): published known issues that match, then articles that match, of what the
//! organization is entitled to.

use std::collections::BTreeSet;

use dossier_domain::ProductId;
use dossier_domain::help_article::HelpArticle;
use dossier_domain::help_session::{HelpStep, Session, Suggestion, SuggestionKind};

use crate::call::Call;
use crate::status::ApiError;
use crate::{published_issues, refusals};

/// Most articles that are suggested at once.
const MOST_ARTICLES: usize = 5;
/// Most known issues that are suggested at once.
const MOST_ISSUES: usize = 3;

/// What the organization of the path is entitled to now.
pub(super) fn entitled(call: &Call) -> Result<BTreeSet<ProductId>, ApiError> {
    let (commands, access) = (&call.app.commands, &call.parent()?.access);
    Ok(access.entitled_products(commands.catalogue(), commands.now()))
}

/// What may help with a problem, the best first.
pub(super) async fn suggestions(
    call: &Call,
    session: &Session,
    text: &str,
) -> Result<Vec<Suggestion>, ApiError> {
    let entitled = entitled(call)?;
    let mut found = issues(call, session, &entitled, text).await?;
    found.extend(articles(call, session, &entitled, text).await?);
    Ok(found)
}

async fn issues(
    call: &Call,
    session: &Session,
    entitled: &BTreeSet<ProductId>,
    text: &str,
) -> Result<Vec<Suggestion>, ApiError> {
    let about = session.about().filter(|product| entitled.contains(*product));
    let products = about.map_or_else(|| entitled.clone(), |product| BTreeSet::from([product.clone()]));
    let app = &call.app;
    let issues = published_issues::of_products(&app.known_issues, &products).await;
    let issues = issues.map_err(|error| refusals::query(&error))?;
    if issues.is_empty() {
        return Ok(Vec::new());
    }
    let texts: Vec<_> = issues.iter().map(|issue| (issue.summary.clone(), issue.details.clone())).collect();
    let ranked = app.help_articles.rank(texts, text).await.map_err(|error| refusals::query(&error))?;
    let best = ranked.into_iter().filter_map(|number| issues.get(number)).take(MOST_ISSUES);
    Ok(best.map(|issue| Suggestion { kind: SuggestionKind::KnownIssue, id: issue.id.clone() }).collect())
}

async fn articles(
    call: &Call,
    session: &Session,
    entitled: &BTreeSet<ProductId>,
    text: &str,
) -> Result<Vec<Suggestion>, ApiError> {
    let about = session.about();
    let passes = |article: &HelpArticle| article.may_be_suggested(entitled) && article.is_about(about);
    let articles = &call.app.help_articles;
    let found = articles.search(text, &session.language, passes, MOST_ARTICLES).await;
    let mut ids: Vec<String> =
        found.map_err(|error| refusals::query(&error))?.iter().map(|article| article.id.clone()).collect();
    // Whoever has told the kind of problem sees what there is for it, even where no word matches.
    if let Some(kind) = session.kind.as_ref().filter(|_| session.step == HelpStep::Description) {
        for article in articles.of_kind(kind, &session.language) {
            if ids.len() < MOST_ARTICLES && passes(article) && !ids.contains(&article.id) {
                ids.push(article.id.clone());
            }
        }
    }
    Ok(ids.into_iter().map(|id| Suggestion { kind: SuggestionKind::Article, id }).collect())
}
