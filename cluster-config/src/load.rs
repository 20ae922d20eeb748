//! From command line, environment, files and defaults to settings: who said what, and everything that is wrong.
//!
//! Each setting is taken whole from the highest place that mentions it: flag, environment, file, default. What
//! does not fit is reported and left out, so that the rest is still checked.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::check;
use crate::environment::{self, Environment, Meaning, NAMED};
use crate::file::File;
use crate::lent::Lent;
use crate::listen::Listen;
use crate::mistake::{Mistake, Mistakes, in_reading_order};
use crate::origin::{Origins, Source};
use crate::references::References;
use crate::settings::Settings;
use crate::shape::{Complaint, Leaf, Shape, dotted};
use crate::tiers::Tiers;
use crate::value::{nested, pointer, rust_level, typed, without_nulls};

/// Where the settings are when nobody says otherwise.
const CONFIG_DIR: &str = "/etc/llmbasedos";
/// The file of the settings in that directory.
pub(crate) const SETTINGS_FILE: &str = "llmbasedos.yaml";

/// What the command line said; it wins over everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Flags {
    /// `--config-dir`.
    pub config_dir: Option<PathBuf>,
    /// `--state-dir`.
    pub state_dir: Option<PathBuf>,
    /// `--run-dir`.
    pub run_dir: Option<PathBuf>,
    /// `--root`: the one folder that callers see, at `/`.
    pub root: Option<PathBuf>,
    /// `--listen`.
    pub listen: Option<String>,
}

/// The settings, and where they are from.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// What counts.
    pub settings: Settings,
    /// Who said so.
    pub origins: Origins,
    /// The licence tiers.
    pub tiers: Tiers,
    /// What works and is probably not meant, one sentence each.
    pub warnings: Vec<String>,
    /// The files that were read or would have been, had they existed: what to watch.
    pub files: Vec<PathBuf>,
    /// The directory of the settings; absolute.
    pub config_dir: PathBuf,
}

/// What a setting's place is.
pub(crate) static SHAPE: Lent<Shape> = Lent::new(Shape::of::<Settings>);
/// Every setting.
pub(crate) static LEAVES: Lent<Vec<Leaf>> = Lent::new(|| SHAPE.get().leaves());

/// Reads everything there is to read. On failure every mistake of every file is in the answer.
pub fn load(flags: &Flags, environment: &Environment) -> Result<Loaded, Mistakes> {
    let _held = (SHAPE.get(), LEAVES.get());
    let mut loading = Loading::begin(flags, environment);
    loading.file();
    loading.variables();
    loading.flags(flags);
    loading.listen();
    let settings = loading.settings();
    let tiers = loading.tiers(&settings);
    loading.whole(&settings, &tiers);
    let Loading { said, mut mistakes, warnings, files, config_dir, .. } = loading;
    if !mistakes.is_empty() {
        in_reading_order(&mut mistakes);
        return Err(Mistakes(mistakes));
    }
    let origins = Origins::of_keys(said.into_iter().map(|(key, said)| (key, said.source)));
    Ok(Loaded { settings, origins, tiers, warnings, files, config_dir })
}

// === Loading ===

/// Loading under way.
struct Loading<'a> {
    environment: &'a Environment,
    config_dir: PathBuf,
    file: Option<File>,
    said: BTreeMap<String, Said>,
    mistakes: Vec<Mistake>,
    warnings: Vec<String>,
    files: Vec<PathBuf>,
}

/// What the highest place so far says about one setting.
struct Said {
    value: Value,
    source: Source,
}

impl<'a> Loading<'a> {
    fn begin(flags: &Flags, environment: &'a Environment) -> Self {
        let from_environment = environment.get("LLMBDO_CONFIG_DIR").map(PathBuf::from);
        let named =
            flags.config_dir.clone().map(|path| (path, Source::Flag("--config-dir"))).or_else(|| {
                from_environment.map(|p| (p, Source::Environment("LLMBDO_CONFIG_DIR".to_owned())))
            });
        let chosen = named.as_ref().map_or_else(|| PathBuf::from(CONFIG_DIR), |(path, _)| path.clone());
        let config_dir = std::path::absolute(&chosen).unwrap_or(chosen);
        let mut loading = Self {
            environment,
            config_dir,
            file: None,
            said: BTreeMap::new(),
            mistakes: Vec::new(),
            warnings: Vec::new(),
            files: Vec::new(),
        };
        // A directory that somebody named is meant to be there; without one the defaults serve.
        if let Some((path, source)) = named.filter(|_| !loading.config_dir.is_dir()) {
            let path = path.display();
            loading.mistakes.push(Mistake {
                message: format!("there is no directory {path}; `llmbasedos init {path}` makes one"),
                ..source.place("config_dir", None)
            });
        }
        loading
    }

