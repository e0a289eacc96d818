//! What is read of requests, and what is refused.

use proptest::prelude::*;
use serde_json::json;

use super::*;

fn user(value: &Value) -> Said {
    Said::of_user(value.to_string().as_bytes()).unwrap()
}

fn patch(operations: &Value) -> Result<Said, String> {
    let body =
        json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": operations});
    Said::of_patch(body.to_string().as_bytes()).map_err(|error| error.reason().to_owned())
}

fn address(said: &Said) -> Option<String> {
    said.address().unwrap().map(|address| address.as_given().to_owned())
}

#[test]
fn a_user_is_read_whatever_else_is_told() {
    let said = user(&json!({
        "schemas": [USER_SCHEMA, "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],
        "ExternalID": "erin-1",
        "username": "Erin@acme.example",
        "active": "True",
        "title": "Engineer",
        "name": {"givenName": "Erin", "familyName": "Smith", "middleName": null},
        "emails": [
            {"type": "home", "value": "erin@home.example"},
            {"type": "work", "value": "erin@acme.example"},
        ],
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {"department": "R&D"},
    }));
    assert_eq!(said.external_id.as_deref(), Some("erin-1"));
    assert_eq!(address(&said).as_deref(), Some("Erin@acme.example"));
    assert_eq!((said.name().as_deref(), said.active), (Some("Erin Smith"), Some(true)));
}

#[test]
fn the_first_of_display_name_formatted_name_and_both_parts_is_the_name() {
    let name = json!({"formatted": "F", "givenName": "G", "familyName": "H"});
    assert_eq!(user(&json!({"displayName": "D", "name": name})).name().as_deref(), Some("D"));
    assert_eq!(user(&json!({"name": name})).name().as_deref(), Some("F"));
    assert_eq!(user(&json!({"name": {"givenName": "G"}})).name(), None, "half a name is none");
}

#[test]
fn two_addresses_that_differ_are_refused_and_one_written_twice_is_not() {
    let said = user(&json!({"userName": "e@acme.example", "emails": [{"value": "f@acme.example"}]}));
    assert_eq!(said.address().unwrap_err().reason(), "INVALID_FIELD");
    let said = user(&json!({"userName": "e@acme.example", "emails": [{"value": "E+x@Acme.Example"}]}));
    assert_eq!(address(&said).as_deref(), Some("e@acme.example"));
    assert_eq!(user(&json!({"userName": "erin"})).address().unwrap_err().reason(), "INVALID_FIELD");
}

#[test]
fn patches_of_azure_ad_and_okta_say_the_same() {
    let out = Said { active: Some(false), ..Said::default() };
    for operations in [
        json!([{"op": "Replace", "path": "active", "value": "False"}]),
        json!([{"op": "replace", "value": {"active": false}}]),
        json!([{"op": "Add", "path": "active", "value": false}]),
        json!([{"op": "replace", "path": format!("{USER_SCHEMA}:active"), "value": false}]),
    ] {
        assert_eq!(patch(&operations), Ok(out.clone()), "{operations}");
    }
    for operations in [
        json!([{"op": "Replace", "path": "userName", "value": "e@acme.example"}]),
        json!([{"op": "replace", "path": "emails[type eq \"work\"].value", "value": "e@acme.example"}]),
        json!([{"op": "Add", "value": {"emails[type eq \"work\"].value": "e@acme.example"}}]),
        json!([{"op": "replace", "path": "emails", "value": [{"value": "e@acme.example", "primary": true}]}]),
        json!([{"op": "replace", "value": {"userName": "e@acme.example"}}]),
    ] {
        assert_eq!(address(&patch(&operations).unwrap()).as_deref(), Some("e@acme.example"), "{operations}");
    }
    let renamed = json!([
        {"op": "replace", "value": {"name.givenName": "Erin", "name.familyName": "Smith"}},
        {"op": "Add", "path": "title", "value": "Engineer"},
        {"op": "remove", "path": "phoneNumbers[type eq \"work\"].value"},
    ]);
    assert_eq!(patch(&renamed).unwrap().name().as_deref(), Some("Erin Smith"));
    let unnamed = json!([{"op": "remove", "path": "displayName"}]);
    assert_eq!(patch(&unnamed).unwrap().name().as_deref(), Some(""));
}

#[test]
fn a_patch_that_cannot_be_meant_is_refused_with_its_reason() {
    for (operations, reason) in [
        (json!("replace"), "INVALID_BODY"),
        (json!([1]), "INVALID_BODY"),
        (json!([{"op": "move", "path": "active", "value": true}]), "INVALID_BODY"),
        (json!([{"path": "active", "value": true}]), "INVALID_BODY"),
        (json!([{"op": "remove"}]), NO_TARGET),
        (json!([{"op": "remove", "path": "userName"}]), IMMUTABLE),
        (json!([{"op": "remove", "path": "emails[type eq \"work\"]"}]), IMMUTABLE),
        (json!([{"op": "replace", "path": "emails[", "value": "x"}]), INVALID_PATCH_PATH),
        (json!([{"op": "replace", "path": "user name", "value": "x"}]), INVALID_PATCH_PATH),
        (json!([{"op": "replace", "path": "", "value": "x"}]), INVALID_PATCH_PATH),
        (json!([{"op": "replace", "path": "active", "value": "perhaps"}]), "INVALID_FIELD"),
        (json!([{"op": "replace", "path": "active", "value": 1}]), "INVALID_FIELD"),
        (json!([{"op": "replace", "path": "userName", "value": 7}]), "INVALID_FIELD"),
        (json!([{"op": "replace", "path": "displayName", "value": "a\u{0}b"}]), "INVALID_FIELD"),
        (json!([{"op": "replace", "path": "displayName", "value": "x".repeat(256)}]), "INVALID_FIELD"),
    ] {
        assert_eq!(patch(&operations), Err(reason.to_owned()), "{operations}");
    }
    assert_eq!(Said::of_patch(b"{").unwrap_err().reason(), "INVALID_BODY");
    assert_eq!(Said::of_user(b"[]").unwrap_err().reason(), "INVALID_BODY");
}

proptest! {
    #[test]
    fn no_path_makes_the_reader_panic(path in "(emails|\\[|\\]|name|\\.|urn:|\\PC){0,8}") {
        let _ = patch(&json!([{"op": "replace", "path": path, "value": "x"}, {"op": "remove", "path": path}]));
    }
}
