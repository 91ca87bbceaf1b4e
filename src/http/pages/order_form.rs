//! What a person has put into a form to order with: checked field by field, with what was probably meant.

use super::form::Form;
use super::periods;
use super::visit::Visit;
use crate::domain::id::HostId;
use crate::domain::texts::Message;
use crate::domain::{alias, target, text};
use crate::services::orders::place::{OrderRequest, OrderedProduct};

/// The longest note, as in the API.
const MAX_COMMENT: usize = 42;
/// Nothing longer is shown again: no field of ours lets more in.
const MAX_SHOWN: usize = 400;

/// A field with what is wrong with it.
#[derive(Debug, Default)]
pub struct Field {
    /// What is in it.
    pub value: String,
    /// What is wrong with that.
    pub errors: Vec<String>,
    /// What was probably meant, the likeliest first.
    pub fixes: Vec<String>,
}

impl Field {
    fn of(value: &str) -> Self {
        Self { value: value.chars().take(MAX_SHOWN).collect(), ..Self::default() }
    }
}

/// A form as it was filled in.
#[derive(Debug, Default)]
pub struct Filled {
    /// What is ordered, where that is known.
    pub product: Option<OrderedProduct>,
    /// Of a bridge: where it leads.
    pub target: Field,
    /// The buyer's note.
    pub comment: Field,
    /// For how many periods.
    pub periods: u32,
    /// Of an alias: the name.
    pub alias: Field,
    /// Of an alias: the key.
    pub public_key: Field,
    /// Whether the terms are accepted.
    pub is_accepted: bool,
    /// What is wrong with that.
    pub terms_errors: Vec<String>,
    /// What is wrong and belongs to no field.
    pub problems: Vec<String>,
}

/// A form that was looked at.
pub enum Checked {
    /// It can be ordered.
    Good(OrderRequest),
    /// It can't, and this is why.
    Wrong(Filled),
}

impl Filled {
    /// What was sent. A press on a proposal takes the place of the target.
    pub fn of(form: &Form) -> Self {
        let target = Some(form.get("fix")).filter(|fix| !fix.is_empty()).unwrap_or_else(|| form.get("target"));
        Self {
            product: OrderedProduct::parse(form.get("product")),
            target: Field::of(target),
            comment: Field::of(form.get("comment")),
            periods: periods::chosen(form),
            alias: Field::of(form.get("alias")),
            public_key: Field::of(form.get("public_key")),
            is_accepted: !form.get("tos_accepted").is_empty(),
            terms_errors: Vec::new(),
            problems: Vec::new(),
        }
    }

    /// Checks every field.
    pub fn check(visit: &Visit, form: &Form, host_id: HostId) -> Checked {
        let mut filled = Self::of(form);
        let Some(product) = filled.product else {
            filled.problems.push(visit.t.old_form.to_owned());
            return Checked::Wrong(filled);
        };
        let read = |result: Result<String, Vec<Message>>, field: &mut Field| match result {
            Ok(value) => Some(value),
            Err(messages) => {
                field.errors.extend(messages.iter().map(|message| message.text(visit.language)));
                None
            }
        };
        let is_bridge = product == OrderedProduct::TorBridge;
        let (mut target, mut name, mut key) = (None, None, None);
        if is_bridge {
            target = read(target::parse(&filled.target.value), &mut filled.target);
            filled.target.fixes = target::suggestions(&filled.target.value);
        } else {
            name = read(alias::parse_alias(&filled.alias.value).map_err(|message| vec![message]), &mut filled.alias);
            key = read(
                alias::parse_public_key(&filled.public_key.value).map_err(|message| vec![message]),
                &mut filled.public_key,
            );
        }
        let comment = read(comment(&filled.comment.value), &mut filled.comment).filter(|text| !text.is_empty());
        if !filled.is_accepted {
            filled.terms_errors.push(visit.t.must_accept.to_owned());
        }
        if filled.is_wrong() {
            return Checked::Wrong(filled);
        }
        Checked::Good(OrderRequest {
            product,
            host_id,
            periods: filled.periods,
            tos_accepted: filled.is_accepted,
            comment,
            target,
            alias: name,
            public_key: key,
            client_ip: visit.origin.client.ip(),
        })
    }

    fn is_wrong(&self) -> bool {
        let fields = [&self.target, &self.comment, &self.alias, &self.public_key];
        fields.iter().any(|field| !field.errors.is_empty()) || !self.terms_errors.is_empty()
    }

    /// Puts what the shop has said of an order beside its field.
    pub fn complain(&mut self, visit: &Visit, message: &Message) {
        let text = message.text(visit.language);
        match message {
            Message::NeedsTarget => self.target.errors.push(text),
            Message::AliasTaken { .. } | Message::AliasReserved | Message::NoSlug => self.alias.errors.push(text),
            Message::MustAcceptTerms { .. } => self.terms_errors.push(visit.t.must_accept.to_owned()),
            _ => self.problems.push(text),
        }
    }
}

fn comment(value: &str) -> Result<String, Vec<Message>> {
    if value.chars().count() > MAX_COMMENT {
        return Err(vec![Message::TooLong { max: MAX_COMMENT }]);
    }
    if text::is_plain_text(value) { Ok(value.to_owned()) } else { Err(vec![Message::NotPlain]) }
}
