//! What configuration is read, and how a bad value is refused.

use std::io;

use clap::{CommandFactory as _, Parser as _};
use jiff::SignedDuration;
use proptest::prelude::*;

use super::cli::SettingsArgs;
use super::*;

fn flags(line: &str) -> SettingsArgs {
    let words = ["dossier", "serve"].into_iter().chain(line.split_whitespace());
    match Cli::try_parse_from(words).unwrap().command {
        Command::Serve(flags) => flags,
        other => panic!("{other:?}"),
    }
}

pub(super) fn resolve(
    line: &str,
    environment: &[(&str, &str)],
    file: Option<&str>,
) -> Result<Settings, ConfigError> {
    let lookup =
        |name: &str| environment.iter().find(|(key, _)| *key == name).map(|(_, text)| (*text).to_owned());
    let read = |path: &Path| match file {
        Some(text) if path == Path::new("d.toml") => Ok(text.to_owned()),
        _ => Err(io::Error::from(io::ErrorKind::NotFound)),
    };
    Settings::resolve(&flags(line), lookup, read)
}

fn sentence(line: &str, environment: &[(&str, &str)], file: Option<&str>) -> String {
    let sentence = resolve(line, environment, file).expect_err(line).to_string();
    assert!(!sentence.contains('\n'), "{sentence}");
    sentence
}

/// The flags are refused, and the sentence holds all of these.
pub(super) fn refused(line: &str, says: &[&str]) {
    let sentence = sentence(line, &[], None);
    for said in says {
        assert!(sentence.contains(said), "{line}: {sentence:?} lacks {said:?}");
    }
}

#[test]
fn the_command_line_is_sound() {
    Cli::command().debug_assert();
}

#[test]
fn every_key_has_a_flag_and_a_variable_in_the_help() {
    let mut command = Cli::command();
    let help = command.find_subcommand_mut("serve").unwrap().render_long_help().to_string();
    for key in layers::KEYS {
        assert!(help.contains(&format!("--{}", layers::kebab(key))), "{key}");
        assert!(help.contains(&format!("[env: {}]", layers::variable(key))), "{key}");
        let line = format!("--{}=x", layers::kebab(key));
        assert_eq!(flags(&line).get(key), Some("x"), "{key}");
    }
}

#[test]
fn dev_needs_nothing_else() {
    let settings = resolve("--dev", &[], None).unwrap();
    assert!(settings.is_dev());
    assert_eq!(settings.listen.to_string(), DEFAULT_LISTEN);
    assert_eq!(settings.data, Path::new("./dossier-data"));
    assert_eq!(settings.engines.event_store, EventStore::Sqlite("./dossier-data/events.db".into()));
    assert_eq!(settings.engines.read_model, ReadModel::Sqlite("./dossier-data/read.db".into()));
    assert_eq!(settings.blobs, Blobs::Directory("./dossier-data/blobs".into()));
    assert_eq!((settings.log.as_str(), settings.log_format), ("info", LogFormat::Text));
    assert_eq!(settings.max_body_bytes, 1_048_576);
    assert_eq!(settings.request_timeout, Duration::from_secs(30));
    assert_eq!(settings.catalogue, None);
}

#[test]
fn flags_count_before_variables_and_these_before_the_file() {
    let file = Some("data = \"file\"\nlog = \"file=info\"\ncatalogue = \"file\"\ndev = true\n");
    let environment = [("DOSSIER_DATA", "env"), ("DOSSIER_LOG", "env=info"), ("DOSSIER_CONFIG", "d.toml")];
    let settings = resolve("--data flag", &environment, file).unwrap();
    assert_eq!(settings.data, Path::new("flag"));
    assert_eq!(settings.log, "env=info");
    assert_eq!(settings.catalogue.as_deref(), Some(Path::new("file")));
    assert!(settings.is_dev());
    assert!(
        !resolve("--dev=false --oidc-issuer https://i --oidc-audience a", &environment, file)
            .unwrap()
            .is_dev()
    );
}

#[test]
fn an_empty_variable_is_an_unset_one() {
    assert!(resolve("--dev", &[("DOSSIER_SMTP_URL", ""), ("DOSSIER_LISTEN", "")], None).is_ok());
}

#[test]
fn the_file_may_use_numbers_and_lists() {
    let file = "max_body_bytes = 2097152\nrequest_timeout = 5\noidc_issuer = \"https://i.example\"\n\
                oidc_audience = [\"a\", \"b\"]\noidc_staff_claim = \"groups\"\nlog_format = \"json\"\nlisten = \"[::1]:0\"\n";
    let settings = resolve("--config d.toml", &[], Some(file)).unwrap();
    assert_eq!((settings.max_body_bytes, settings.request_timeout), (2_097_152, Duration::from_secs(5)));
    assert_eq!(settings.log_format, LogFormat::Json);
    assert_eq!(
        settings.sign_in,
        SignIn::OpenId {
            issuer: "https://i.example".into(),
            audiences: vec!["a".into(), "b".into()],
            staff_claim: "groups".into()
        }
    );
}

