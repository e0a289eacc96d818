//! A reseller's list across all its customers, beside the bare query of the same page on the same file.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use dossier_domain::access::{
    AccessCommand, AddMember, AllowResellerAccess, GrantEntitlement, RegisterOrganization,
    TransferManagement, VerifyDomain,
};
use dossier_domain::{AccountStatus, OrganizationId, PlanId, ProductId, Role, VisibilityScope};
use dossier_eventlog::{InProcessBus, Position};
use dossier_projections::cases::{CaseCondition, CaseQueries};
use dossier_projections::{LogFollower, ReadLocation, ReadModels};
use jiff::Timestamp;
use rusqlite::{Connection, OpenFlags, params};
use tokio_util::sync::CancellationToken;

use crate::load::rate;
use crate::write_side::World;
use crate::{ROUND, Row};

const CUSTOMERS: u64 = 1_000;
const CASES: u64 = 100_000;
/// Who asks at the same time.
const CALLERS: u64 = 4;
/// Filings in flight while the data are made.
const IN_FLIGHT: u64 = 64;

const NINA: &str = "nina@nimbus.example";

fn organization(name: &str) -> OrganizationId {
    OrganizationId::new(name).unwrap()
}

fn compute() -> ProductId {
    ProductId::new("compute").unwrap()
}

/// Lists a reseller's cases across 1,000 customers and 100,000 cases.
pub(crate) async fn list() {
    let world = Arc::new(World::new().await);
    tell(&world).await;
    let location = world.folder.path().join("read.db");
    let follower = LogFollower {
        store: world.store.clone(),
        bus: Arc::new(InProcessBus::new(1_024)),
        sealer: world.sealer.clone(),
    };
    let models = Arc::new(ReadModels::open(&ReadLocation::sqlite(&location), follower).await.unwrap());
    let stop = CancellationToken::new();
    let _running = models.start(&stop);
    let head = world.store.head().await.unwrap();
    models.wait_for(head, Duration::from_mins(10)).await.unwrap();
    for limit in [10, 50] {
        let raw = raw_pages_per_second(&location, head, limit);
        let pages = pages_per_second(&world, &models, head, limit).await;
        Row::new(
            format!("reseller's list, {CUSTOMERS} customers, {CASES} cases, {limit} a page"),
            pages,
            "pages/s",
        )
        .beside(raw, 0.5)
        .print();
    }
    stop.cancel();
}

/// As a request does: no older than the log's head, within the reseller's scope.
async fn pages_per_second(world: &Arc<World>, models: &Arc<ReadModels>, head: Position, limit: u32) -> f64 {
    let queries = CaseQueries::new(models.database().clone());
    let scope = Arc::new(VisibilityScope::Reseller {
        reseller: organization("nimbus"),
        customer: None,
        products: BTreeSet::from([compute()]),
    });
    let (world, models) = (world.clone(), models.clone());
    rate(CALLERS, move |caller, number| {
        let (world, models, queries, scope) = (world.clone(), models.clone(), queries.clone(), scope.clone());
        async move {
            let now = world.store.head().await.unwrap();
            models.wait_for_visibility(now, Duration::from_secs(1)).await.unwrap();
            let before = somewhere(caller, number, head);
            let page =
                queries.list(&scope, None, &CaseCondition::anything(), Some(before), limit).await.unwrap();
            assert_eq!(page.cases.len(), limit as usize);
        }
    })
    .await
}

/// The bare query, on as many connections.
fn raw_pages_per_second(path: &Path, head: Position, limit: u32) -> f64 {
    let done = AtomicU64::new(0);
    let started = Instant::now();
    std::thread::scope(|scope| {
        for caller in 0..CALLERS {
            let done = &done;
            scope.spawn(move || {
                let file = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
                let mut page = file
                    .prepare(
                        "SELECT * FROM cases WHERE manager = ?1 AND product = ?2 AND sequence < ?3
                         ORDER BY sequence DESC LIMIT ?4",
                    )
                    .unwrap();
                let columns = page.column_count();
                for number in 0.. {
                    if started.elapsed() >= ROUND {
                        break;
                    }
                    let before = somewhere(caller, number, head);
                    let mut rows = page.query(params!["nimbus", "compute", before, limit + 1]).unwrap();
                    let mut read = 0;
                    while let Some(row) = rows.next().unwrap() {
                        for column in 0..columns {
                            std::hint::black_box(row.get::<_, rusqlite::types::Value>(column).unwrap());
                        }
                        read += 1;
                    }
                    assert_eq!(read, limit + 1);
                    done.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
    });
    done.load(Ordering::Relaxed) as f64 / started.elapsed().as_secs_f64()
}

/// A place in the second half of the log, where the cases are, another one each time.
fn somewhere(caller: u64, number: u64, head: Position) -> i64 {
    let half = head.0 / 2;
    let step = (caller << 32 | number).wrapping_mul(0x9e37_79b9_7f4a_7c15) % half;
    i64::try_from(half + step).unwrap()
}

/// The customers of nimbus, each of which lets it in, and what nina files for them.
async fn tell(world: &Arc<World>) {
    let nina = world.actor(NINA);
    world.access("nimbus", register("nimbus", true)).await;
    world
        .access("nimbus", AccessCommand::VerifyDomain(VerifyDomain { domain: "nimbus.example".to_owned() }))
        .await;
    world.access("nimbus", entitle()).await;
    let add = AddMember {
        account: nina.account,
        account_status: AccountStatus::Unknown,
        contact: nina.contact,
        roles: BTreeMap::from([(compute(), Role::Owner)]),
        effective_at: None,
    };
    world.access("nimbus", AccessCommand::AddMember(add)).await;
    at_once(CUSTOMERS, world, |world, number| async move {
        let name = format!("customer-{number}");
        world.access(&name, register(&name, false)).await;
        world.access(&name, entitle()).await;
        let transfer = TransferManagement { manager: Some(organization("nimbus")) };
        world.access(&name, AccessCommand::TransferManagement(transfer)).await;
        let allow = AllowResellerAccess { reseller: organization("nimbus") };
        world.access(&name, AccessCommand::AllowResellerAccess(allow)).await;
    })
    .await;
    at_once(CASES, world, |world, number| async move {
        let customer = organization(&format!("customer-{}", number % CUSTOMERS));
        world.file_for(NINA, &organization("nimbus"), &customer).await;
    })
    .await;
}

/// Does something for each number, many at the same time.
async fn at_once<F, Fut>(count: u64, world: &Arc<World>, act: F)
where
    F: Fn(Arc<World>, u64) -> Fut + Clone + Send + 'static,
    Fut: Future<Output = ()> + Send,
{
    let next = Arc::new(AtomicU64::new(0));
    let tasks: Vec<_> = (0..IN_FLIGHT)
        .map(|_| {
            let (world, next, act) = (world.clone(), next.clone(), act.clone());
            tokio::spawn(async move {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= count {
                        break;
                    }
                    act(world.clone(), number).await;
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
}

fn register(name: &str, reseller: bool) -> AccessCommand {
    AccessCommand::RegisterOrganization(RegisterOrganization {
        organization: organization(name),
        display_name: name.to_owned(),
        country: "FR".to_owned(),
        language: "fr".to_owned(),
        reseller,
        technical_contact: None,
    })
}

fn entitle() -> AccessCommand {
    AccessCommand::GrantEntitlement(GrantEntitlement {
        product: compute(),
        plan: PlanId::new("gold").unwrap(),
        from: Timestamp::UNIX_EPOCH,
        until: None,
    })
}
