//! The runbook has a section for every alert, and quotes what the system really says.

use std::collections::BTreeSet;

use super::{read, sources, yaml};

/// Names of all alerts.
fn alerts() -> BTreeSet<String> {
    let groups = yaml("prometheus/alerts.yaml")[0]["groups"].as_array().unwrap().clone();
    let rules = groups.iter().flat_map(|group| group["rules"].as_array().unwrap());
    rules.map(|rule| rule["alert"].as_str().unwrap().to_owned()).collect()
}

/// What a heading is called in a link, as the usual renderers of Markdown make it.
fn anchor(heading: &str) -> String {
    let kept = heading.trim().to_lowercase();
    let kept = kept.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}

fn headings(markdown: &str) -> Vec<&str> {
    let mut in_code = false;
    let lines = markdown.lines().filter(|line| {
        in_code ^= line.trim_start().starts_with("```");
        !in_code && line.starts_with('#')
    });
    lines.map(|line| line.trim_start_matches('#').trim()).collect()
}

#[test]
fn every_alert_leads_to_a_section_of_its_own() {
    let runbook = read("RUNBOOK.md");
    let anchors: BTreeSet<String> = headings(&runbook).into_iter().map(anchor).collect();
    for group in yaml("prometheus/alerts.yaml")[0]["groups"].as_array().unwrap() {
        for rule in group["rules"].as_array().unwrap() {
            let alert = rule["alert"].as_str().unwrap();
            let url = rule["annotations"]["runbook_url"].as_str().expect(alert);
            assert_eq!(url, format!("deploy/RUNBOOK.md#{}", anchor(alert)));
            assert!(anchors.contains(&anchor(alert)), "no section {alert}");
        }
    }
}

#[test]
fn every_section_about_an_alert_has_one() {
    let (runbook, alerts) = (read("RUNBOOK.md"), alerts());
    assert!(alerts.len() > 5);
    for heading in headings(&runbook).into_iter().filter(|heading| !heading.contains(' ')) {
        assert!(!heading.starts_with("Dossier") || alerts.contains(heading), "no alert {heading}");
    }
}

#[test]
fn every_link_within_the_runbook_leads_somewhere() {
    let runbook = read("RUNBOOK.md");
    let anchors: BTreeSet<String> = headings(&runbook).into_iter().map(anchor).collect();
    let links: Vec<&str> =
        runbook.split("](#").skip(1).filter_map(|rest| Some(rest.split_once(')')?.0)).collect();
    assert!(!links.is_empty());
    for link in links {
        assert!(anchors.contains(link), "#{link}");
    }
}

#[test]
fn what_the_runbook_quotes_is_said_somewhere() {
    let (runbook, sources) = (read("RUNBOOK.md"), sources());
    // Nobody is told what stands in a comment.
    let spoken: Vec<&str> = sources.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
    let spoken = spoken.join("\n");
    let quotes: Vec<&str> =
        runbook.split('“').skip(1).filter_map(|rest| Some(rest.split_once('”')?.0)).collect();
    assert!(quotes.len() > 10, "{quotes:?}");
    for quote in quotes {
        // Where a name or number stands in between, the runbook leaves it out.
        for part in quote.split('…').map(str::trim).filter(|part| !part.is_empty()) {
            assert!(spoken.contains(part), "nobody says: {part}");
        }
    }
}

#[test]
fn what_callers_are_told_is_a_reason_that_is_given() {
    let (runbook, sources) = (read("RUNBOOK.md"), sources());
    let (_, section) = runbook.split_once("\n## Callers are told\n").expect("the section");
    let (section, _) = section.split_once("\n## ").expect("another section");
    let reasons: Vec<&str> = section.lines().filter_map(|line| line.split('`').nth(1)).collect();
    assert!(reasons.len() > 5, "{reasons:?}");
    for reason in reasons {
        assert!(sources.contains(&format!("\"{reason}\"")), "nobody gives the reason {reason}");
    }
}
