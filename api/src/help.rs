//! Where whoever is refused finds help (R-ACCESS-6): links for each reason, from the catalogue and to endpoints of our own.
//! They depend on the reason alone and on what the refusal says already, so that they tell nothing more than it does.

use dossier_domain::Catalogue;

use crate::app::App;
use crate::status::{ApiError, Code};

/// Where account recovery is asked for, without signing in.
const RECOVERY_PATH: &str = "/v2/accountRecoveryCases";
/// Where somebody sees to what they belong, and from when.
const ONESELF_PATH: &str = "/v2/me";

/// What the links are made of.
struct Source<'a> {
    catalogue: &'a Catalogue,
    /// What stands before paths of our own; empty where nobody has said under which address we are reached.
    origin: &'a str,
}

/// A refusal with the links that help whoever met it.
#[must_use]
pub fn linked(error: ApiError, app: &App) -> ApiError {
    let origin = app.sign_in.browsers.as_ref().map_or("", |browsers| &browsers.settings.public_url);
    Source { catalogue: app.commands.catalogue(), origin }.linked(error)
}

impl Source<'_> {
    fn linked(&self, error: ApiError) -> ApiError {
        if error.code() == Code::Unauthenticated {
            let error = self.sign_in_help(error);
            let error = given(error, "A new password", self.catalogue.links.password_reset.as_deref());
            return self.recovery(error);
        }
        match error.reason() {
            "NO_ACCOUNT" => {
                let error = self.sign_in_help(error);
                self.recovery(error)
            }
            "NOT_A_MEMBER" => {
                let error = self.oneself(error);
                self.sign_in_help(error)
            }
            "ACCESS_PENDING" | "NO_SUPPORT_PRIVILEGE" | "RESELLER_NOT_ALLOWED" => self.oneself(error),
            "NO_ELIGIBLE_PLAN" => self.plans(error),
            "PRODUCT_MOVED" => {
                let moved = error.metadata("successor").zip(error.metadata("url"));
                let moved =
                    moved.map(|(successor, url)| (format!("Support is with {successor}"), url.to_owned()));
                match moved {
                    Some((description, url)) => error.with_help(description, url),
                    None => error,
                }
            }
            _ => error,
        }
    }

    fn sign_in_help(&self, error: ApiError) -> ApiError {
        given(error, "Help with signing in", self.catalogue.links.sign_in_help.as_deref())
    }

    fn recovery(&self, error: ApiError) -> ApiError {
        let error =
            given(error, "How to get an account back", self.catalogue.links.account_recovery.as_deref());
        error.with_help(
            "Ask support to recover your account: POST, without signing in",
            format!("{}{RECOVERY_PATH}", self.origin),
        )
    }

    fn oneself(&self, error: ApiError) -> ApiError {
        let description = "Your organizations, roles and pending grants";
        error.with_help(description, format!("{}{ONESELF_PATH}", self.origin))
    }

    /// The plans that would do, by the names that people know.
    fn plans(&self, error: ApiError) -> ApiError {
        let ids: Vec<&str> = error.metadata("plans").unwrap_or_default().split(", ").collect();
        let plans = self.catalogue.plans.iter().filter(|plan| ids.contains(&plan.id.as_str()));
        let names: Vec<&str> = plans.map(|plan| plan.display_name.as_str()).collect();
        if names.is_empty() {
            return error;
        }
        let description = format!("Plans that would do: {}", names.join(", "));
        given(error, description, self.catalogue.links.help_centre.as_deref())
    }
}

/// A link, where there is one.
fn given(error: ApiError, description: impl Into<String>, url: Option<&str>) -> ApiError {
    match url {
        Some(url) => error.with_help(description, url),
        None => error,
    }
}

#[cfg(test)]
mod tests {
    use dossier_domain::authority::ResellerRefusal;
    use dossier_domain::catalogue::Links;
    use dossier_domain::{AccessRefusal, PlanId, ProductId};
    use jiff::Timestamp;

    use super::*;
    use crate::refusals;
    use crate::system::load_catalogue;

    fn urls(error: ApiError, links: &Links, origin: &str) -> Vec<String> {
        let mut catalogue = load_catalogue(None).unwrap();
        catalogue.links = links.clone();
        let body = Source { catalogue: &catalogue, origin }.linked(error).body();
        let details = body["error"]["details"].as_array().unwrap();
        let help = details.iter().find(|detail| detail["@type"] == "type.googleapis.com/google.rpc.Help");
        let links = help.and_then(|help| help["links"].as_array()).cloned().unwrap_or_default();
        links.iter().map(|link| link["url"].as_str().unwrap().to_owned()).collect()
    }

    fn all() -> Links {
        Links {
            help_centre: Some("https://h.example/".to_owned()),
            account_recovery: Some("https://r.example/".to_owned()),
            sign_in_help: Some("https://s.example/".to_owned()),
            password_reset: Some("https://p.example/".to_owned()),
            ..Links::default()
        }
    }

    /// R-ACCESS-6.
    #[test]
    fn r_access_6_every_refusal_of_access_leads_to_help() {
        let product = || ProductId::new("compute").unwrap();
        let plans = || [PlanId::new("gold").unwrap()].into();
        let (recover, me) = ("/v2/accountRecoveryCases", "/v2/me");
        let no_account = |deactivated| AccessRefusal::NoAccount { deactivated };
        let not_allowed = AccessRefusal::ResellerNotAllowed { because: ResellerRefusal::NotLetIn };
        let moved = AccessRefusal::ProductMoved {
            product: product(),
            successor: "Elsewhere".to_owned(),
            url: "https://e.example/".to_owned(),
        };
        for (refusal, wanted) in [
            (no_account(false), vec!["https://s.example/", "https://r.example/", recover]),
            (no_account(true), vec!["https://s.example/", "https://r.example/", recover]),
            (AccessRefusal::NotAMember, vec![me, "https://s.example/"]),
            (AccessRefusal::AccessPending { from: Timestamp::UNIX_EPOCH }, vec![me]),
            (AccessRefusal::NoSupportPrivilege, vec![me]),
            (not_allowed, vec![me]),
            (moved, vec!["https://e.example/"]),
            (
                AccessRefusal::NoEligiblePlan { product: product(), plans: plans() },
                vec!["https://h.example/"],
            ),
        ] {
            assert_eq!(urls(refusals::access(&refusal), &all(), ""), wanted, "{refusal:?}");
        }
    }

    #[test]
    fn who_is_not_signed_in_is_led_to_every_way_in() {
        let refused = || ApiError::unauthenticated("no").with_reason("TOKEN_EXPIRED");
        let recover = "/v2/accountRecoveryCases";
        assert_eq!(
            urls(refused(), &all(), ""),
            ["https://s.example/", "https://p.example/", "https://r.example/", recover]
        );
        let absolute = "https://support.example/v2/accountRecoveryCases";
        assert_eq!(urls(refused(), &Links::default(), "https://support.example"), [absolute]);
    }

    #[test]
    fn other_refusals_have_no_links() {
        assert_eq!(urls(ApiError::not_found("no"), &all(), ""), [""; 0]);
    }
}
