//! Which events of the feed are wanted.

use dossier_domain::OrganizationId;
use dossier_domain::export::ExportScope;
use dossier_eventlog::RecordedEvent;
use dossier_projections::export::{AnalyticsEvent, analytics_schemas};

use crate::query::Query;
use crate::status::{ApiError, excerpt};

/// What events must have; `None`: anything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct EventFilter {
    organization: Option<OrganizationId>,
    category: Option<&'static str>,
    event_type: Option<&'static str>,
}

impl EventFilter {
    /// The filter of a query. Only known categories and types are taken: a wrong one would pass nothing for ever.
    ///
    /// # Errors
    /// 400 naming the parameter.
    pub(super) fn of(query: &Query) -> Result<Self, ApiError> {
        let organization = query.text("organization").map(OrganizationId::new).transpose();
        Ok(Self {
            organization: organization.map_err(|error| {
                refused("organization", &format!("{} is not {}", excerpt(&error.text), error.wanted))
            })?,
            category: known(query, "category", |schema| schema.category)?,
            event_type: known(query, "type", |schema| schema.event_type)?,
        })
    }

    /// What is recorded of a reading with this filter.
    pub(super) fn scope(&self) -> ExportScope {
        ExportScope {
            name: None,
            organization: self.organization.clone(),
            category: self.category.map(str::to_owned),
            event_type: self.event_type.map(str::to_owned),
        }
    }

    /// Whether an event may be wanted, by what is known without reading it.
    pub(super) fn may_pass(&self, event: &RecordedEvent) -> bool {
        self.category.is_none_or(|category| category == event.stream.category())
            && self.event_type.is_none_or(|event_type| *event_type == *event.event_type)
    }

    /// Whether an event that may be wanted is.
    pub(super) fn passes(&self, event: &AnalyticsEvent) -> bool {
        self.organization.is_none() || self.organization == event.organization
    }
}

type Schema = dossier_projections::export::AnalyticsSchema;

/// A parameter that must be one of the names in the published schemas.
fn known(
    query: &Query,
    name: &'static str,
    of: fn(&'static Schema) -> &'static str,
) -> Result<Option<&'static str>, ApiError> {
    let Some(text) = query.text(name) else { return Ok(None) };
    let found = analytics_schemas().map(of).find(|known| *known == text);
    found.map(Some).ok_or_else(|| refused(name, &format!("{} is not known here", excerpt(text))))
}

fn refused(name: &'static str, why: &str) -> ApiError {
    ApiError::invalid_field(name, why).with_reason("INVALID_QUERY")
}
