//! News of a known issue to 10,000 people: how fast the fan-out writes the messages down, and how fast the mailer hands them to
//! a mail server, beside bare lettre loops that send mails of the same content, over one connection and over as many.

use std::collections::BTreeMap;
use std::num::{NonZeroU32, NonZeroUsize};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use dossier_api::edge;
use dossier_commands::{Commands, identity};
use dossier_domain::access::{
    AccessCommand, AddMember, GrantEntitlement, RegisterOrganization, VerifyDomain,
};
use dossier_domain::account::{AccountCommand, OpenAccount, Provisioning, SignIn};
use dossier_domain::address::EmailAddress;
use dossier_domain::case::CaseState;
use dossier_domain::known_issue::{
    ConfirmKnownIssue, CustomerImpact, KnownIssueCommand, MeToo, PostUpdate, PublishKnownIssue,
    SuspectKnownIssue, SuspicionSource,
};
use dossier_domain::{AccountStatus, KnownIssueId, OrganizationId, Personal, PlanId, ProductId, Role};
use dossier_eventlog::{EventStore, Position};
use dossier_processes::notifications::compose::{Composer, MailLinks, sender};
use dossier_processes::notifications::fan_out::{FanOut, NAME};
use dossier_processes::notifications::ledger::{Claimed, IntendedMessage, NotificationLedger};
use dossier_processes::notifications::mailer::{
    Compose, Composed, MailPace, Mailer, OutgoingMail, SmtpServer,
};
use dossier_processes::notifications::templates::Templates;
use dossier_processes::work_store::{SqliteWorkStore, WorkCheckpoint, WorkStore};
use jiff::Timestamp;
use lettre::address::Envelope;
use lettre::message::header::{ContentTransferEncoding, ContentType, HeaderName, HeaderValue};
use lettre::message::{Mailbox, Message, MultiPart, SinglePart};
use lettre::transport::smtp::client::AsyncSmtpConnection;
use lettre::transport::smtp::extension::ClientId;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::Row;
use crate::write_side::World;

const CUSTOMERS: usize = 100;
const PEOPLE_OF_EACH: usize = 100;
const SUBSCRIBERS: usize = CUSTOMERS * PEOPLE_OF_EACH;
const CONNECTIONS: usize = 32;
const SENDER: &str = "Support <support@dossier.example>";

fn compute() -> ProductId {
    ProductId::new("compute").unwrap()
}

fn customer(number: usize) -> OrganizationId {
    OrganizationId::new(&format!("customer-{number}")).unwrap()
}

fn email(customer: usize, person: usize) -> String {
    format!("person-{person}@customer-{customer}.example")
}

/// Customers with a hundred people each.
async fn settle(world: &World) {
    for number in 0..CUSTOMERS {
        let organization = customer(number);
        let mut commands = vec![
            AccessCommand::RegisterOrganization(RegisterOrganization {
                organization: organization.clone(),
                display_name: format!("Customer {number}"),
                country: "FR".to_owned(),
                language: "fr".to_owned(),
                reseller: false,
                technical_contact: None,
            }),
            AccessCommand::VerifyDomain(VerifyDomain { domain: format!("customer-{number}.example") }),
            AccessCommand::GrantEntitlement(GrantEntitlement {
                product: compute(),
                plan: PlanId::new("platinum").unwrap(),
                from: Timestamp::UNIX_EPOCH,
                until: None,
            }),
        ];
        for person in 0..PEOPLE_OF_EACH {
            let actor = world.actor(&email(number, person));
            commands.push(AccessCommand::AddMember(AddMember {
                account: actor.account,
                account_status: AccountStatus::Unknown,
                contact: actor.contact,
                roles: BTreeMap::from([(compute(), Role::Owner)]),
                effective_at: None,
            }));
        }
        for command in commands {
            world.access(organization.as_str(), command).await;
        }
        for person in 0..PEOPLE_OF_EACH {
            open_account(world, &organization, &email(number, person)).await;
        }
    }
}