    /// What `llmbasedos.yaml` says.
    fn file(&mut self) {
        let path = self.config_dir.join(SETTINGS_FILE);
        let read = File::read(&path, &self.config_dir);
        self.files.push(path);
        let Some(mut file) = read.unwrap_or_else(|mistake| {
            self.mistakes.push(mistake);
            None
        }) else {
            return;
        };
        self.mistakes.extend(file.problems());
        let document = file.value.take().map(without_nulls).filter(|value| !value.is_null());
        let document = document.unwrap_or_else(|| json!({}));
        let complaints = SHAPE.get().complaints(&document);
        for leaf in LEAVES.get().iter() {
            let broken = complaints.iter().any(|complaint| {
                complaint.path.starts_with(&leaf.path) || leaf.path.starts_with(&complaint.path)
            });
            let value = document.pointer(&pointer(&leaf.path)).filter(|_| !broken);
            if let Some(value) = value {
                let source = Source::File { name: file.name.clone(), line: file.line(&leaf.path) };
                self.said.insert(leaf.key.clone(), Said { value: value.clone(), source });
            }
        }
        self.mistakes.extend(complaints.into_iter().map(|complaint| file.mistake(complaint)));
        self.file = Some(file);
    }

    /// What the environment says.
    fn variables(&mut self) {
        // The first of several that set the same thing wins, so it comes last.
        for named in NAMED.iter().rev() {
            let Some(text) = self.environment.get(named.name) else { continue };
            let source = Source::Environment(named.name.to_owned());
            match named.meaning {
                Meaning::Sets(keys) => {
                    for leaf in LEAVES.get().iter().filter(|leaf| keys.contains(&leaf.key.as_str())) {
                        self.say(leaf, typed(text, &leaf.schema), source.clone());
                    }
                }
                Meaning::Root => self.root(text, source),
                Meaning::ListenHost => self.listen_part(self.listen_so_far().with_host(text), named.name),
                Meaning::ListenPort => self.listen_part(self.listen_so_far().with_port(text), named.name),
                Meaning::ConfigDir | Meaning::Elsewhere | Meaning::Nothing(_) => {}
            }
        }
        for leaf in LEAVES.get().iter() {
            if let Some(text) = self.environment.get(&leaf.variable) {
                let value = match leaf.key.as_str() {
                    "log.level" => Value::from(rust_level(text)),
                    _ => typed(text, &leaf.schema),
                };
                self.say(leaf, value, Source::Environment(leaf.variable.clone()));
            }
        }
        for name in self.environment.names().filter(|name| name.starts_with("LLMBDO_")) {
            let leaves = LEAVES.get();
            if leaves.iter().all(|leaf| leaf.variable != name) {
                let settings = leaves.iter().map(|leaf| leaf.variable.as_str());
                self.warnings.extend(environment::explain(name, settings).err());
            }
        }
    }

    /// What the command line says.
    fn flags(&mut self, flags: &Flags) {
        for (key, flag, path) in
            [("state_dir", "--state-dir", &flags.state_dir), ("run_dir", "--run-dir", &flags.run_dir)]
        {
            if let Some(text) = self.utf8(path.as_deref(), flag) {
                self.say(&leaf(key), Value::from(text), Source::Flag(flag));
            }
        }
        if let Some(text) = self.utf8(flags.root.as_deref(), "--root") {
            self.root(&text, Source::Flag("--root"));
        }
        if let Some(listen) = &flags.listen {
            self.say(&leaf("listen"), Value::from(listen.clone()), Source::Flag("--listen"));
        }
    }

    fn utf8(&mut self, path: Option<&Path>, flag: &'static str) -> Option<String> {
        let path = path?;
        let text = path.to_str().map(str::to_owned);
        if text.is_none() {
            let message = format!("{} is not UTF-8; use another name", path.display());
            self.mistakes.push(Mistake { message, ..Source::Flag(flag).place(flag, None) });
        }
        text
    }

    /// One folder at `/` instead of all roots, with the mode and the tiers that the file gives to `/`: a
    /// read-only root stays read-only wherever it is moved.
    fn root(&mut self, path: &str, source: Source) {
        let leaf = leaf("fs.roots");
        let roots = self.said.get(&leaf.key).and_then(|said| said.value.as_array());
        let at_top = |root: &&Value| root["at"] == "/";
        let mut root =
            roots.and_then(|roots| roots.iter().find(at_top)).cloned().unwrap_or(json!({ "at": "/" }));
        root["path"] = Value::from(path);
        self.say(&leaf, json!([root]), source);
    }

    /// Takes over one setting if it fits, and complains otherwise.
    fn say(&mut self, leaf: &Leaf, value: Value, source: Source) {
        let complaints = SHAPE.get().complaints(&nested(&leaf.path, value.clone()));
        if complaints.is_empty() {
            self.said.insert(leaf.key.clone(), Said { value, source });
            return;
        }
        self.mistakes.extend(complaints.into_iter().map(|complaint| Mistake {
            message: complaint.message,
            ..source.place(&dotted(&complaint.path), None)
        }));
    }

