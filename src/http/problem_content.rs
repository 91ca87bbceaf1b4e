//! What a problem says: one message, or messages by field, which become texts once the language is known.

use serde_json::{Map, Value, json};

use crate::domain::texts::{Language, Message};

/// The content of a problem.
#[derive(Clone, Debug, PartialEq)]
pub enum Content {
    /// One message: `{"detail": "…"}`.
    Detail(Message),
    /// Messages by field.
    Fields(Fields),
}

/// What is wrong with one field.
#[derive(Clone, Debug, PartialEq)]
pub enum FieldProblem {
    /// These messages.
    Messages(Vec<Message>),
    /// It has fields itself.
    Nested(Fields),
}

/// Messages by field, in the order in which they are shown.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Fields(Vec<(String, FieldProblem)>);

impl Content {
    /// Whether every text of it exists in this language.
    pub fn is_in(&self, language: Language) -> bool {
        match self {
            Self::Detail(message) => message.language(language) == language,
            Self::Fields(fields) => fields.is_in(language),
        }
    }

    /// The JSON body.
    pub fn body(&self, language: Language) -> Value {
        match self {
            Self::Detail(message) => json!({ "detail": message.text(language) }),
            Self::Fields(fields) => fields.body(language),
        }
    }
}

impl Fields {
    /// One message under one field.
    pub fn one(name: &str, message: Message) -> Self {
        Self(vec![(name.to_owned(), FieldProblem::Messages(vec![message]))])
    }

    /// Problems of one field's own fields.
    pub fn nested(name: &str, fields: Self) -> Self {
        Self(vec![(name.to_owned(), FieldProblem::Nested(fields))])
    }

    /// Whether nothing is wrong.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds a message to those of a field.
    pub fn add(&mut self, name: &str, message: Message) {
        match self.0.iter_mut().find(|(known, _)| known == name) {
            Some((_, FieldProblem::Messages(messages))) => messages.push(message),
            // Its own fields have said more.
            Some((_, FieldProblem::Nested(_))) => {}
            None => self.0.push((name.to_owned(), FieldProblem::Messages(vec![message]))),
        }
    }

    /// Sets what is wrong with a field.
    pub fn set(&mut self, name: &str, problem: FieldProblem) {
        match self.0.iter_mut().find(|(known, _)| known == name) {
            Some((_, known)) => *known = problem,
            None => self.0.push((name.to_owned(), problem)),
        }
    }

    /// Puts a message of a field that has none yet behind those of `earlier` fields.
    pub fn insert_behind(&mut self, earlier: &[&str], name: &str, message: Message) {
        self.0.retain(|(known, _)| known != name);
        let place = self.0.iter().filter(|(known, _)| earlier.contains(&known.as_str())).count();
        self.0.insert(place, (name.to_owned(), FieldProblem::Messages(vec![message])));
    }

    fn is_in(&self, language: Language) -> bool {
        self.0.iter().all(|(_, problem)| match problem {
            FieldProblem::Messages(messages) => messages.iter().all(|message| message.language(language) == language),
            FieldProblem::Nested(fields) => fields.is_in(language),
        })
    }

    fn body(&self, language: Language) -> Value {
        let value = |problem: &FieldProblem| match problem {
            FieldProblem::Messages(messages) => messages.iter().map(|message| message.text(language)).collect(),
            FieldProblem::Nested(fields) => fields.body(language),
        };
        Value::Object(self.0.iter().map(|(name, problem)| (name.clone(), value(problem))).collect::<Map<_, _>>())
    }
}
