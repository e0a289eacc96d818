//! Acting for a reseller, however stale the node.

use super::*;

/// R-RES-1, R-RES-3.
#[tokio::test]
async fn r_res_1_filing_for_a_customer_records_the_reseller_and_uses_the_customers_entitlement() {
    let world = World::new().await;
    world.with_nimbus().await;
    let nina = "nina@nimbus.example";
    let directly = world.commands.case(&world.request(nina, 1), &acme(), None, &world.file()).await;
    assert_eq!(reason(directly, dossier_domain::case::CaseRejection::reason), Err("NO_ACCOUNT"));
    let filed = world.commands.case(&world.for_nimbus(nina, 2), &acme(), None, &world.file()).await.unwrap();
    let case = filed.folded.state.filed().unwrap();
    assert_eq!((case.side, case.manager.as_ref()), (Side::Reseller, Some(&organization("nimbus"))));
    assert_eq!(case.filed_by_reseller(), Some(&organization("nimbus")));
    assert_eq!(case.entitlement.plan.as_str(), "platinum", "nimbus has no plan of its own");
    let events = world.events().await;
    let metadata = events.iter().find(|event| &*event.event_type == "CaseFiled").unwrap().metadata().unwrap();
    assert_eq!(metadata.acting_for.as_deref(), Some("nimbus"));
    assert_eq!(metadata.organization.as_deref(), Some("acme"));
    assert_eq!(metadata.access_revision, case.access_revision);
}

/// R-RES-2.
#[tokio::test]
async fn r_res_2_a_withdrawal_and_a_removal_from_the_reseller_stop_a_stale_node_at_once() {
    let world = World::new().await;
    world.with_nimbus().await;
    let nina = "nina@nimbus.example";
    let stale = world.restarted();
    let filed = stale.case(&world.for_nimbus(nina, 1), &acme(), None, &world.file()).await.unwrap();
    let case = filed.folded.state.filed().unwrap().id;
    let withdraw = WithdrawResellerAccess { reseller: organization("nimbus") };
    let withdraw = AccessCommand::WithdrawResellerAccess(withdraw);
    world.administer(&world.commands, "alice@acme.example", 2, "acme", withdraw).await.unwrap();
    // Case and access are cached there: only the guards tell.
    let comment = |number| {
        let (world, stale, command) = (&world, &stale, world.comment("hello"));
        async move {
            let result = stale.case(&world.for_nimbus(nina, number), &acme(), Some(case), &command).await;
            reason(result, dossier_domain::case::CaseRejection::reason)
        }
    };
    assert_eq!(comment(3).await, Err("RESELLER_NOT_ALLOWED"));
    assert_eq!(world.file_for(&stale, nina, 13).await, Err("RESELLER_NOT_ALLOWED"));
    let allow = AllowResellerAccess { reseller: organization("nimbus") };
    let allow = AccessCommand::AllowResellerAccess(allow);
    world.administer(&world.commands, OPERATOR, 4, "acme", allow).await.unwrap();
    assert_eq!(comment(5).await, Ok(1));
    // Another owner, so that nina can go.
    let omar = world.actor("omar@nimbus.example");
    let add = AccessCommand::AddMember(AddMember {
        account: omar.account,
        account_status: AccountStatus::Unknown,
        contact: omar.contact,
        roles: BTreeMap::from([(compute(), Role::Owner)]),
        effective_at: None,
    });
    world.administer(&world.commands, OPERATOR, 6, "nimbus", add).await.unwrap();
    let account = world.actor(nina).account;
    let remove = AccessCommand::RemoveMember(RemoveMember { account });
    world.administer(&world.commands, OPERATOR, 7, "nimbus", remove).await.unwrap();
    assert_eq!(comment(8).await, Err("NO_ACCOUNT"));
    assert_eq!(world.file_for(&stale, nina, 9).await, Err("NO_ACCOUNT"));
}

