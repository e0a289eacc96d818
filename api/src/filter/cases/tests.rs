//! The filter language on cases: what it reads and what it refuses.

use dossier_domain::AccountId;
use proptest::prelude::*;

use super::*;
use CaseFilter::{And, CreatorEmail, Or, Organization, Priority, StateIs, StateOpen, Text, Time};

fn list(text: &str) -> CaseFilter {
    CaseFilter::parse(FilterMode::List, Some(text)).unwrap()
}

fn search(text: &str) -> CaseFilter {
    CaseFilter::parse(FilterMode::Search, Some(text)).unwrap()
}

fn refused(mode: FilterMode, text: &str) -> String {
    let error = CaseFilter::parse(mode, Some(text)).expect_err(text);
    assert_eq!((error.code().http_status().as_u16(), error.reason()), (400, "INVALID_FILTER"));
    error.message().to_owned()
}

#[test]
fn an_empty_filter_matches_everything() {
    assert_eq!(list(""), CaseFilter::All);
    assert_eq!(CaseFilter::parse(FilterMode::Search, None).unwrap(), CaseFilter::All);
}

#[test]
fn lists_filter_by_state_priority_and_creator() {
    assert_eq!(
        list("state=OPEN AND (priority=P0 OR priority=P4)"),
        And(vec![StateOpen, Or(vec![Priority(0), Priority(4)])])
    );
    assert_eq!(list("creator.email=\"Bob@Acme.Example\""), CreatorEmail("bob@acme.example".into()));
    for state in PublishedState::ALL {
        assert_eq!(list(&format!("state={}", state.name())), StateIs(state));
    }
}

#[test]
fn unknown_fields_operators_and_values_are_refused() {
    for text in [
        "nosuchfield=1",
        "create_time=\"2020-01-01T00:00:00Z\"",
        "State=OPEN",
        "state:OPEN",
        "state>OPEN",
        "state=HALF",
        "state=open",
        "state=STATE_UNSPECIFIED",
        "priority=P5",
        "priority=1",
        "priority=P01",
        "creator.email=\"\"",
        "creator.email:\"a@b\"",
    ] {
        refused(FilterMode::List, text);
        refused(FilterMode::Search, text);
    }
    assert!(refused(FilterMode::List, "state=OPEN AND priority=P9").contains("offset 15"));
    assert!(refused(FilterMode::List, "nosuchfield=1").contains("state, priority, creator.email"));
}

#[test]
fn lists_take_no_free_text_and_no_field_of_searches() {
    for text in [
        "\"my search\"",
        "word",
        "state=OPEN AND word",
        "update_time>\"2020-01-01T00:00:00Z\"",
        "organization=\"organizations/acme\"",
    ] {
        refused(FilterMode::List, text);
        assert!(CaseFilter::parse(FilterMode::Search, Some(text)).is_ok(), "{text}");
    }
}