    fn listen_so_far(&self) -> Listen {
        let said = self.said.get("listen").and_then(|said| said.value.as_str());
        said.and_then(|text| text.parse().ok()).unwrap_or(Settings::default().listen)
    }

    /// `listen` with the part that the variable `name` gives.
    fn listen_part(&mut self, listen: String, name: &str) {
        let source = Source::Environment(name.to_owned());
        if let Err(message) = listen.parse::<Listen>() {
            self.mistakes.push(Mistake { message, ..source.place("listen", None) });
            return;
        }
        let source = match self.said.get("listen").map(|said| &said.source) {
            Some(Source::Environment(other)) => Source::Environment(format!("{name} and {other}")),
            _ => source,
        };
        self.say(&leaf("listen"), Value::from(listen), source);
    }

    /// The one setting whose grammar the schema does not know.
    fn listen(&mut self) {
        let Some(said) = self.said.get("listen") else { return };
        if let Err(message) = said.value.as_str().unwrap_or_default().parse::<Listen>() {
            self.complain(Complaint { path: leaf("listen").path, message });
            self.said.remove("listen");
        }
    }

    /// Defaults and what was said, with every reference resolved.
    fn settings(&mut self) -> Settings {
        let mut document = serde_json::to_value(Settings::default()).expect("settings are plain data");
        for leaf in LEAVES.get().iter() {
            let Some(slot) = document.pointer_mut(&pointer(&leaf.path)) else { continue };
            let said = self.said.get(&leaf.key);
            if let Some(said) = said {
                *slot = said.value.clone();
            }
            let base = match said.map(|said| &said.source) {
                Some(Source::Environment(_) | Source::Flag(_)) => PathBuf::from("."),
                _ => self.config_dir.clone(),
            };
            let mut complaints = Vec::new();
            let references =
                References { environment: self.environment, base: &base, directory: &self.config_dir };
            references.resolve(slot, &leaf.schema, &mut leaf.path.clone(), &mut complaints);
            for complaint in complaints {
                self.complain(complaint);
            }
        }
        let mut settings: Settings = serde_json::from_value(document).unwrap_or_else(|error| {
            let message = format!("cannot be understood: {error}");
            self.complain(Complaint { path: Vec::new(), message });
            Settings::default()
        });
        if !self.said.contains_key("backends.dir") {
            settings.backends.dir.clone_from(&settings.run_dir);
        }
        settings
    }

    /// The shipped tiers, and what the file says about them.
    fn tiers(&mut self, settings: &Settings) -> Tiers {
        let mut tiers = Tiers::default();
        match File::read(&settings.tiers_file, &self.config_dir) {
            Ok(Some(mut file)) => self.mistakes.extend(tiers.take(&mut file)),
            Ok(None) => self.missing("tiers_file", &settings.tiers_file, "the shipped tiers"),
            Err(mistake) => self.mistakes.push(mistake),
        }
        self.files.push(settings.tiers_file.clone());
        tiers
    }

    /// A file that somebody named is meant to be there; where nobody did, something else serves.
    fn missing(&mut self, key: &str, path: &Path, otherwise: &str) {
        if self.said.contains_key(key) {
            let path = path.display();
            let message = format!("there is no file {path}; make it, or leave this out for {otherwise}");
            self.complain(Complaint { path: leaf(key).path, message });
        }
    }

    /// What can only be seen with everything together.
    fn whole(&mut self, settings: &Settings, tiers: &Tiers) {
        // What is in them is read by whoever serves the models, and the mail.
        if !settings.models_file.exists() {
            self.missing("models_file", &settings.models_file, "models.yaml beside the settings");
        }
        if !settings.mail_accounts_file.exists() {
            let beside = "mail_accounts.yaml beside the settings";
            self.missing("mail_accounts_file", &settings.mail_accounts_file, beside);
        }
        let complaints = check::complaints(settings, tiers);
        for complaint in complaints {
            self.complain(complaint);
        }
        self.warnings.extend(check::warnings(settings, &self.config_dir));
        self.warnings.extend(tiers.warnings());
    }

    /// Puts a complaint at the place that said so.
    fn complain(&mut self, complaint: Complaint) {
        let key = dotted(&complaint.path);
        let leaves = LEAVES.get();
        let leaf = leaves.iter().find(|leaf| complaint.path.starts_with(&leaf.path));
        let source = leaf.and_then(|leaf| self.said.get(&leaf.key)).map(|said| &said.source);
        let line = self.file.as_ref().and_then(|file| file.line(&complaint.path));
        let place = source.unwrap_or(&Source::Default).place(&key, line);
        self.mistakes.push(Mistake { message: complaint.message, ..place });
    }
}

/// The setting called `key`.
fn leaf(key: &str) -> Leaf {
    LEAVES
        .get()
        .iter()
        .find(|leaf| leaf.key == key)
        .cloned()
        .expect("a test asks for every key that is named here")
}
