//! What streams are called.

use dossier_domain::{CaseId, OrganizationId};
use dossier_eventlog::StreamName;

use crate::error::LoadError;

pub(crate) fn case_stream(case: CaseId) -> Result<StreamName, LoadError> {
    stream_name(&format!("case-{case}"))
}

pub(crate) fn access_stream(organization: &OrganizationId) -> Result<StreamName, LoadError> {
    stream_name(&format!("access-{organization}"))
}

pub(crate) fn stream_name(name: &str) -> Result<StreamName, LoadError> {
    StreamName::new(name).map_err(|error| LoadError::Damaged(error.to_string()))
}
