//! What could stand where the cursor is. Pure: the methods, the current directory and a way to look into directories
//! are arguments, so a table can test it; `editor.rs` fits it to rustyline.

use crate::builtins::{self, Builtin, Words};
use crate::catalogue::{Catalogue, Kind, Method, Param};
use crate::line::{self, Word};
use crate::path;

/// What completion may know.
pub(crate) struct World<'a> {
    pub(crate) catalogue: &'a Catalogue,
    pub(crate) cwd: &'a str,
    /// What is in a directory; empty when that cannot be learnt in time.
    pub(crate) folder: &'a dyn Fn(&str) -> Vec<Name>,
}

/// One thing in a directory.
#[derive(Clone, Debug)]
pub(crate) struct Name {
    pub(crate) name: String,
    pub(crate) is_folder: bool,
}

/// One way to go on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Suggestion {
    /// Replaces the line from the start to the cursor.
    pub(crate) text: String,
    /// What a list of alternatives shows.
    pub(crate) shown: String,
}

/// Where the replaced part starts, and what may replace it.
pub(crate) fn complete(line: &str, cursor: usize, world: &World<'_>) -> (usize, Vec<Suggestion>) {
    let mut words = line::cut(&line[..cursor]);
    let at_end = words.last().is_some_and(|word| word.span.end == cursor);
    let current = if at_end { words.pop() } else { None }.unwrap_or_else(|| empty(cursor));
    let mut found = match words.split_first() {
        None => commands(&current.text, world.catalogue),
        Some((first, before)) => match builtins::find(&first.text) {
            Some(builtin) => of_builtin(builtin, before, &current, world),
            None => world
                .catalogue
                .find(&first.text)
                .map_or_else(Vec::new, |method| of_method(method, before, &current, world)),
        },
    };
    found.sort();
    found.dedup();
    (current.span.start, found)
}

fn empty(at: usize) -> Word {
    Word { text: String::new(), span: at..at, equals: None, json: None, open: None, quoted: false }
}

/// Builtins, and methods up to their next dot: a first Tab offers services, not a screenful of methods.
fn commands(typed: &str, catalogue: &Catalogue) -> Vec<Suggestion> {
    let builtins = builtins::names().filter(|name| name.starts_with(typed)).map(|name| done(name, name));
    let full = catalogue.methods.iter().map(|method| method.name.as_str());
    // Short forms only where a full name is not what is being typed.
    let short_wanted = !typed.is_empty() && !"mcp.".starts_with(typed);
    let short = catalogue.methods.iter().filter_map(|m| m.name.strip_prefix("mcp.")).filter(|_| short_wanted);
    let step = |name: &str| match name[typed.len()..].find('.') {
        Some(dot) => {
            Suggestion { text: name[..=typed.len() + dot].into(), shown: name[..=typed.len() + dot].into() }
        }
        None => done(name, name),
    };
    builtins.chain(full.chain(short).filter(|name| name.starts_with(typed)).map(step)).collect()
}

fn of_builtin(builtin: &Builtin, before: &[Word], current: &Word, world: &World<'_>) -> Vec<Suggestion> {
    let is_option = |word: &Word| word.text.starts_with('-') && word.text.len() > 1 && !word.quoted;
    if current.text.starts_with('-') && !current.quoted {
        let forms = builtin.options.iter().flat_map(|o| [format!("-{}", o.short), format!("--{}", o.long)]);
        return forms.filter(|form| form.starts_with(&current.text)).map(|form| done(&form, &form)).collect();
    }
    let position = before.iter().filter(|word| !is_option(word)).count();
    if position >= *builtin.words.end() {
        return Vec::new();
    }
    match (builtin.completes, position) {
        (Words::Paths, _) | (Words::PathThenText, 0) => paths(&current.text, current.open, "", false, world),
        (Words::Folders, _) | (Words::TextThenFolder, 1..) => {
            paths(&current.text, current.open, "", true, world)
        }
        (Words::Topics, _) => commands(&current.text, world.catalogue),
        _ => Vec::new(),
    }
}

