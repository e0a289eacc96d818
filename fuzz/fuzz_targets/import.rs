//! Any bytes are a line to import or are refused, and what was understood says the same once more: by that a line is known again.
#![no_main]

use dossier_api::import::line::ImportedCase;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let Ok(line) = serde_json::from_slice::<ImportedCase>(input) else { return };
    let written = serde_json::to_vec(&line).expect("what was read can be written");
    let again: ImportedCase = serde_json::from_slice(&written).expect("and read again");
    assert_eq!(serde_json::to_vec(&again).expect("and written again"), written);
});
