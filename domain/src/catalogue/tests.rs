//! What a catalogue must be, and the priorities in words.

use super::*;
use crate::testing::catalogue;

/// R-CASE-2.
#[test]
fn r_case_2_each_priority_is_told_apart_by_its_workaround() {
    let says = |priority: Priority, text: &str| priority.description().contains(text);
    assert!(
        says(Priority::P1, "several users")
            && says(Priority::P1, "unusable")
            && says(Priority::P1, "no workaround")
    );
    assert!(says(Priority::P2, "one user") && says(Priority::P2, "no acceptable workaround"));
    assert!(says(Priority::P3, "a workaround exists"));
    assert!(says(Priority::P4, "no workaround is needed"));
}

#[test]
fn a_catalogue_whose_references_lead_nowhere_is_refused_by_name() {
    let refused = |change: fn(&mut Catalogue)| {
        let mut catalogue = catalogue();
        change(&mut catalogue);
        catalogue.validate().unwrap_err().to_string()
    };
    assert!(refused(|catalogue| catalogue.languages.clear()).contains("languages"));
    assert!(refused(|catalogue| catalogue.plans.truncate(1)).contains("plan gold"));
    assert!(refused(|catalogue| catalogue.products.truncate(1)).contains("product storage"));
    assert!(refused(|catalogue| catalogue.plans.push(catalogue.plans[0].clone())).contains("stands twice"));
    assert!(
        refused(|catalogue| catalogue.products.push(catalogue.products[0].clone())).contains("stands twice")
    );
    assert!(
        refused(|catalogue| catalogue.classifications.push(catalogue.classifications[0].clone()))
            .contains("twice")
    );
    assert!(refused(|catalogue| catalogue.classifications[0].product_line = 3).contains("product_line"));
    assert!(
        refused(|catalogue| catalogue.access.grant_delay_seconds = 86_401).contains("grant_delay_seconds")
    );
    assert!(
        refused(|catalogue| {
            catalogue.access.consumer_mail_domains.insert("Mail.example".to_owned());
        })
        .contains("consumer_mail_domains")
    );
    assert!(
        refused(|catalogue| {
            let moves = catalogue.products.iter_mut().find_map(|product| product.moves.as_mut()).unwrap();
            moves.ends_at = Timestamp::MIN;
        })
        .contains("before its move")
    );
    assert!(
        refused(|catalogue| {
            let moves = catalogue.products.iter_mut().find_map(|product| product.moves.as_mut()).unwrap();
            moves.exempting_products.insert(ProductId::new("toaster").unwrap());
        })
        .contains("toaster")
    );
}
