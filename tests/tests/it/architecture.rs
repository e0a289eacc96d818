//! The rules of the house: who depends on whom, and what no file may hold.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use cargo_metadata::{DependencyKind, MetadataCommand, Package};
use dossier_tests::workspace;

/// The longest Rust file, in lines.
const MAX_LINES: usize = 500;
/// What lies in the workspace's folder without belonging to it.
const NOT_OURS: [&str; 5] = ["target", ".git", ".venv", "dossier-data", "node_modules"];

/// Each crate, and the crates of ours that it may depend on.
const ARROWS: [(&str, &[&str]); 9] = [
    ("domain", &[]),
    ("eventlog", &[]),
    // For tests: nobody depends on it.
    ("kurrentdb-double", &["eventlog"]),
    ("commands", &["domain", "eventlog"]),
    ("projections", &["domain", "eventlog"]),
    ("processes", &["commands", "domain", "eventlog", "projections"]),
    ("api", &["commands", "domain", "eventlog", "processes", "projections"]),
    ("tests", &["api", "commands", "domain", "eventlog", "processes", "projections"]),
    ("simulation", &["commands", "domain", "eventlog", "processes", "projections"]),
];

/// What would bring IO, async or randomness into the domain.
const NOT_IN_THE_DOMAIN: [&str; 10] =
    ["async-trait", "axum", "futures", "getrandom", "metrics", "rand", "reqwest", "sqlx", "tokio", "tracing"];

fn packages() -> Vec<Package> {
    let mut command = MetadataCommand::new();
    command.manifest_path(workspace::root().join("Cargo.toml")).no_deps();
    command.other_options(["--offline".to_owned()]);
    command.exec().expect("cargo metadata").packages
}

fn short(name: &str) -> Option<&str> {
    name.strip_prefix("dossier-")
}

#[test]
fn the_crates_depend_on_each_other_along_the_arrows_only() {
    let allowed: BTreeMap<&str, BTreeSet<&str>> =
        ARROWS.iter().map(|(name, others)| (*name, others.iter().copied().collect())).collect();
    let mut wrong = Vec::new();
    let packages = packages();
    assert_eq!(packages.len(), ARROWS.len(), "a new crate needs its arrows here");
    for package in &packages {
        let name = short(&package.name).expect("a crate of ours");
        let arrows = allowed.get(name).unwrap_or_else(|| panic!("{name} has no arrows here"));
        for dependency in &package.dependencies {
            let Some(other) = short(&dependency.name) else { continue };
            // A test may reach for a neighbour, such as a store in memory; but nobody for the edge.
            let is_test_only =
                dependency.kind == DependencyKind::Development && other != "api" && other != "tests";
            if other != name && !is_test_only && !arrows.contains(other) {
                wrong.push(format!("{name} -> {other}"));
            }
        }
    }
    assert!(wrong.is_empty(), "these arrows are not in the architecture: {wrong:?}");
}

#[test]
fn the_domain_knows_no_io_no_async_and_no_randomness() {
    let packages = packages();
    let domain = packages.iter().find(|package| short(&package.name) == Some("domain")).unwrap();
    let found: Vec<_> = domain
        .dependencies
        .iter()
        .filter(|dependency| dependency.kind != DependencyKind::Development)
        .map(|dependency| dependency.name.as_str())
        .filter(|name| NOT_IN_THE_DOMAIN.contains(name))
        .collect();
    assert!(found.is_empty(), "{found:?}");
    for file in rust_files().iter().filter(|file| file.starts_with(workspace::root().join("domain/src"))) {
        let text = read(file);
        for word in ["async fn", ".await", "std::fs", "std::net", "std::env", "std::thread"] {
            assert!(!text.contains(word), "{} holds {word}", shown(file));
        }
    }
}

#[test]
fn sql_is_written_in_the_stores_only() {
    for file in rust_files() {
        let text = read(&file);
        let homes = ["projections", "eventlog", "processes/src/work_store", "tests"];
        let home = homes.iter().any(|folder| shown(&file).starts_with(folder));
        assert!(home || !text.contains(concat!("sq", "lx::")), "{} speaks to a database", shown(&file));
    }
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
}

fn shown(path: &Path) -> String {
    path.strip_prefix(workspace::root()).unwrap_or(path).display().to_string()
}

/// Every file of the workspace that is text.
fn text_files() -> Vec<PathBuf> {
    let root = workspace::root();
    let mut files = Vec::new();
    for entry in std::fs::read_dir(&root).unwrap().flatten() {
        let name = entry.file_name();
        if NOT_OURS.iter().any(|other| name == *other) {
            continue;
        }
        let path = entry.path();
        if path.is_dir() { files.extend(workspace::files_below(&path)) } else { files.push(path) }
    }
    files.retain(|file| std::fs::read(file).is_ok_and(|bytes| std::str::from_utf8(&bytes).is_ok()));
    assert!(files.len() > 100, "only {} files: looking in the wrong place", files.len());
    files
}

fn rust_files() -> Vec<PathBuf> {
    text_files().into_iter().filter(|file| file.extension().is_some_and(|ending| ending == "rs")).collect()
}

/// The files that hold one of some words, each with its first line that does.
fn holding(files: &[PathBuf], words: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for file in files {
        for (number, line) in read(file).lines().enumerate() {
            if let Some(word) = words.iter().find(|word| line.contains(**word)) {
                found.push(format!("{}:{} {word}", shown(file), number + 1));
            }
        }
    }
    found
}

#[test]
fn no_rust_file_is_longer_than_500_lines() {
    let long: Vec<_> = rust_files()
        .iter()
        .map(|file| (read(file).lines().count(), shown(file)))
        .filter(|(lines, _)| *lines > MAX_LINES)
        .collect();
    assert!(long.is_empty(), "split them where they speak of two things: {long:?}");
}

#[test]
fn nothing_is_left_undone_or_switched_off() {
    // Taken apart, so that this file does not hold them.
    let words = [
        concat!("to", "do!("),
        concat!("unimple", "mented!("),
        concat!("d", "bg!("),
        concat!("#[ig", "nore"),
        concat!("FIX", "ME"),
        concat!("XX", "X:"),
    ];
    let found = holding(&rust_files(), &words);
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn every_rust_file_begins_by_saying_what_it_is() {
    let silent: Vec<_> = rust_files()
        .iter()
        .filter(|file| !read(file).lines().take(3).any(|line| line.starts_with("//! ")))
        .map(|file| shown(file))
        .collect();
    assert!(silent.is_empty(), "{silent:?}");
}

#[test]
fn no_file_names_the_machine_it_was_written_on() {
    let words =
        [concat!("/wo", "rk/"), concat!("/ro", "ot/"), concat!("/ho", "me/"), concat!(".cargo/", "registry")];
    let found = holding(&text_files(), &words);
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn every_dependency_comes_from_the_public_registry() {
    let lock = read(&workspace::root().join("Cargo.lock"));
    let sources: BTreeSet<_> = lock.lines().filter_map(|line| line.strip_prefix("source = ")).collect();
    let public = format!("\"registry+https://github.com/rust-lang/{}-index\"", "crates.io");
    assert_eq!(sources.into_iter().collect::<Vec<_>>(), [public.as_str()]);
    for file in text_files().iter().filter(|file| file.ends_with("config.toml")) {
        assert!(!read(file).contains("[source."), "{} replaces a registry", shown(file));
    }
}