/// R-RES-3: a transfer races filings; the filing event says who managed at its access revision, whatever the instants.
#[tokio::test]
async fn r_res_3_a_transfer_that_races_filings_splits_them_by_access_revision() {
    let world = Arc::new(World::new().await);
    world.with_nimbus().await;
    world.register(3_000, "stratus", true).await;
    let node = Arc::new(world.restarted());
    let filings: Vec<_> = (0..20_u128)
        .map(|number| {
            let (world, node) = (world.clone(), node.clone());
            tokio::spawn(async move {
                let request = world.request("alice@acme.example", 100 + number);
                node.case(&request, &acme(), None, &world.file()).await.map(|_| ())
            })
        })
        .collect();
    let transfer = TransferManagement { manager: Some(organization("stratus")) };
    let transfer = AccessCommand::TransferManagement(transfer);
    world.administer(&world.commands, OPERATOR, 3_001, "acme", transfer).await.unwrap();
    for filing in filings {
        filing.await.unwrap().unwrap();
    }
    let last =
        world.commands.case(&world.request("alice@acme.example", 200), &acme(), None, &world.file()).await;
    last.unwrap();
    let events = world.events().await;
    let transferred = events.iter().rfind(|event| &*event.event_type == "ManagementTransferred").unwrap();
    let mut filed = 0;
    for event in events.iter().filter(|event| &*event.event_type == "CaseFiled") {
        let CaseEvent::CaseFiled(case) =
            dossier_domain::DomainEvent::decode(&event.event_type, event.version, &event.payload).unwrap()
        else {
            panic!("a filing");
        };
        let before = case.access_revision.unwrap() < transferred.revision.0;
        let manager = if before { "nimbus" } else { "stratus" };
        assert_eq!(case.manager, Some(organization(manager)));
        assert_eq!(event.position < transferred.position, before, "and the log's order says the same");
        filed += 1;
    }
    assert_eq!(filed, 21);
}

#[tokio::test]
async fn only_a_registered_reseller_is_given_the_management() {
    let world = World::new().await;
    world.register(1, "initech", false).await;
    for (number, name) in [(2, "initech"), (3, "nowhere")] {
        let transfer = TransferManagement { manager: Some(organization(name)) };
        let transfer = AccessCommand::TransferManagement(transfer);
        let refused = world.administer(&world.commands, OPERATOR, number, "acme", transfer.clone()).await;
        assert_eq!(refused, Err("NOT_A_RESELLER"), "{name}");
        // Who may not transfer learns nothing of who is a reseller.
        let refused =
            world.administer(&world.commands, "alice@acme.example", number + 10, "acme", transfer).await;
        assert_eq!(refused, Err("NOT_FOR_YOU"), "{name}");
    }
}

/// R-RES-6.
#[tokio::test]
async fn r_res_6_a_customer_with_a_plan_opens_the_centre_for_the_others() {
    let world = World::new().await;
    world.with_nimbus().await;
    let nina = "nina@nimbus.example";
    let filed = world.commands.case(&world.for_nimbus(nina, 1), &acme(), None, &world.file()).await.unwrap();
    let case = filed.folded.state.filed().unwrap().id;
    let end = EndEntitlement { product: compute(), plan: PlanId::new("platinum").unwrap(), until: None };
    world.administer(&world.commands, OPERATOR, 2, "acme", AccessCommand::EndEntitlement(end)).await.unwrap();
    let comment = |request: Request| {
        let (world, command) = (&world, world.comment("still here"));
        async move {
            let result = world.commands.case(&request, &acme(), Some(case), &command).await;
            reason(result, dossier_domain::case::CaseRejection::reason)
        }
    };
    assert_eq!(comment(world.for_nimbus(nina, 3)).await, Err("RESELLER_NOT_ALLOWED"));
    world.register(4, "globex", false).await;
    let plan = GrantEntitlement {
        product: compute(),
        plan: PlanId::new("gold").unwrap(),
        from: Timestamp::UNIX_EPOCH,
        until: None,
    };
    world
        .administer(&world.commands, OPERATOR, 5, "globex", AccessCommand::GrantEntitlement(plan))
        .await
        .unwrap();
    let naming_globex = |number| {
        let entitled_customers = vec![organization("initech"), organization("globex")];
        let acting_for = Some(ActsFor { organization: organization("nimbus"), entitled_customers });
        Request { acting_for, ..world.request(nina, number) }
    };
    assert_eq!(comment(naming_globex(6)).await, Err("RESELLER_NOT_ALLOWED"), "nimbus does not manage it");
    let transfer = TransferManagement { manager: Some(organization("nimbus")) };
    let transfer = AccessCommand::TransferManagement(transfer);
    world.administer(&world.commands, OPERATOR, 7, "globex", transfer).await.unwrap();
    assert_eq!(comment(naming_globex(8)).await, Ok(1));
}

/// R-RES-1: nobody changes an organization's access for another one.
#[tokio::test]
async fn r_res_1_acting_for_another_organization_changes_nobodys_access() {
    let world = World::new().await;
    world.with_nimbus().await;
    let withdraw = WithdrawResellerAccess { reseller: organization("nimbus") };
    let withdraw = AccessCommand::WithdrawResellerAccess(withdraw);
    for who in ["nina@nimbus.example", "alice@acme.example"] {
        let refused = world.commands.access(&world.for_nimbus(who, 1), &acme(), &withdraw).await;
        assert_eq!(
            reason(refused, dossier_domain::access::AccessRejection::reason),
            Err("NO_ACCOUNT"),
            "{who}"
        );
    }
}
