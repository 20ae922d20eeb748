//! `help`: what there is, from the table of builtins and the server's catalogue.

use std::fmt::Write;
use std::sync::Arc;

use super::options::Given;
use super::{Builtin, TABLE};
use crate::catalogue::{Catalogue, Method};
use crate::failure::Failure;
use crate::render::{Align, Ink, Paint, Table, escape};
use crate::session::{Flow, Session};

/// Columns of running text; wider is hard to read.
const WIDTH: usize = 100;

pub(super) async fn help(session: &mut Session, given: Given) -> Result<Flow, Failure> {
    let topic = given.words.first().map(|word| word.text.as_str());
    if let Some(builtin) = topic.and_then(super::find) {
        let text = about_builtin(builtin, session.screen.paint());
        session.screen.own(&text)?;
        return Ok(Flow::Continue);
    }
    let catalogue = match session.catalogue().await {
        Ok(catalogue) => catalogue,
        // The commands can be explained without a server.
        Err(Failure::Connection(_)) if topic.is_none() => Arc::default(),
        Err(failure) => return Err(failure),
    };
    let Some(topic) = topic else { return overview(session, &catalogue) };
    if let Some(method) = catalogue.find(topic) {
        let text = about_method(method, session.screen.paint());
        session.screen.own(&text)?;
        return Ok(Flow::Continue);
    }
    let service = topic.strip_prefix("mcp.").unwrap_or(topic);
    let mut table = Table::new(&[("Method", Align::Left), ("", Align::Left)]);
    let mut any = false;
    for method in catalogue.service(service) {
        any = true;
        table.row([(&method.name, Some(Ink::Key)), (first_sentence(&method.description), None)]);
    }
    if !any {
        return Err(Failure::Usage(format!(
            "no command, method or service is called {topic}; help lists them"
        )));
    }
    session.screen.table(&table)?;
    Ok(Flow::Continue)
}

fn overview(session: &mut Session, catalogue: &Catalogue) -> Result<Flow, Failure> {
    let mut table = Table::new(&[("Command", Align::Left), ("", Align::Left)]);
    for builtin in TABLE {
        table.row([(&builtin.usage(), Some(Ink::Key)), (builtin.doc, None)]);
    }
    session.screen.table(&table)?;
    if !catalogue.methods.is_empty() {
        session.screen.own("")?;
        let mut table = Table::new(&[("Service", Align::Left), ("Methods", Align::Left)]);
        for service in catalogue.services() {
            let names = catalogue.service(service).map(|method| {
                method.name.strip_prefix(&format!("mcp.{service}.")).unwrap_or(&method.name).to_owned()
            });
            table.row([(service, Some(Ink::Key)), (&names.collect::<Vec<_>>().join(" "), None)]);
        }
        session.screen.table(&table)?;
    }
    session.screen.own(
        "\nAny method runs by its name: mcp.fs.stat /a, fs.stat path=/a, fs.write {\"path\": \"/a\", \"content\": \"x\"}.\n\
         help NAME explains a command, method or service. Tab completes.",
    )?;
    Ok(Flow::Continue)
}

fn about_builtin(builtin: &Builtin, paint: Paint) -> String {
    let mut out = format!("{}\n{}", paint.ink(Ink::Strong, &builtin.usage()), builtin.doc);
    if !builtin.more.is_empty() {
        out.push('\n');
        out.push_str(builtin.more);
    }
    for option in builtin.options {
        let _ = write!(
            out,
            "\n  {}  {}",
            paint.ink(Ink::Key, &format!("-{}, --{:<10}", option.short, option.long)),
            option.doc
        );
    }
    if !builtin.aliases.is_empty() {
        let _ = write!(out, "\nalso: {}", builtin.aliases.join(", "));
    }
    out
}

fn about_method(method: &Method, paint: Paint) -> String {
    let mut out = paint.ink(Ink::Strong, &escape::line(&method.usage()));
    if method.destructive {
        let _ = write!(out, "  {}", paint.ink(Ink::Bad, "(destructive)"));
    }
    out.push('\n');
    out.push_str(escape::folded(&method.description, WIDTH).trim_end());
    let mut table = Table::new(&[
        ("Parameter", Align::Left),
        ("Type", Align::Left),
        ("Default", Align::Left),
        ("", Align::Left),
    ]);
    for param in &method.params {
        let default = match &param.default {
            Some(value) => value.to_string(),
            None if param.required => "required".into(),
            None => "-".into(),
        };
        let description = param.description.replace('\n', " ");
        table.row([
            (&param.name, Some(Ink::Key)),
            (&param.kind.to_string(), None),
            (&default, None),
            (&description, None),
        ]);
    }
    if !method.params.is_empty() {
        out.push_str("\n\n");
        out.push_str(table.show(paint).trim_end());
    }
    out
}

fn first_sentence(text: &str) -> &str {
    let line = text.split("\n\n").next().unwrap_or_default();
    line.find(". ").map_or(line, |end| &line[..=end])
}