/// Whoever says that an issue affects them has signed in.
async fn open_account(world: &World, organization: &OrganizationId, email: &str) {
    let actor = world.actor(email);
    let sign_in = SignIn { issuer: "bench".to_owned(), subject: email.to_owned() };
    let open = AccountCommand::Open(OpenAccount {
        provisioning: Provisioning::Directory,
        sign_in: Personal::new(actor.contact.subject().clone(), sign_in),
        contact: actor.contact,
        email: identity::email_key(&world.sealer, &EmailAddress::parse(email).unwrap()),
    });
    let request = world.request("operator@support.example");
    world.commands.account(&request, organization, actor.account, &open).await.unwrap();
}

/// An issue that affects all of them.
async fn issue(world: &World) -> KnownIssueId {
    let engineer = "engineer@support.example";
    let suspect = KnownIssueCommand::Suspect(SuspectKnownIssue {
        product: compute(),
        title: "machines do not start".to_owned(),
        source: SuspicionSource::InternalAlert,
        details: None,
        figures: None,
    });
    let suspected = world.commands.known_issue(&world.request(engineer), None, None, &suspect).await.unwrap();
    let issue = suspected.folded.state.suspected().unwrap().id;
    let statement = "New machines stay in STAGING.".to_owned();
    let confirm = ConfirmKnownIssue { impact: CustomerImpact::High, statement };
    on_issue(world, engineer, None, issue, KnownIssueCommand::Confirm(confirm)).await;
    let publish = PublishKnownIssue { summary: "Machines do not start".to_owned(), outage_url: None };
    on_issue(world, engineer, None, issue, KnownIssueCommand::Publish(publish)).await;
    for number in 0..CUSTOMERS {
        let organization = customer(number);
        for person in 0..PEOPLE_OF_EACH {
            let me_too = KnownIssueCommand::MeToo(Box::new(MeToo {
                case: CaseState::default(),
                priority: None,
                language: "fr".to_owned(),
                time_zone: None,
                description: None,
            }));
            on_issue(world, &email(number, person), Some(&organization), issue, me_too).await;
        }
    }
    issue
}

async fn on_issue(
    world: &World,
    who: &str,
    speaks_for: Option<&OrganizationId>,
    issue: KnownIssueId,
    command: KnownIssueCommand,
) {
    world.commands.known_issue(&world.request(who), speaks_for, Some(issue), &command).await.unwrap();
}

async fn head(store: &Arc<dyn EventStore>) -> WorkCheckpoint {
    let position = store.head().await.unwrap();
    let last = store.read_all(Position(position.0 - 1), 1).await.unwrap();
    WorkCheckpoint { log_id: store.log_id(), position, event_id: Some(last[0].event_id) }
}

async fn work_store(path: &Path) -> Arc<SqliteWorkStore> {
    Arc::new(SqliteWorkStore::open(path).await.unwrap())
}

