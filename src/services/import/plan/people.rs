//! The people of the old shop: who runs it, or owns hosts and nodes in it.

use std::collections::{BTreeMap, BTreeSet};

use super::super::dump::Reference;
use super::super::env::Env;
use super::super::old::{Old, User};
use super::parts::{NewOperator, Plan};
use crate::domain::id::{HostId, OperatorId};
use crate::domain::operator::{Role, name_error};
use crate::services::operators::django_hash::{NO_PASSWORD, is_foreign};

/// Finds people by the way in which objects name them.
pub struct People<'a> {
    users: &'a [User],
    by_name: BTreeMap<&'a str, usize>,
    by_number: BTreeMap<i64, usize>,
    numbers: BTreeMap<usize, OperatorId>,
}

impl<'a> People<'a> {
    fn new(users: &'a [User]) -> Self {
        let by_name = users.iter().enumerate().map(|(i, user)| (user.name.as_str(), i)).collect();
        let by_number = users.iter().enumerate().filter_map(|(i, user)| Some((user.number?, i))).collect();
        Self { users, by_name, by_number, numbers: BTreeMap::new() }
    }

    /// The user that is meant.
    pub fn find(&self, reference: &Reference) -> Option<&'a User> {
        self.place(reference).map(|place| &self.users[place])
    }

    /// The number of the operator that is meant.
    pub fn operator(&self, reference: Option<&Reference>) -> Option<OperatorId> {
        self.numbers.get(&self.place(reference?)?).copied()
    }

    fn place(&self, reference: &Reference) -> Option<usize> {
        match reference {
            Reference::Name(name) => self.by_name.get(name.as_str()).copied(),
            Reference::Number(number) => self.by_number.get(number).copied(),
        }
    }
}

/// Takes those over who run the shop or own something in it.
pub fn take<'a>(old: &'a Old, plan: &mut Plan) -> People<'a> {
    let mut people = People::new(&old.users);
    let owners: BTreeSet<usize> = old
        .hosts
        .iter()
        .filter_map(|host| host.owner.as_ref())
        .chain(old.nodes.iter().filter_map(|node| node.owner.as_ref()))
        .filter_map(|reference| people.place(reference))
        .collect();
    let highest = old.users.iter().filter_map(|user| user.number).max().unwrap_or(0).max(0);
    let mut next = highest.saturating_add(1);
    let mut names = BTreeSet::new();
    for (place, user) in old.users.iter().enumerate() {
        let is_owner = owners.contains(&place);
        let Some(role) = role(user, is_owner) else {
            plan.ledger.drop(&user.key, why_not(user));
            continue;
        };
        let id = user.number.filter(|number| *number > 0).unwrap_or_else(|| {
            next += 1;
            next - 1
        });
        let name = free_name(user, id, &mut names);
        if name != user.name {
            plan.ledger.ask(format!("{:?} can't be a name here: they log in as {name}", user.name));
        }
        let password_hash = kept_hash(user, &name, plan);
        plan.ledger.take(&user.key, format!("{} {name}", role.name()));
        people.numbers.insert(place, OperatorId(id));
        plan.operators.push(NewOperator { id: OperatorId(id), name, role, password_hash, created_at: user.joined });
    }
    if !plan.operators.iter().any(|operator| operator.role == Role::Administrator) {
        plan.ledger.ask("nobody is an administrator: `operator add NAME --role administrator`");
    }
    people
}

fn role(user: &User, is_owner: bool) -> Option<Role> {
    if user.is_active && user.is_superuser {
        return Some(Role::Administrator);
    }
    let may_sign_in = user.is_active && (user.is_staff || user.is_operator) && !is_host(user);
    (may_sign_in || is_owner).then_some(Role::Operator)
}

fn why_not(user: &User) -> &'static str {
    if is_host(user) {
        "it stood for a host's token, which the host has itself here"
    } else if user.is_active {
        "neither a superuser nor of the staff, and owner of nothing"
    } else {
        "switched off, and owner of nothing"
    }
}

/// Users whose name is an id stand for hosts.
fn is_host(user: &User) -> bool {
    HostId::parse(&user.name).is_some() && user.password.is_empty()
}

/// The name that they have, if it can be one here and nobody else has it.
fn free_name(user: &User, id: i64, names: &mut BTreeSet<String>) -> String {
    let fits =
        |name: &str, names: &BTreeSet<String>| name_error(name).is_none() && !names.contains(&name.to_lowercase());
    let mut name = user.name.clone();
    let mut number = id;
    while !fits(&name, names) {
        name = format!("operator-{number}");
        number += 1_000_000;
    }
    names.insert(name.to_lowercase());
    name
}

fn kept_hash(user: &User, name: &str, plan: &mut Plan) -> String {
    let is_kept = user.is_active && is_foreign(&user.password);
    if is_kept {
        return user.password.clone();
    }
    let why =
        if user.is_active { "the hash of their password is of no kind that is read here" } else { "switched off" };
    plan.ledger.ask(format!("{name} can't log in ({why}): `operator set-password {name}`"));
    NO_PASSWORD.to_owned()
}

/// What of the `.env` has to be set anew.
pub fn tell_of_env(env: &Env, plan: &mut Plan) {
    plan.ledger.note(format!("{} seconds are added to each paid period of what is sold from here on", env.grace_secs));
    if let Some(port) = env.onion_port {
        plan.ledger.ask(format!(
            "the old shop's onion service was reached at port {port}: set `virtual_port = {port}` below [onion] in the \
             configuration, or who has that in the address finds nothing"
        ));
    }
    if !env.untaken.is_empty() {
        let names = env.untaken.join(", ");
        plan.ledger.note(format!("not taken from the .env (see the configuration of this shop): {names}"));
    }
}
