//! What the compiler asks of the mail templates that processes name. It reads none itself: that takes files.

use crate::model::definition::Definition;
use crate::model::text::Wording;

/// The mail templates that processes can name. Whoever can read and try them gives them to the compiler.
pub trait Templates: Sync {
    /// Their names.
    fn names(&self) -> Vec<String>;

    /// What is wrong with a template when a `notify` of this process uses it; empty where nothing is.
    fn faults(&self, name: &str, definition: &Definition) -> Vec<TemplateFault>;

    /// The templates that are of use only where a process names them.
    fn own(&self) -> Vec<OwnTemplate> {
        Vec::new()
    }
}

/// A template that the folder brings with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnTemplate {
    /// What processes call it.
    pub name: String,
    /// Its file, as it is shown; one of them where it has several.
    pub file: String,
    /// What is in that file.
    pub text: String,
}

/// Something that is wrong with a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateFault {
    /// Its file, as it is shown.
    pub file: String,
    /// The line in it, from 1, where that is known.
    pub line: Option<usize>,
    /// What is wrong and what to write instead.
    pub message: Wording,
}

/// No templates at all: every name of one is unknown.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoTemplates;

impl Templates for NoTemplates {
    fn names(&self) -> Vec<String> {
        Vec::new()
    }

    fn faults(&self, _name: &str, _definition: &Definition) -> Vec<TemplateFault> {
        Vec::new()
    }
}