pub(crate) async fn rows() {
    let world = World::new().await;
    settle(&world).await;
    let issue = issue(&world).await;
    let work = work_store(&world.folder.path().join("work.db")).await;
    let before = head(&world.store).await;
    work.advance(NAME, None, &before).await.unwrap();
    let text = "We have found the cause and start the machines of one zone after the other.".to_owned();
    let update = KnownIssueCommand::PostUpdate(PostUpdate { text });
    on_issue(&world, "engineer@support.example", None, issue, update).await;
    let after = head(&world.store).await;

    // A process that has just started: nothing is remembered.
    let commands = world.cold();
    let stop = CancellationToken::new();
    let mut tasks = JoinSet::new();
    let started = Instant::now();
    let fan_out = FanOut {
        store: world.store.clone(),
        work: work.clone(),
        commands: commands.clone(),
        organizations: None,
        clock: edge::clock(),
        node: "bench".to_owned(),
    };
    let mut status = fan_out.start(&stop, &mut tasks);
    status.wait_for(|status| status.position >= after.position).await.unwrap();
    let ours = SUBSCRIBERS as f64 / started.elapsed().as_secs_f64();
    stop.cancel();
    tasks.join_all().await;
    let entries = work.messages_of(&format!("known_issue-{issue}")).await.unwrap();
    let messages: Vec<IntendedMessage> = entries.into_iter().map(|entry| entry.message).collect();
    assert_eq!(messages.len(), SUBSCRIBERS);
    let other = work_store(&world.folder.path().join("other.db")).await;
    other.advance(NAME, None, &before).await.unwrap();
    let started = Instant::now();
    other.intend(NAME, &before, &after, &messages).await.unwrap();
    let raw = SUBSCRIBERS as f64 / started.elapsed().as_secs_f64();
    Row::new("notify: one update to 10,000 subscribers, written down", ours, "rows/s")
        .note(format!("the ledger alone {raw:.0} rows/s"))
        .print();

    let composer = Arc::new(composer(&commands));
    let first = messages[0].clone();
    let sample = Claimed { attempt: 1, tries: 1, trying_since: first.intended_at, message: first };
    let Composed::Mail(sample) = composer.compose(&sample).await.unwrap() else {
        panic!("nothing forbids it")
    };
    let sink = Sink::start();
    let one = bare_loop(&sink, &sample, 1).await;
    let bare = bare_loop(&sink, &sample, CONNECTIONS).await;
    let mailed = mailed(&sink, &work, composer).await;
    Row::new(format!("notify: mails, {CONNECTIONS} connections beside a loop over one"), mailed, "mails/s")
        .beside(one, 0.7)
        .print();
    Row::new(
        format!("notify: mails, {CONNECTIONS} connections beside loops over as many"),
        mailed,
        "mails/s",
    )
    .beside(bare, 0.7)
    .print();
}

fn composer(commands: &Arc<Commands>) -> Composer {
    let links = MailLinks {
        public_url: "https://support.dossier.example".to_owned(),
        frontend_url: Some("https://www.dossier.example".to_owned()),
    };
    Composer::new(commands.clone(), None, Arc::new(Templates::built_in()), links)
}

/// Sends what the ledger has; answers how many mails a second until the ledger knows that all are sent.
async fn mailed(sink: &Sink, work: &Arc<SqliteWorkStore>, composer: Arc<Composer>) -> f64 {
    let before = *sink.accepted.borrow();
    let stop = CancellationToken::new();
    let mut tasks = JoinSet::new();
    let started = Instant::now();
    let mailer = Mailer {
        work: work.clone(),
        compose: composer,
        server: SmtpServer::parse(&format!("smtp://{}", sink.address)).unwrap(),
        from: sender(SENDER).unwrap(),
        clock: edge::clock(),
        entropy: edge::entropy(),
        node: "bench".to_owned(),
        pace: MailPace {
            per_second: NonZeroU32::new(1_000_000).unwrap(),
            connections: NonZeroUsize::new(CONNECTIONS).unwrap(),
            ..MailPace::default()
        },
    };
    let _status = mailer.start(&stop, &mut tasks);
    let mut accepted = sink.accepted.clone();
    accepted.wait_for(|accepted| *accepted >= before + SUBSCRIBERS).await.unwrap();
    while !work.message_counts().await.unwrap().is_empty() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let rate = SUBSCRIBERS as f64 / started.elapsed().as_secs_f64();
    stop.cancel();
    tasks.join_all().await;
    assert_eq!(*sink.accepted.borrow(), before + SUBSCRIBERS, "each once");
    rate
}

/// The same number of mails with the same headers and parts, put together and sent by lettre alone.
async fn bare_loop(sink: &Sink, sample: &OutgoingMail, connections: usize) -> f64 {
    let sample = Arc::new(sample.clone());
    let started = Instant::now();
    let mut tasks = JoinSet::new();
    for connection in 0..connections {
        let (sample, address) = (sample.clone(), sink.address.clone());
        tasks.spawn(async move {
            let stream = TcpStream::connect(address).await.unwrap();
            stream.set_nodelay(true).unwrap();
            let hello = ClientId::Domain("dossier.example".to_owned());
            let mut smtp =
                AsyncSmtpConnection::connect_with_transport(Box::new(stream), &hello).await.unwrap();
            for number in (connection..SUBSCRIBERS).step_by(connections) {
                let (envelope, content) = written(&sample, number);
                smtp.send(&envelope, &content).await.unwrap();
            }
            smtp.quit().await.unwrap();
        });
    }
    tasks.join_all().await;
    SUBSCRIBERS as f64 / started.elapsed().as_secs_f64()
}