fn of_method(method: &Method, before: &[Word], current: &Word, world: &World<'_>) -> Vec<Suggestion> {
    let named: Vec<&str> = before.iter().filter_map(|word| word.named().map(|(key, _)| key)).collect();
    if let Some((key, typed)) = current.named() {
        let prefix = format!("{key}=");
        let values = |param| values(method, param, typed, current.open, &prefix, world);
        return method.param(key).map_or_else(Vec::new, values);
    }
    let position = before.len() - named.len();
    let mut free = method.params.iter().filter(|param| !named.contains(&param.name.as_str()));
    // A list in the last place takes all words that follow.
    let list_is_last = method.params.last().filter(|param| matches!(param.kind, Kind::List(_)));
    let here = free.clone().nth(position).or(list_is_last);
    let mut found =
        here.map_or_else(Vec::new, |param| values(method, param, &current.text, current.open, "", world));
    // Those in front have been filled by position.
    free.by_ref().take(position).for_each(drop);
    let offered = free.filter(|param| param.name.starts_with(&current.text) && !current.quoted);
    found.extend(offered.map(|param| {
        let text = format!("{}=", param.name);
        Suggestion { shown: text.clone(), text }
    }));
    found
}

/// Values that a parameter can have, as far as they can be known.
fn values(
    method: &Method,
    param: &Param,
    typed: &str,
    open: Option<char>,
    prefix: &str,
    world: &World<'_>,
) -> Vec<Suggestion> {
    if method.has_paths() && param.is_path() {
        return paths(typed, open, prefix, false, world);
    }
    let words = choices(&param.kind).into_iter().filter(|word| word.starts_with(typed));
    words.map(|word| done(&format!("{prefix}{}", line::quote(&word, open, true)), &word)).collect()
}

fn choices(kind: &Kind) -> Vec<String> {
    match kind {
        Kind::Choice(words) => words.clone(),
        Kind::Boolean => vec!["true".into(), "false".into()],
        Kind::List(kind) => choices(kind),
        Kind::Either(kinds) => kinds.iter().flat_map(choices).collect(),
        _ => Vec::new(),
    }
}

/// Names in the directory that the typed part is in. Hidden ones are offered when their dot was typed.
fn paths(
    typed: &str,
    open: Option<char>,
    prefix: &str,
    only_folders: bool,
    world: &World<'_>,
) -> Vec<Suggestion> {
    let (above, begun) = typed.rfind('/').map_or(("", typed), |slash| typed.split_at(slash + 1));
    let names = (world.folder)(&path::absolute(world.cwd, above));
    // A name with control characters cannot be typed, and printing it is unwise.
    let fits = |name: &&Name| {
        name.name.starts_with(begun)
            && (!name.name.starts_with('.') || begun.starts_with('.'))
            && (name.is_folder || !only_folders)
            && !name.name.contains(char::is_control)
    };
    let suggest = |name: &Name| {
        let text = format!("{above}{}", name.name);
        if name.is_folder {
            let text = format!("{prefix}{}", line::quote(&format!("{text}/"), open, false));
            Suggestion { text, shown: format!("{}/", name.name) }
        } else {
            done(&format!("{prefix}{}", line::quote(&text, open, true)), &name.name)
        }
    };
    names.iter().filter(fits).map(suggest).collect()
}

