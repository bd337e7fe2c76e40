//! Plain data from a YAML or JSON text: what people hand in beside the documents of a project.

use super::node::{self, Node, NodeKind, ScalarForm};
use crate::diagnostics::{Diagnostic, SourceId, Sources, Span};
use std::collections::BTreeMap;

/// A value as it was written; what it means is for the reader of it to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Data {
    /// Nothing, `~` or `null`.
    Null,
    /// A bare word: a number, a date, `true`, a text.
    Plain(String),
    /// A text in quotes, or of several lines.
    Text(String),
    /// Values in order.
    List(Vec<Data>),
    /// Named values, in the order written.
    Map(Vec<(String, Data)>),
}

impl Data {
    /// The data as JSON, for a form whose fields say what each text means.
    pub fn to_json(&self) -> serde_json::Value {
        use serde_json::Value as Json;
        match self {
            Data::Null => Json::Null,
            Data::Plain(text) | Data::Text(text) => Json::String(text.clone()),
            Data::List(items) => Json::Array(items.iter().map(Data::to_json).collect()),
            Data::Map(entries) => {
                Json::Object(entries.iter().map(|(name, value)| (name.clone(), value.to_json())).collect())
            }
        }
    }
}

/// Data inside a document, with the place of each part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Given {
    /// All of it.
    pub span: Span,
    /// What is written.
    pub data: Data,
    /// Where each part stands, by its path as forms write it (`items.0.name`): its key, and its value.
    pub places: BTreeMap<String, (Span, Span)>,
}

impl Given {
    /// Where the value at a path stands; the nearest around it where there is none.
    pub fn place(&self, path: &str) -> Span {
        self.find(path).map_or(self.span, |(_, value)| value)
    }

    /// Where the key at a path stands.
    pub fn key(&self, path: &str) -> Span {
        self.find(path).map_or(self.span, |(key, _)| key)
    }

    fn find(&self, path: &str) -> Option<(Span, Span)> {
        let mut path = path;
        loop {
            if let Some(found) = self.places.get(path) {
                return Some(*found);
            }
            path = path.rsplit_once('.')?.0;
        }
    }
}

/// Reads a node as data with places.
pub(crate) fn given(node: &Node) -> Given {
    let mut places = BTreeMap::new();
    note(node, String::new(), &mut places);
    Given { span: node.span, data: convert(node), places }
}

fn note(node: &Node, path: String, places: &mut BTreeMap<String, (Span, Span)>) {
    let below = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    match &node.kind {
        NodeKind::Sequence(items) => {
            for (number, item) in items.iter().enumerate() {
                let path = below(&number.to_string());
                places.insert(path.clone(), (item.span, item.span));
                note(item, path, places);
            }
        }
        NodeKind::Mapping(entries) => {
            for entry in entries {
                let path = below(entry.key.text().unwrap_or_default());
                places.insert(path.clone(), (entry.key.span, entry.value.span));
                note(&entry.value, path, places);
            }
        }
        NodeKind::Scalar { .. } | NodeKind::Broken => {}
    }
}

/// Reads a text as plain data; what is wrong with it, where anything is.
///
/// # Errors
/// Every fault of the text.
///
/// ```
/// use countersign::diagnostics::Sources;
/// use countersign::syntax::{Data, data};
/// let mut sources = Sources::new();
/// let id = sources.add("data.yaml", "customer: '007'\nitems: [{ value: 320.00 }]");
/// let Data::Map(entries) = data(id, &sources).unwrap() else { panic!() };
/// assert_eq!(entries[0], ("customer".to_owned(), Data::Text("007".to_owned())));
/// ```
pub fn data(id: SourceId, sources: &Sources) -> Result<Data, Vec<Diagnostic>> {
    let tree = node::read(id, sources.get(id));
    if crate::diagnostics::has_errors(&tree.diagnostics) {
        return Err(tree.diagnostics);
    }
    Ok(tree.root.as_ref().map_or(Data::Null, convert))
}

fn convert(node: &Node) -> Data {
    match &node.kind {
        NodeKind::Scalar { text, form: ScalarForm::Plain } => match text.as_str() {
            "" | "~" | "null" => Data::Null,
            _ => Data::Plain(text.clone()),
        },
        NodeKind::Scalar { text, .. } => Data::Text(text.clone()),
        NodeKind::Sequence(items) => Data::List(items.iter().map(convert).collect()),
        NodeKind::Mapping(entries) => {
            let entry = |entry: &node::Entry| Some((entry.key.text()?.to_owned(), convert(&entry.value)));
            Data::Map(entries.iter().filter_map(entry).collect())
        }
        NodeKind::Broken => Data::Null,
    }
}
