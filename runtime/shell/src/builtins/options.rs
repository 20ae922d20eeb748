//! Takes `-r`, `-rf` and `--recursive` out of a builtin's words, by the options its row of the table declares. Pure.

use crate::line::Word;

/// An option without a value.
pub(crate) struct Opt {
    pub(crate) short: char,
    pub(crate) long: &'static str,
    pub(crate) doc: &'static str,
}

/// A builtin's words, sorted out.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Given {
    options: Vec<char>,
    pub(crate) words: Vec<Word>,
}

impl Given {
    pub(crate) fn has(&self, short: char) -> bool {
        self.options.contains(&short)
    }

    /// The words' texts.
    pub(crate) fn texts(&self) -> Vec<&str> {
        self.words.iter().map(|word| word.text.as_str()).collect()
    }
}

/// Options may stand anywhere; `--` ends them, and a quoted word is never one. The error names the stranger.
pub(crate) fn sort(words: &[Word], options: &[Opt]) -> Result<Given, String> {
    let mut given = Given::default();
    let mut ended = false;
    for word in words {
        let text = word.text.as_str();
        match text.strip_prefix('-').filter(|rest| !rest.is_empty() && !ended && !word.quoted) {
            None => given.words.push(word.clone()),
            Some("-") => ended = true,
            Some(rest) => match rest.strip_prefix('-') {
                Some(long) => {
                    let option = options.iter().find(|option| option.long == long);
                    given.options.push(option.ok_or_else(|| format!("unknown option {text}"))?.short);
                }
                None => {
                    for short in rest.chars() {
                        let option = options.iter().find(|option| option.short == short);
                        given.options.push(option.ok_or_else(|| format!("unknown option -{short}"))?.short);
                    }
                }
            },
        }
    }
    Ok(given)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::line;

    const OPTIONS: &[Opt] =
        &[Opt { short: 'r', long: "recursive", doc: "" }, Opt { short: 'f', long: "force", doc: "" }];

    #[track_caller]
    fn check(line: &str, expected: Result<(&str, &[&str]), &str>) {
        let got = sort(&line::words(line).unwrap(), OPTIONS);
        let got = got.as_ref().map(|given| (given.options.iter().collect::<String>(), given.texts()));
        match (got, expected) {
            (Ok((options, words)), Ok((e_options, e_words))) => {
                assert_eq!((&*options, &*words), (e_options, e_words));
            }
            (Err(error), Err(expected)) => assert_eq!(error, expected),
            (got, expected) => panic!("{line}: {got:?} is not {expected:?}"),
        }
    }

    #[test]
    fn options_anywhere() {
        check("a b", Ok(("", &["a", "b"])));
        check("-rf a", Ok(("rf", &["a"])));
        check("a --recursive", Ok(("r", &["a"])));
        check("-- -r", Ok(("", &["-r"])));
        check("'-r' -", Ok(("", &["-r", "-"])));
        check("-x", Err("unknown option -x"));
        check("--rf", Err("unknown option --rf"));
    }
}
