//! Every seed keeps the promises, and a seed that does not can be looked at again.

use dossier_simulation::seeds;

#[test]
fn every_seed_keeps_the_promises() {
    let outcome = seeds::of_environment();
    println!(
        "{} seeds passed, {} failed; together {:?}",
        outcome.passed,
        outcome.failed.len(),
        outcome.total
    );
    assert!(outcome.failed.is_empty(), "\n{}\n", outcome.failed.join("\n"));
}

#[test]
fn a_seed_reproduces_step_by_step() {
    for seed in 0..4 {
        assert_eq!(seeds::reproduces(seed), Ok(()));
    }
}
