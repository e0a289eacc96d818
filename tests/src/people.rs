//! The people of the sample data, by what the tests call them.

/// Owner of acme's products.
pub const ALICE: &str = "alice@acme.example";
/// Editor of acme's products.
pub const BOB: &str = "bob@acme.example";
/// Viewer of acme's products.
pub const CAROL: &str = "carol@acme.example";
/// Listed in acme's directory, without the support privilege.
pub const DAVE: &str = "dave@acme.example";
/// Owner at globex, which has no Premier.
pub const HANK: &str = "hank@globex.example";
/// Owner at initech, which has no plan.
pub const PETER: &str = "peter@initech.example";
/// Owner at umbrella, which has Silver only.
pub const WESKER: &str = "wesker@umbrella.example";
/// Owner at nimbus, a reseller that manages globex.
pub const NINA: &str = "nina@nimbus.example";
/// Owner at stratus, a reseller that manages umbrella.
pub const SAM: &str = "sam@stratus.example";
/// An agent of support.
pub const AGENT: &str = "agent-north@support.example";
/// An agent of the other provider.
pub const AGENT_SOUTH: &str = "agent-south@support.example";
/// An engineer of support.
pub const ENGINEER: &str = "engineer@support.example";
/// An auditor.
pub const AUDITOR: &str = "auditor@support.example";
/// An analyst.
pub const ANALYST: &str = "analyst@support.example";
/// The operator, who registers organizations.
pub const OPERATOR: &str = "operator@support.example";
/// The machine that feeds acme's accounts.
pub const DIRECTORY: &str = "directory@acme.example";
