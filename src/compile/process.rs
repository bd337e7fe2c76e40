//! One process: names, flow, types and checks, in this order. It reads no other process but what those that it calls
//! ask and can come to, so that all are compiled side by side.

use super::source_map::SourceMap;
use super::unread::Reading;
use super::{World, callee, check, lower, resolve, typing, version};
use crate::diagnostics::{Code, Diagnostic};
use crate::model::definition::Definition;
use crate::model::text::Wording;
use crate::syntax::{self, Hidden};

/// The most steps of a process, and the most fields.
const LIMIT: usize = 1_000;

/// What is said of a process that is larger than any that people could follow.
pub(super) fn too_large(document: &syntax::Process) -> Option<Diagnostic> {
    let (mut steps, mut fields) = (0, document.form.len() + document.data.len());
    resolve::walk(&document.steps, &mut |step| {
        steps += 1;
        fields += step.form.len();
    });
    let (zh, en, count) = if steps > LIMIT { ("步骤", "steps", steps) } else { ("字段", "fields", fields) };
    (count > LIMIT).then(|| {
        Diagnostic::new(
            Code::ProcessTooLarge,
            document.name.as_ref().map_or(document.key_span, |name| name.span),
            Wording::new(
                format!("这个流程有 {count} 个{zh}，最多 {LIMIT} 个。请拆成几个流程"),
                format!("this process has {count} {en}, and {LIMIT} are the most; make several processes of it"),
            ),
        )
    })
}

/// What one process came to.
pub(super) struct Process {
    pub(super) definition: Definition,
    pub(super) source_map: SourceMap,
    pub(super) diagnostics: Vec<Diagnostic>,
}

/// Compiles one process. What could not be understood is left out and reported.
pub(super) fn process(document: &syntax::Process, reading: Reading, world: &World<'_>) -> Process {
    let (mut source_map, mut told) = (SourceMap::default(), Vec::new());
    let diagnostics = &mut told;
    if let Some(found) = too_large(document) {
        diagnostics.push(found);
        let head = syntax::Process { form: Vec::new(), data: Vec::new(), steps: Vec::new(), ..document.clone() };
        let flow = lower::lower(&head);
        let names = resolve::Names::default();
        let (definition, ..) = typing::definition(&head, &flow, &names, Reading::nothing(), world, diagnostics);
        return Process { definition, source_map, diagnostics: told };
    }
    let names = resolve::names(document, &world.declared, diagnostics);
    let flow = lower::lower(document);
    let reading = reading.beside(limitless(document));
    let (mut definition, certain, kept) =
        typing::definition(document, &flow, &names, reading.clone(), world, diagnostics);
    definition.version = version::of(&definition);
    let subject = check::Subject {
        document,
        flow: &flow,
        certain: &certain,
        definition: &definition,
        kept: &kept,
        world,
        unread: world.unread.with(&reading),
        reading,
        faulty: Default::default(),
    };
    check::all(&subject, diagnostics);

    let process = definition.process.clone();
    let named = document.name.as_ref().map_or(document.key_span, |name| name.span);
    source_map.processes.insert(process.clone(), named);
    for placed in &flow.steps {
        source_map.steps.insert((process.clone(), placed.id.clone()), placed.source.span);
    }
    for (name, span) in &names.fields {
        source_map.fields.insert((process.clone(), name.clone()), *span);
    }
    Process { definition, source_map, diagnostics: told }
}

/// The fields whose limits nothing keeps, which is told: what they hold is not known.
fn limitless(document: &syntax::Process) -> Vec<Hidden> {
    let mut fields: Vec<&syntax::Field> = document.form.iter().chain(&document.data).collect();
    resolve::walk(&document.steps, &mut |step| fields.extend(&step.form));
    let columns: Vec<&syntax::Field> = fields.iter().flat_map(|list| &list.fields).collect();
    let found = fields.into_iter().chain(columns).filter(|field| callee::is_reversed(field));
    let piece = |field: &syntax::Field| {
        let keys = vec![field.name.value.clone(), String::new()];
        Hidden { span: field.span, item: field.span, keys, flow: false }
    };
    found.map(piece).collect()
}