#[test]
fn a_file_that_cannot_be_used_is_named() {
    let of = |file| sentence("--config d.toml", &[], Some(file));
    assert!(
        of("lissten = \"x\"\n")
            .contains("d.toml has the key lissten, which is unknown; the keys are listen,")
    );
    assert!(of("config = \"x\"\n").contains("unknown"));
    assert!(of("dev = true\nlog = \n").contains("line 2 of d.toml is not TOML"));
    assert!(of("[log]\nx = 1\n").contains("log in d.toml is a table"));
    assert!(of("dev = 1.5\n").contains("dev in d.toml is a float"));
    assert!(of("listen = \"x\"\ndev = true\n").contains("listen in d.toml is \"x\""));
    assert!(
        sentence("--config other.toml", &[], None)
            .starts_with("--config is \"other.toml\", and cannot be read")
    );
}

#[test]
fn a_bad_value_is_refused_by_key_value_and_remedy() {
    refused("--dev --listen here", &["--listen is \"here\"", "127.0.0.1:8080"]);
    refused("--dev=perhaps", &["--dev is \"perhaps\"", "true or false"]);
    refused("--dev --log a=b=c", &["--log is \"a=b=c\"", "info"]);
    refused("--dev --log-format xml", &["--log-format is \"xml\"", "text or json"]);
    for size in ["0", "-1", "10", "1TiB", "x", "2000MiB"] {
        refused(&format!("--dev --max-body-bytes={size}"), &["--max-body-bytes", size, "1MiB"]);
    }
    for time in ["0s", "-5s", "11m", "soon", "+5"] {
        refused(&format!("--dev --request-timeout={time}"), &["--request-timeout", time, "30s"]);
    }
    assert!(sentence("--dev", &[("DOSSIER_LISTEN", "x")], None).starts_with("DOSSIER_LISTEN is \"x\""));
    assert!(resolve("--dev --max-body-bytes 2MiB --request-timeout 1m30s", &[], None).is_ok());
}

#[test]
fn dev_listens_on_loopback_only() {
    for address in ["0.0.0.0:8080", "192.168.1.2:80", "[::]:8080"] {
        refused(&format!("--dev --listen {address}"), &["--listen", address, "loopback", "127.0.0.1:8080"]);
    }
    for address in ["127.0.0.1:0", "localhost:9000", "[::1]:8080"] {
        assert!(resolve(&format!("--dev --listen {address}"), &[], None).is_ok(), "{address}");
    }
    let open = "--listen 0.0.0.0:8080 --oidc-issuer https://i.example --oidc-audience a";
    assert!(resolve(open, &[], None).is_ok());
}

#[test]
fn without_dev_an_issuer_and_an_audience_are_needed() {
    refused("", &["oidc_issuer is not set", "--oidc-issuer", "DOSSIER_OIDC_ISSUER", "--dev"]);
    refused("--oidc-issuer https://i.example", &["oidc_audience is not set", "DOSSIER_OIDC_AUDIENCE"]);
    for issuer in ["i.example", "ftp://i.example", "https://", "https://i?x"] {
        refused(
            &format!("--oidc-audience a --oidc-issuer {issuer}"),
            &["--oidc-issuer", issuer, "http(s) URL"],
        );
    }
    refused("--oidc-issuer https://i --oidc-audience a,,b", &["--oidc-audience", "empty"]);
    refused(
        "--dev --oidc-issuer https://i.example",
        &["--oidc-issuer", "--dev signs in with its own issuer"],
    );
}

#[test]
fn a_store_that_is_not_known_is_refused_with_what_is() {
    refused(
        "--dev --event-store-url mysql://h",
        &["no store that is known", "sqlite:PATH", "postgres://", "kurrentdb://"],
    );
    refused("--dev --event-store-url postgres://", &["names no server"]);
    refused("--dev --read-model-url kurrentdb://h", &["no store that is known", "postgres://"]);
    refused("--dev --bus-url kafka://h", &["no bus that is known", "nats://HOST:4222"]);
    refused("--dev --bus-url nats://", &["no bus that is known"]);
    refused("--dev --blobs-url s3://", &["no bucket", "s3://BUCKET"]);
    let bucket = resolve("--dev --blobs-url s3://bucket/prefix", &[], None).unwrap().blobs;
    assert_eq!(bucket.url(), "s3://bucket/prefix");
    refused("--dev --blobs-url /tmp/x", &["file:PATH"]);
    refused("--dev --lost-work-store maybe", &["begin-at-head"]);
    refused("--dev --node a/b", &["no name for a process", "api-1"]);
    for url in ["sqlite:", "sqlite::memory:", "sqlite://", "sqlite:a?mode=ro", "/tmp/x.db"] {
        refused(&format!("--dev --event-store-url {url}"), &["--event-store-url", url, "sqlite:PATH"]);
    }
    refused("--dev --event-store-url sqlite:a --read-model-url sqlite:a", &["both name a"]);
    refused(
        "--dev --event-store-url sqlite:a --work-store-url sqlite:keys.db",
        &["key_store_url", "work_store_url"],
    );
}