/// A mail like the mailer's.
fn written(sample: &OutgoingMail, number: usize) -> (Envelope, Vec<u8>) {
    let from: Mailbox = SENDER.parse().unwrap();
    let to = Mailbox::new(sample.to_name.clone(), sample.to.parse().unwrap());
    let raw = |name, value: &str| HeaderValue::new(HeaderName::new_from_ascii_str(name), value.to_owned());
    let part = |kind, text: &str| {
        SinglePart::builder()
            .header(kind)
            .header(ContentTransferEncoding::QuotedPrintable)
            .body(text.to_owned())
    };
    let url = format!("<{}>", sample.unsubscribe_url.as_deref().unwrap_or_default());
    let unsubscribe = HeaderName::new_from_ascii_str("List-Unsubscribe");
    let thread = "<known_issue-0123456789@dossier.example>".to_owned();
    let message = Message::builder()
        .from(from.clone())
        .to(to.clone())
        .date(SystemTime::UNIX_EPOCH)
        .message_id(Some(format!("<{number:036}@dossier.example>")))
        .in_reply_to(thread.clone())
        .references(thread)
        .subject(sample.rendered.subject.clone())
        .raw_header(raw("Auto-Submitted", "auto-generated"))
        .raw_header(raw("X-Auto-Response-Suppress", "All"))
        .raw_header(raw("Content-Language", &sample.rendered.language))
        .raw_header(HeaderValue::dangerous_new_pre_encoded(unsubscribe, url.clone(), url))
        .raw_header(raw("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"))
        .multipart(
            MultiPart::alternative()
                .boundary(format!("=_{number:036}"))
                .singlepart(part(ContentType::TEXT_PLAIN, &sample.rendered.text))
                .singlepart(part(ContentType::TEXT_HTML, &sample.rendered.html)),
        )
        .unwrap();
    (Envelope::new(Some(from.email), vec![to.email]).unwrap(), message.formatted())
}

/// A mail server that accepts everything and keeps nothing, on a thread of its own.
struct Sink {
    address: String,
    /// How many mails it has accepted.
    accepted: watch::Receiver<usize>,
}

impl Sink {
    fn start() -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (count, accepted) = watch::channel(0);
        let count = Arc::new(count);
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let listener = TcpListener::from_std(listener).unwrap();
                loop {
                    let (stream, _) = listener.accept().await.unwrap();
                    tokio::spawn(converse(stream, count.clone()));
                }
            });
        });
        Self { address, accepted }
    }
}

async fn converse(stream: TcpStream, count: Arc<watch::Sender<usize>>) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut stream = BufReader::with_capacity(64 * 1024, stream);
    stream.write_all(b"220 sink\r\n").await?;
    let (mut line, mut in_content) = (Vec::new(), false);
    loop {
        line.clear();
        if stream.read_until(b'\n', &mut line).await? == 0 {
            return Ok(());
        }
        let answer: &[u8] = match (in_content, line.as_slice()) {
            (true, b".\r\n") => {
                in_content = false;
                count.send_modify(|count| *count += 1);
                b"250 accepted\r\n"
            }
            (true, _) => continue,
            (false, b"DATA\r\n") => {
                in_content = true;
                b"354 go on\r\n"
            }
            (false, b"QUIT\r\n") => {
                stream.write_all(b"221 bye\r\n").await?;
                return Ok(());
            }
            (false, _) => b"250 ok\r\n",
        };
        stream.write_all(answer).await?;
    }
}
