//! Plain data from a YAML or JSON text: what people hand in beside the documents of a project.

use super::node::{self, Node, NodeKind, ScalarForm};
use crate::diagnostics::{Diagnostic, SourceId, Sources};

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
