//! `caseClassifications.search`: what cases can be filed under.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::call::{Call, Reply};
use crate::filter::ClassificationFilter;
use crate::query::{DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE};
use crate::resources::{ClassificationResource, PRODUCT_LINES, product_of};
use crate::status::ApiError;

/// Some classifications.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ClassificationList {
    /// The classifications, in the catalogue's order.
    pub case_classifications: Vec<ClassificationResource>,
    /// Where the next ones begin; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_page_token: Option<String>,
}

/// Continues after a classification, whatever was listed or unlisted meanwhile.
#[derive(Serialize, Deserialize)]
struct Cursor {
    after: String,
}

/// Searches the classifications that cases can be filed under.
///
/// # Errors
/// 400 for a bad query, page size or token.
#[utoipa::path(
    get,
    path = "/v2/caseClassifications:search",
    operation_id = "caseClassifications.search",
    tag = "classifications",
    params(
        ("query" = Option<String>, Query, description = "`display_name:\"*Compute Engine*\"`; `*` stands for anything"),
        ("pageSize" = Option<i32>, Query, description = "At most 100; 10 when absent"),
        ("pageToken" = Option<String>, Query, description = "From an earlier answer to the same query"),
    ),
    responses((status = 200, description = "Classifications", body = ClassificationList)),
)]
pub fn handle(call: &Call) -> Result<Reply, ApiError> {
    let filter = ClassificationFilter::parse(call.query.text("query"))?;
    let line = call.query.enumeration("product.productLine", PRODUCT_LINES)?.filter(|line| *line != 0);
    let limit = call.query.page_size(DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE)? as usize;
    let scope = format!("caseClassifications.search {line:?} {filter}");
    let cursor = call.cursor::<Cursor>(&scope)?;
    let all = &call.app.commands.catalogue().classifications;
    let start = cursor.map_or(0, |cursor| {
        all.iter()
            .position(|classification| classification.id == cursor.after)
            .map_or(all.len(), |index| index + 1)
    });
    let mut found = all[start..].iter().filter(|classification| {
        classification.listed
            && line.is_none_or(|line| line == i32::from(classification.product_line))
            && filter.matches(&classification.display_name)
    });
    let page: Vec<_> = found.by_ref().take(limit).collect();
    let next_page_token = page
        .last()
        .filter(|_| found.next().is_some())
        .map(|last| call.app.page_tokens.seal(&scope, &Cursor { after: last.id.clone() }));
    let case_classifications = page
        .into_iter()
        .map(|classification| ClassificationResource {
            id: classification.id.clone(),
            display_name: classification.display_name.clone(),
            product: product_of(classification.product_line, call.version, call.enums()),
        })
        .collect();
    Reply::json(&ClassificationList { case_classifications, next_page_token })
}
