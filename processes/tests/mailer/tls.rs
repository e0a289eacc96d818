//! Mails over TLS: what protects them, and whom the mailer believes. It believes the certificates of the system, or of the file
//! that `SSL_CERT_FILE` names; the environment is a process's own, so that the mailers here are processes.

use std::path::{Path, PathBuf};
use std::process::Command;

use dossier_processes::notifications::ledger::MessageState;
use tempfile::TempDir;

use crate::kill;
use crate::rig::{self, Rig, Status, Words, settled, wait_until};
use crate::smtp::MailServer;

/// What a certificate is made from: a server's own, which vouches for itself.
const REQUEST: &str = "[req]
distinguished_name = name
[name]
[server]
subjectAltName = IP:127.0.0.1
basicConstraints = critical, CA:FALSE
";

/// A certificate for this machine, and its key.
struct Identity {
    folder: TempDir,
}

impl Identity {
    fn new() -> Self {
        let identity = Self { folder: tempfile::tempdir().unwrap() };
        let request = identity.folder.path().join("request");
        std::fs::write(&request, REQUEST).unwrap();
        let mut command = Command::new("openssl");
        command.args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]);
        command
            .args(["-subj", "/CN=mail.test", "-days", "2", "-extensions", "server", "-config"])
            .arg(request);
        command.arg("-out").arg(identity.certificate()).arg("-keyout").arg(identity.key());
        let output = command.output().expect("openssl is installed: run `deploy/install-test-requirements`");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        identity
    }

    fn certificate(&self) -> PathBuf {
        self.folder.path().join("certificate.pem")
    }

    fn key(&self) -> PathBuf {
        self.folder.path().join("key.pem")
    }

    /// A mail server that shows it, `--starttls` or `--tls`, and takes mail only of who signs in.
    async fn server(&self, protection: &str) -> MailServer {
        let [certificate, key] = [self.certificate(), self.key()].map(|path| path.display().to_string());
        MailServer::start_with(&[protection, &certificate, &key, "--sign-in", "dossier", "right"]).await
    }
}

fn by_starttls(server: &MailServer) -> String {
    format!("smtp://dossier:right@127.0.0.1:{}?tls=required", server.port)
}

fn wrapped(server: &MailServer) -> String {
    format!("smtps://dossier:right@127.0.0.1:{}", server.port)
}

/// Whether a mailer that believes a certificate has one mail taken.
async fn delivers(url: &str, believed: &Path) {
    let folder = tempfile::tempdir().unwrap();
    let ledger = folder.path().join("work.db");
    let work = rig::store(&ledger).await;
    rig::intend(&*work, 1).await;
    let mut mailer = kill::mailer(&ledger, url, 0).env("SSL_CERT_FILE", believed).spawn().unwrap();
    let entries = wait_until(&*work, |entries| entries.iter().all(settled)).await;
    mailer.kill().await.unwrap();
    assert_eq!(entries[0].state, MessageState::Sent, "{entries:?}");
}

/// Waits until a mailer with the system's certificates has said why it does not send, and answers the steps that it took.
async fn refuses(url: &str, server: &mut MailServer, because: &str) -> Vec<String> {
    let mut rig = Rig::start(url, 1, Words::default(), |_| ()).await;
    let told = |status: &Status| status.last_error.as_ref().is_some_and(|why| why.contains(because));
    let waiting = tokio::time::timeout(rig::PATIENCE, rig.status.wait_for(told)).await.is_ok();
    assert!(waiting, "{url}: {:?}", rig.status.borrow());
    rig.stop().await;
    let entries = rig::entries(&*rig.work).await;
    assert_eq!((entries[0].state, entries[0].attempts.len()), (MessageState::Intended, 0), "it is kept");
    assert!(server.mails().is_empty());
    server.steps()
}

#[tokio::test]
async fn mails_go_over_tls_to_a_server_that_is_believed() {
    let identity = Identity::new();
    for (protection, url) in [("--starttls", by_starttls as fn(&MailServer) -> String), ("--tls", wrapped)] {
        let mut server = identity.server(protection).await;
        delivers(&url(&server), &identity.certificate()).await;
        let steps = server.steps();
        for step in ["AUTH+TLS", "MAIL+TLS", "CONTENT+TLS"] {
            assert!(steps.iter().any(|taken| taken.starts_with(step)), "{step}: {steps:?}");
        }
        let in_clear = |step: &&String| !step.contains("+TLS");
        assert!(steps.iter().filter(in_clear).all(|step| step == "CONNECT"), "nothing in clear: {steps:?}");
        assert_eq!(server.mails().len(), 1);
    }
}

#[tokio::test]
async fn to_a_server_without_tls_nothing_is_sent_where_tls_is_required() {
    let mut server = MailServer::start_for("dossier", "right").await;
    let steps = refuses(&by_starttls(&server), &mut server, "does not offer STARTTLS").await;
    assert!(steps.iter().all(|step| step == "CONNECT"), "neither mail nor password: {steps:?}");
}

#[tokio::test]
async fn to_a_server_that_is_not_believed_nothing_is_sent() {
    let identity = Identity::new();
    let mut server = identity.server("--starttls").await;
    let opportunistic = by_starttls(&server).replace("required", "opportunistic");
    for url in [by_starttls(&server), opportunistic] {
        let steps = refuses(&url, &mut server, "certificate").await;
        assert!(steps.iter().all(|step| step == "CONNECT"), "neither mail nor password: {steps:?}");
    }
    let mut server = identity.server("--tls").await;
    let steps = refuses(&wrapped(&server), &mut server, "certificate").await;
    assert!(steps.iter().all(|step| step.starts_with("CONNECT")), "{steps:?}");
}