#[test]
fn searches_take_text_as_it_is() {
    assert_eq!(search(r#""100%_* \"x\"""#), Text("100%_* \"x\"".into()));
    assert_eq!(search("\"a\" OR b"), Or(vec![Text("a".into()), Text("b".into())]));
    refused(FilterMode::Search, "\"\"");
}

#[test]
fn update_time_is_strictly_later_with_a_zone() {
    let instant = "2020-01-01T05:00:00Z".parse().unwrap();
    assert_eq!(
        search("update_time>\"2020-01-01T00:00:00-05:00\""),
        Time(TimeField::Updated, Order::After, instant)
    );
    for text in [
        "update_time=\"2020-01-01T00:00:00Z\"",
        "update_time<\"2020-01-01T00:00:00Z\"",
        "update_time>\"2020-01-01\"",
        "update_time>yesterday",
    ] {
        refused(FilterMode::Search, text);
    }
}

#[test]
fn a_parent_in_the_query_is_found_and_only_a_demanded_one_stands_for_the_path() {
    let acme = Some(ParentName::Organization("acme"));
    assert_eq!(search("organization=\"organizations/acme\"").required_parent(), acme);
    assert_eq!(search("state=OPEN AND (organization=organizations/acme AND x)").required_parent(), acme);
    let either =
        search("organization=\"organizations/b\" OR project=\"projects/p\" OR organization=organizations/a");
    assert_eq!(either.required_parent(), None);
    assert_eq!(
        either.parents(),
        [ParentName::Organization("a"), ParentName::Organization("b"), ParentName::Project("p")]
    );
    assert_eq!(
        search("organization=organizations/a AND organization=organizations/b").required_parent(),
        None
    );
    assert_eq!(search("state=OPEN").parents(), []);
    for text in [
        "organization=acme",
        "organization=organizations/",
        "organization=organizations/a/b",
        "project=organizations/a",
    ] {
        refused(FilterMode::Search, text);
    }
}

#[test]
fn the_canonical_text_is_the_same_for_every_spelling() {
    let one = "state = \"OPEN\"  AND ((priority=P0 OR (priority=P1 OR priority=P2)) AND creator.email=A@B)";
    let other = "state=OPEN AND (priority=P0 OR priority=P1 OR priority=P2) AND creator.email=\"a@b\"";
    assert_eq!(list(one).to_string(), other);
    assert_eq!(list(other).to_string(), other);
    let grouped = "(state=OPEN AND priority=P0) OR priority=P1";
    assert_eq!(list(grouped).to_string(), grouped);
    assert_eq!(list("").to_string(), "");
    let fine = search("update_time>2020-01-01T00:00:00.123456789Z");
    assert_ne!(fine, search("update_time>2020-01-01T00:00:00.123456Z"));
    assert_eq!(search(&fine.to_string()), fine);
}

/// R-COMMENT-3: whose a case is at support, and what support has promised by when, is asked by support alone.
#[test]
fn r_comment_3_support_filters_by_every_field_and_the_customer_side_by_the_published_ones() {
    let account = AccountId(ulid::Ulid::from(7));
    for (text, canonical) in [
        ("product=compute", "product=\"compute\""),
        ("provider=north", "provider=\"north\""),
        ("provider=none", "provider=\"none\""),
        ("assignee=me AND state=OPEN", "assignee=me AND state=OPEN"),
        ("assignee=none", "assignee=none"),
        (&format!("assignee=agents/{account}"), &format!("assignee=\"agents/{account}\"")),
        ("language=pt-BR", "language=\"pt-BR\""),
        ("channel=PHONE", "channel=PHONE"),
        ("escalated=true", "escalated=true"),
        ("create_time<2020-01-01T00:00:00Z", "create_time<\"2020-01-01T00:00:00.000000Z\""),
        ("update_time<2020-01-01T00:00:00Z", "update_time<\"2020-01-01T00:00:00.000000Z\""),
        ("response_due>2020-01-01T00:00:00Z", "response_due>\"2020-01-01T00:00:00.000000Z\""),
    ] {
        for mode in [FilterMode::SupportList, FilterMode::SupportSearch] {
            let read = CaseFilter::parse(mode, Some(text)).unwrap();
            assert_eq!(read.to_string(), canonical);
            assert_eq!(CaseFilter::parse(mode, Some(canonical)).unwrap(), read);
        }
        refused(FilterMode::List, text);
        refused(FilterMode::Search, text);
    }
    for text in [
        "assignee=alice",
        "assignee=agents/garbage",
        "channel=web",
        "escalated=1",
        "product=\"a b\"",
        "response_due=2020-01-01T00:00:00Z",
        "product<compute",
    ] {
        refused(FilterMode::SupportList, text);
    }
    refused(FilterMode::SupportList, "word");
    let sides = [(Side::Support, FilterMode::SupportList), (Side::Reseller, FilterMode::List)];
    for (side, mode) in sides {
        assert_eq!(FilterMode::List.of_side(side), mode);
    }
}

fn any_filter() -> impl Strategy<Value = CaseFilter> {
    let leaf = prop_oneof![
        Just(StateOpen),
        Just(StateIs(PublishedState::Closed)),
        (0..5_u8).prop_map(Priority),
        "[a-z\"\\\\]{1,8}".prop_map(CreatorEmail),
        "[^\\x00\\s][^\\x00]{0,8}".prop_map(Text),
        "[^\\x00/:]{1,8}".prop_map(Organization),
    ];
    leaf.prop_recursive(4, 32, 4, |inner| {
        let several = proptest::collection::vec(inner, 2..4);
        prop_oneof![several.clone().prop_map(And), several.prop_map(Or)]
    })
}

proptest! {
    #[test]
    fn canonical_text_reads_back_as_a_filter_of_the_same_text(filter in any_filter()) {
        // Generated trees may nest And in And; one reading flattens them, the next must change nothing.
        let flat = search(&filter.to_string());
        prop_assert_eq!(search(&flat.to_string()), flat);
    }

    #[test]
    fn no_text_makes_the_parser_panic(text in "(\\(|\\)|\"|=|>|:| |AND|OR|state=OPEN|priority=P|update_time>|2020-01-01T00:00:00|\\PC){0,24}") {
        for mode in FilterMode::ALL {
            let _ = CaseFilter::parse(mode, Some(&text));
        }
    }
}
