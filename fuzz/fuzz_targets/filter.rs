//! Any text is a filter or is refused with 400, and what was understood reads back from its canonical form.
#![no_main]

use dossier_api::filter::{CaseFilter, ClassificationFilter, Filter, FilterMode, MAX_FILTER_CHARS};
use dossier_api::status::{ApiError, Code};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    refused_as_argument(Filter::parse("filter", text));
    for mode in FilterMode::ALL {
        if let Some(filter) = refused_as_argument(CaseFilter::parse(mode, Some(text))) {
            filter.parents();
            filter.required_parent();
            let canonical = filter.to_string();
            // Escapes and parentheses make the canonical form longer than what was sent.
            if canonical.chars().count() <= MAX_FILTER_CHARS {
                let again = CaseFilter::parse(mode, Some(&canonical)).expect("its own form is understood");
                assert_eq!(again, filter, "{canonical}");
                assert_eq!(again.to_string(), canonical);
            }
        }
    }
    if let Some(filter) = refused_as_argument(ClassificationFilter::parse(Some(text))) {
        filter.matches(text);
        filter.matches("Compute Engine > Networking");
    }
});

fn refused_as_argument<T>(outcome: Result<T, ApiError>) -> Option<T> {
    outcome.inspect_err(|error| assert_eq!(error.code(), Code::InvalidArgument)).ok()
}