/// A word that is complete: the next one may begin.
fn done(text: &str, shown: &str) -> Suggestion {
    Suggestion { text: format!("{text} "), shown: shown.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::tests::sample;

    fn folder(path: &str) -> Vec<Name> {
        let names: &[&str] = match path {
            "/" => &["docs/", "dot space.txt", ".hidden", "evil\x1b[2J"],
            "/docs" => &["a.txt", "b c.txt", "deep/", "it's"],
            _ => &[],
        };
        names
            .iter()
            .map(|name| Name { name: name.trim_end_matches('/').into(), is_folder: name.ends_with('/') })
            .collect()
    }

    /// `line` has the cursor at its end; each expected text is the whole line after that choice.
    #[track_caller]
    fn check(line: &str, expected: &[&str]) {
        let catalogue = sample();
        let world = World { catalogue: &catalogue, cwd: "/docs", folder: &folder };
        let (start, found) = complete(line, line.len(), &world);
        let lines: Vec<_> = found.iter().map(|s| format!("{}{}", &line[..start], s.text)).collect();
        assert_eq!(lines, expected, "{line:?}");
    }

    #[test]
    fn commands_and_methods_step_by_step() {
        check("pw", &["pwd "]);
        check("m", &["mcp.", "mkdir ", "mv "]);
        check("mcp.", &["mcp.fs.", "mcp.mail.", "mcp.old."]);
        check("mcp.fs.", &["mcp.fs.list ", "mcp.fs.multi_read ", "mcp.fs.write "]);
        check("fs.l", &["fs.list "]);
        check("f", &["find ", "fs."]);
        check("help l", &["help licence ", "help llm ", "help ls "]);
        check("xyz", &[]);
        check("xyz ", &[]);
    }

    #[test]
    fn paths_of_builtins() {
        check("cat ", &["cat a.txt ", "cat b\\ c.txt ", "cat deep/", "cat it\\'s "]);
        check("cat a", &["cat a.txt "]);
        check("cat a.txt d", &["cat a.txt deep/"]);
        check("cd ", &["cd deep/"]);
        check("cd /", &["cd /docs/"]);
        check("cd ../d", &["cd ../docs/"]);
        check("cat /.", &["cat /.hidden "]);
        check("cat \"b", &["cat \"b c.txt\" "]);
        check("cat 'b", &["cat 'b c.txt' "]);
        check("cat 'it", &["cat it\\'s "]);
        check("cat b\\ ", &["cat b\\ c.txt "]);
        check("cat \"/do", &["cat \"/docs/", "cat \"/dot space.txt\" "]);
        check("pwd ", &[]);
        check("cd deep ", &[]);
        check("write a.txt ", &[]);
        check("grep ", &[]);
        check("grep x ", &["grep x deep/"]);
    }

    #[test]
    fn options_of_builtins() {
        check("rm -", &["rm --force ", "rm --recursive ", "rm -f ", "rm -r "]);
        check("rm --r", &["rm --recursive "]);
        check("rm -r a", &["rm -r a.txt "]);
    }

    #[test]
    fn parameters_of_methods() {
        check("fs.list l", &["fs.list limit="]);
        check("fs.list a.txt ", &["fs.list a.txt limit=", "fs.list a.txt sort="]);
        check(
            "fs.list path=",
            &["fs.list path=a.txt ", "fs.list path=b\\ c.txt ", "fs.list path=deep/", "fs.list path=it\\'s "],
        );
        check("fs.list sort=", &["fs.list sort=name ", "fs.list sort=size "]);
        check("fs.list sort=s", &["fs.list sort=size "]);
        check(
            "fs.list limit=3 sort=name ",
            &[
                "fs.list limit=3 sort=name a.txt ",
                "fs.list limit=3 sort=name b\\ c.txt ",
                "fs.list limit=3 sort=name deep/",
                "fs.list limit=3 sort=name it\\'s ",
                "fs.list limit=3 sort=name path=",
            ],
        );
        check("fs.write x y t", &["fs.write x y text "]);
        check("fs.write append=", &["fs.write append=false ", "fs.write append=true "]);
        check("fs.multi_read a.txt a", &["fs.multi_read a.txt a.txt "]);
        check("mail.listMessages from=", &[]);
    }

    #[test]
    fn the_cursor_may_stand_anywhere() {
        let catalogue = sample();
        let world = World { catalogue: &catalogue, cwd: "/", folder: &folder };
        let (start, found) = complete("pw /docs", 2, &world);
        assert_eq!((start, found.len(), found[0].text.as_str()), (0, 1, "pwd "));
    }
}
