//! What has to be known of a model besides its files: how the vectors of its tokens become one, and what it wants
//! before a text.
//!
//! A folder may say it itself, in the files that sentence-transformers writes; of the models that fastembed knows by
//! name it is known anyway.

use crate::engine::Role;
use crate::folder::{Folder, Parts};

/// How the vectors of a text's tokens become its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pooling {
    /// Their mean.
    Mean,
    /// The first, of the token that stands for the whole.
    Cls,
}

/// How a model is used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Usage {
    pub(crate) pooling: Pooling,
    pub(crate) query: String,
    pub(crate) passage: String,
    /// How many tokens it reads.
    pub(crate) tokens_max: usize,
}

/// fastembed's own limit, and that of nearly all of its models.
const TOKENS_MAX: usize = 512;

const SENTENCE: &str = "Represent this sentence for searching relevant passages: ";

/// What models want before a query and before a passage, as their authors publish it, by how their names begin.
const PREFIXES: &[(&str, &str, &str)] = &[
    ("multilingual-e5-", "query: ", "passage: "),
    ("nomic-embed-text-", "search_query: ", "search_document: "),
    ("modernbert-embed-", "search_query: ", "search_document: "),
    ("bge-small-en-", SENTENCE, ""),
    ("bge-base-en-", SENTENCE, ""),
    ("bge-large-en-", SENTENCE, ""),
    ("bge-small-zh-", "为这个句子生成表示以用于检索相关文章：", ""),
    ("bge-large-zh-", "为这个句子生成表示以用于检索相关文章：", ""),
    ("mxbai-embed-large-", SENTENCE, ""),
    ("snowflake-arctic-embed-", SENTENCE, ""),
    ("embeddinggemma-", "task: search result | query: ", "title: none | text: "),
];

/// Models that fastembed knows.
#[cfg(feature = "onnx")]
mod fast {
    use fastembed::{EmbeddingModel, TextEmbedding};

    use super::Pooling;

    /// What fastembed knows: by its own name (`BGESmallENV15`), by that of a repository, or by the latter's last part.
    fn model(name: &str) -> Option<EmbeddingModel> {
        let last = |code: &str| code.rsplit('/').next().unwrap_or_default().to_ascii_lowercase();
        let plain = |code: &str| {
            let code = last(code);
            let code = code.strip_suffix("-q").unwrap_or(&code);
            code.strip_suffix("-onnx").unwrap_or(code).to_owned()
        };
        if let Ok(model) = name.parse() {
            return Some(model);
        }
        let models = TextEmbedding::list_supported_models();
        let found = models.iter().find(|model| last(&model.model_code) == last(name));
        let found = found.or_else(|| models.iter().find(|model| plain(&model.model_code) == plain(name)));
        found.map(|model| model.model.clone())
    }

    /// How a model's vectors are pooled, and its name by its authors.
    pub(super) fn known(name: &str) -> Option<(Pooling, String)> {
        let model = model(name)?;
        let pooling = match TextEmbedding::get_default_pooling_method(&model)? {
            fastembed::Pooling::Mean => Pooling::Mean,
            fastembed::Pooling::Cls => Pooling::Cls,
        };
        Some((pooling, TextEmbedding::get_model_info(&model).ok()?.model_code.clone()))
    }
}

/// Without fastembed a model is what its folder says.
#[cfg(not(feature = "onnx"))]
mod fast {
    use super::Pooling;

    pub(super) fn known(_: &str) -> Option<(Pooling, String)> {
        None
    }
}

impl Usage {
    pub(crate) fn of(name: &str, folder: &Folder) -> Self {
        let (pooling, code) = fast::known(name).unwrap_or_else(|| (Pooling::Mean, name.to_owned()));
        let last = code.rsplit('/').next().unwrap_or_default().to_ascii_lowercase();
        let prefixes = PREFIXES.iter().find(|(begin, ..)| last.starts_with(begin));
        let mut usage = Self {
            pooling,
            query: prefixes.map_or("", |(_, query, _)| query).to_owned(),
            passage: prefixes.map_or("", |(.., passage)| passage).to_owned(),
            tokens_max: TOKENS_MAX,
        };
        usage.read(folder);
        usage
    }

    /// What the folder says of itself is truer than its name.
    fn read(&mut self, folder: &Folder) {
        if let Some(pooling) = folder.json("1_Pooling/config.json") {
            let cls = pooling["pooling_mode_cls_token"].as_bool() == Some(true);
            self.pooling = if cls { Pooling::Cls } else { Pooling::Mean };
        }
        if let Some(words) = folder.json("config_sentence_transformers.json") {
            let prompt = |name: &str| words["prompts"][name].as_str().map(str::to_owned);
            self.query = prompt("query").unwrap_or_else(|| self.query.clone());
            let passage = prompt("document").or_else(|| prompt("passage"));
            self.passage = passage.unwrap_or_else(|| self.passage.clone());
        }
        let limit = folder.json("sentence_bert_config.json");
        let limit = limit.and_then(|limit| limit["max_seq_length"].as_u64());
        self.tokens_max = limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(self.tokens_max);
    }

    /// What vectors depend on, hashed.
    pub(crate) fn fingerprint(&self, parts: &Parts) -> [u8; 16] {
        let mut all = blake3::Hasher::new();
        for part in [&parts.model, &parts.tokenizer, &parts.config, &parts.tokenizer_config] {
            all.update(blake3::hash(part).as_bytes());
        }
        all.update(format!("{self:?}").as_bytes());
        let mut short = [0; 16];
        all.finalize_xof().fill(&mut short);
        short
    }

    pub(crate) fn prefix(&self, role: Role) -> &str {
        match role {
            Role::Query => &self.query,
            Role::Passage => &self.passage,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(feature = "onnx")]
    fn check(name: &str, pooling: Pooling, query: &str) {
        let empty = tempfile::tempdir().unwrap();
        let usage = Usage::of(name, &Folder::open(empty.path().to_owned()).unwrap());
        assert_eq!((usage.pooling, usage.query.as_str()), (pooling, query), "{name}");
    }

    #[cfg(feature = "onnx")]
    #[test]
    fn models_are_known_by_any_of_their_names() {
        check("all-MiniLM-L6-v2", Pooling::Mean, "");
        check("sentence-transformers/all-MiniLM-L6-v2", Pooling::Mean, "");
        check("AllMiniLML6V2Q", Pooling::Mean, "");
        check("BGESmallENV15", Pooling::Cls, SENTENCE);
        check("bge-small-en-v1.5", Pooling::Cls, SENTENCE);
        check("intfloat/multilingual-e5-small", Pooling::Mean, "query: ");
        check("snowflake-arctic-embed-s", Pooling::Cls, SENTENCE);
        check("embeddinggemma-300m", Pooling::Mean, "task: search result | query: ");
        check("of-my-own", Pooling::Mean, "");
    }

    #[test]
    fn a_folder_speaks_for_itself() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("1_Pooling")).unwrap();
        let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        write("1_Pooling/config.json", r#"{"pooling_mode_cls_token": true}"#);
        write("config_sentence_transformers.json", r#"{"prompts": {"query": "Q: ", "document": "D: "}}"#);
        write("sentence_bert_config.json", r#"{"max_seq_length": 64}"#);
        let usage = Usage::of("all-MiniLM-L6-v2", &Folder::open(folder.path().to_owned()).unwrap());
        let expected = Usage {
            pooling: Pooling::Cls,
            query: "Q: ".to_owned(),
            passage: "D: ".to_owned(),
            tokens_max: 64,
        };
        assert_eq!(usage, expected);
    }
}