#[test]
fn what_is_not_given_lies_beside_what_is() {
    let engines = |line: &str| resolve(line, &[], None).unwrap().engines;
    let embedded = engines("--dev --data /d --event-store-url sqlite:/a/e.db --bus-url in-process:");
    assert_eq!(embedded.event_store, EventStore::Sqlite("/a/e.db".into()));
    assert_eq!(embedded.key_store, KeyStore::Sqlite("/a/keys.db".into()));
    assert_eq!(embedded.read_model, ReadModel::Sqlite("/d/read.db".into()));
    assert_eq!(embedded.work_store, WorkStore::Sqlite("/d/work.db".into()));
    assert_eq!(embedded.bus, Bus::InProcess);
    let fleet = engines(
        "--dev --event-store-url postgresql://log/d --read-model-url postgres://read/d --bus-url nats://n",
    );
    assert_eq!(fleet.key_store, KeyStore::Postgres("postgresql://log/d".into()));
    assert_eq!(fleet.work_store, WorkStore::Postgres("postgres://read/d".into()));
    assert_eq!(fleet.bus, Bus::Nats("nats://n".into()));
}

#[test]
fn the_older_name_of_kurrentdb_is_the_same() {
    let line = "--dev --event-store-url esdb+discover://h:2113?tls=false --key-store-url postgres://k/d";
    let store = resolve(line, &[], None).unwrap().engines.event_store;
    assert_eq!(store, EventStore::Kurrentdb("kurrentdb+discover://h:2113?tls=false".into()));
    refused("--dev --event-store-url kurrentdb://h", &["key_store_url is not set", "DOSSIER_KEY_STORE_URL"]);
}

#[test]
fn a_password_in_a_url_is_not_repeated() {
    let sentence = sentence("--dev --event-store-url mysql://dossier:secret@h/d", &[], None);
    assert!(sentence.contains("mysql://…") && !sentence.contains("secret"), "{sentence}");
}

#[test]
fn the_embedded_profile_runs_all_roles() {
    for roles in ["all", "api,relay,projectors,processes", "processes,api,relay,projectors"] {
        assert!(resolve(&format!("--dev --roles {roles}"), &[], None).is_ok(), "{roles}");
    }
    refused("--dev --roles api", &["--roles is \"api\"", "embedded profile", "use all"]);
    let log = "--dev --roles api --event-store-url postgres://h/d";
    refused(log, &["read models", "one process"]);
    let read = format!("{log} --read-model-url postgres://h/d");
    refused(&read, &["the bus inside the process"]);
    refused(&format!("{read} --bus-url nats://n --key-store-url sqlite:k"), &["keys in SQLite"]);
    let fleet = resolve(&format!("{read} --bus-url nats://n"), &[], None).unwrap();
    assert_eq!(fleet.roles.names(), ["api"]);
    refused("--dev --roles api,cook", &["cook is no role", "api,relay,projectors,processes"]);
}

#[test]
fn the_other_commands_are_read() {
    let parse = |line: &str| Cli::try_parse_from(line.split_whitespace()).map(|cli| cli.command);
    match parse("dossier token --email a@b").unwrap() {
        Command::Token(token) => {
            assert_eq!((token.email.as_str(), token.ttl), ("a@b", SignedDuration::from_hours(8)));
        }
        other => panic!("{other:?}"),
    }
    match parse("dossier replay case-1 --at 2026-01-31T09:00:00Z --data d").unwrap() {
        Command::Replay(replay) => assert!(replay.at.is_some() && replay.data.is_some()),
        other => panic!("{other:?}"),
    }
    assert!(matches!(parse("dossier rebuild --all").unwrap(), Command::Rebuild(args) if args.all));
    assert!(
        parse("dossier rebuild --all --data d").is_ok() && parse("dossier rebuild cases --data d").is_ok()
    );
    assert!(
        matches!(parse("dossier schemas").unwrap(), Command::Schemas(args) if args.out == Path::new("schemas"))
    );
    assert!(matches!(parse("dossier check-config --dev").unwrap(), Command::CheckConfig(_)));
    for wrong in [
        "rebuild",
        "rebuild cases --all",
        "token",
        "token --email a@b --ttl 0s",
        "token --email a@b --ttl 9000h",
        "replay",
        "replay case-1 --at yesterday",
    ] {
        assert!(parse(&format!("dossier {wrong}")).is_err(), "{wrong}");
    }
}

#[test]
fn the_data_directory_follows_the_same_order() {
    let environment = |name: &str| (name == "DOSSIER_DATA").then(|| "env".to_owned());
    assert_eq!(data_directory(Some(Path::new("flag")), environment), Path::new("flag"));
    assert_eq!(data_directory(None, environment), Path::new("env"));
    assert_eq!(data_directory(None, |_| None), Path::new(DEFAULT_DATA));
}

proptest! {
    #[test]
    fn no_file_and_no_value_makes_the_reader_panic(file in "(\\PC|\n|=|\"|\\[|listen|dev){0,40}", value in "\\PC{0,20}") {
        let _ = resolve("--config d.toml", &[], Some(&file));
        for key in layers::KEYS {
            let variable = layers::variable(key);
            let _ = resolve("--dev", &[(&variable, &value)], None);
        }
    }
}
