//! Who appears in the demo: workspaces, people, teams, categories. Ids are derived from names, so that a second run finds them.

use hub_core::ids::{CategoryId, TeamId, UserId, WorkspaceId};
use hub_core::rules::intent::Asker;
use hub_core::rules::permissions::{Role, Side};
use hub_core::rules::workflow::Workflow;
use hub_core::rules::workspace::{StaffMember, WorkspaceFacts};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::stories::{self, Story};

/// A workspace of the demo.
pub struct Troupe {
    /// Its short name at sign-in.
    pub slug: &'static str,
    pub name: &'static str,
    pub prefix: &'static str,
    pub workflow: Workflow,
    /// Address, name, role.
    pub people: &'static [(&'static str, &'static str, Role)],
    /// Name, and the addresses of its members.
    pub teams: &'static [(&'static str, &'static [&'static str])],
    /// What its tickets are about; none for a workspace without tickets.
    pub stories: &'static [Story],
}

/// All of them.
pub fn troupes() -> [Troupe; 3] {
    use Role::{Admin, Agent, Customer, Manager, Owner, PlatformAdmin, Viewer};
    [
        Troupe {
            slug: "acme",
            name: "Acme Home",
            prefix: "ACME",
            workflow: Workflow::simple(),
            people: &[
                ("owner@acme.test", "Olivia Hart", Owner),
                ("admin@acme.test", "Adam Novak", Admin),
                ("lead@acme.test", "Lena Fischer", Manager),
                ("ana@acme.test", "Ana Lima", Agent),
                ("bo@acme.test", "Bo Jensen", Agent),
                ("viewer@acme.test", "Vera Stone", Viewer),
                ("cleo@customer.test", "Cleo Martin", Customer),
                ("dan@customer.test", "Dan Okafor", Customer),
                ("hana@customer.test", "Hana Sato", Customer),
                ("ivo@customer.test", "Ivo Petrov", Customer),
                ("maria@customer.test", "Maria Conti", Customer),
                ("noor@customer.test", "Noor Aziz", Customer),
                ("tomas@customer.test", "Tomás Vega", Customer),
                ("zoe@customer.test", "Zoë Lindqvist", Customer),
            ],
            teams: &[
                ("Orders & delivery", &["lead@acme.test", "ana@acme.test"]),
                ("Product help", &["lead@acme.test", "bo@acme.test", "admin@acme.test"]),
            ],
            stories: stories::ACME,
        },
        Troupe {
            slug: "globex",
            name: "Globex Field Service",
            prefix: "GX",
            workflow: Workflow::full(),
            people: &[
                ("owner@globex.test", "Omar Haddad", Owner),
                ("gil@globex.test", "Gil Santos", Agent),
                ("eve@customer.test", "Eve Laurent", Customer),
                ("frank@customer.test", "Frank Weber", Customer),
                ("grace@customer.test", "Grace Mbeki", Customer),
                ("jun@customer.test", "Jun Takeda", Customer),
                ("sara@customer.test", "Sara Nilsen", Customer),
            ],
            teams: &[("Service desk", &["owner@globex.test", "gil@globex.test"]), ("Field engineers", &["gil@globex.test"])],
            stories: stories::GLOBEX,
        },
        Troupe {
            slug: "platform",
            name: "Platform",
            prefix: "PLT",
            workflow: Workflow::simple(),
            people: &[("root@platform.test", "Robin Root", PlatformAdmin)],
            teams: &[],
            stories: &[],
        },
    ]
}

impl Troupe {
    pub fn id(&self) -> WorkspaceId {
        WorkspaceId::new(derived(&["workspace", self.slug]))
    }

    pub fn user_id(&self, email: &str) -> UserId {
        UserId::new(derived(&["user", self.slug, email]))
    }

    pub fn team_id(&self, name: &str) -> TeamId {
        TeamId::new(derived(&["team", self.slug, name]))
    }

    pub fn category_id(&self, name: &str) -> CategoryId {
        CategoryId::new(derived(&["category", self.slug, name]))
    }

    /// The categories its stories name, each once, by name.
    pub fn categories(&self) -> Vec<&'static str> {
        let mut names: Vec<_> = self.stories.iter().map(|story| story.category).collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// Those who ask for help.
    pub fn customers(&self) -> Vec<Asker> {
        self.askers(|role| role.side() == Side::Customer)
    }

    /// Those who work on tickets.
    pub fn agents(&self) -> Vec<Asker> {
        self.askers(Role::works_on_tickets)
    }

    fn askers(&self, is_meant: impl Fn(Role) -> bool) -> Vec<Asker> {
        let meant = self.people.iter().filter(|(_, _, role)| is_meant(*role));
        meant.map(|(email, name, role)| Asker { user: self.user_id(email), name: (*name).to_owned(), role: *role }).collect()
    }

    /// What the rules need to know of it.
    pub fn facts(&self) -> WorkspaceFacts {
        let staff = self.askers(|role| role.side() == Side::Staff);
        WorkspaceFacts {
            id: self.id(),
            slug: self.slug.to_owned(),
            name: self.name.to_owned(),
            number_prefix: self.prefix.to_owned(),
            workflow: self.workflow.clone(),
            staff: staff.into_iter().map(|a| StaffMember { id: a.user, name: a.name, role: a.role }).collect(),
            teams: self.teams.iter().map(|(name, _)| (self.team_id(name), (*name).to_owned())).collect(),
            categories: self.categories().into_iter().map(|name| (self.category_id(name), name.to_owned())).collect(),
        }
    }
}

/// A UUID that names make, the same on every run.
pub fn derived(names: &[&str]) -> Uuid {
    let digest = Sha256::digest(format!("tandem seed/{}", names.join("/")));
    let mut bytes = [0_u8; 16];
    bytes.copy_from_slice(&digest[..16]);
    uuid::Builder::from_custom_bytes(bytes).into_uuid()
}
