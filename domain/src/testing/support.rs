//! Who supports the products that the tests speak of, and when.

use std::sync::LazyLock;

use serde_json::json;

use crate::Catalogue;

/// The catalogue with providers: `north` (en, fr; EMEA; weekdays 09:00 to 18:00 in Paris; the default queue), `south`
/// (en, ja; AMER and APAC; around the clock) and `newcomer` (fr; FR), which is not vetted.
pub(crate) fn supported_catalogue() -> Catalogue {
    static SUPPORTED: LazyLock<Catalogue> = LazyLock::new(|| {
        let catalogue: Catalogue = serde_json::from_value(supported_catalogue_json()).unwrap();
        catalogue.validate().unwrap();
        catalogue
    });
    SUPPORTED.clone()
}

/// The same before it is read.
pub(crate) fn supported_catalogue_json() -> serde_json::Value {
    let mut catalogue = serde_json::to_value(super::catalogue()).unwrap();
    let week = |days: &[&str], hours: &str| -> serde_json::Value {
        days.iter().map(|day| ((*day).to_owned(), json!([hours]))).collect::<serde_json::Map<_, _>>().into()
    };
    let workdays = ["monday", "tuesday", "wednesday", "thursday", "friday"];
    let every_day = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
    catalogue["regions"] = json!({"EMEA": ["FR", "DE", "GB"], "AMER": ["US", "BR"], "APAC": ["JP"]});
    catalogue["calendars"] = json!([
        {
            "id": "paris", "time_zone": "Europe/Paris", "hours": week(&workdays, "09:00-18:00"),
            "holidays": ["2026-12-25"],
        },
        {"id": "always", "time_zone": "America/Sao_Paulo", "hours": week(&every_day, "00:00-24:00")},
    ]);
    catalogue["providers"] = json!([
        {
            "id": "north", "display_name": "North", "languages": ["en", "fr"], "regions": ["EMEA"],
            "channels": ["web", "email", "phone"], "calendar": "paris",
            "products": ["compute", "storage", "identity", "search"], "vetted": true, "default_queue": true,
            "phones": [
                {"number": "+33 1 99 00 12 34", "language": "fr", "region": "FR"},
                {"number": "+44 20 7946 0123", "language": "en"},
            ],
        },
        {
            "id": "south", "display_name": "South", "languages": ["en", "ja"], "regions": ["AMER", "APAC"],
            "channels": ["web", "phone"], "calendar": "always", "products": ["compute"], "vetted": true,
            "phones": [{"number": "+81 3 5555 0123", "language": "ja", "region": "APAC"}],
        },
        {
            "id": "newcomer", "display_name": "Newcomer", "languages": ["fr"], "regions": ["FR"],
            "channels": ["web"], "calendar": "always", "products": ["compute"],
        },
    ]);
    catalogue["documents"] = json!([
        document("compute-runbook", "compute", "document"),
        document("compute-tool", "compute", "download"),
        document("storage-guide", "storage", "document"),
        document("identity-sync", "identity", "download"),
    ]);
    catalogue["contacts"] = json!([{"topic": "Privacy", "email": "privacy@support.example"}]);
    catalogue["links"] = json!({"status_dashboard": "https://status.example/"});
    catalogue
}

fn document(id: &str, product: &str, kind: &str) -> serde_json::Value {
    let url = format!("https://docs.example/{id}");
    json!({"id": id, "product": product, "title": id, "url": url, "kind": kind, "languages": ["en"]})
}
