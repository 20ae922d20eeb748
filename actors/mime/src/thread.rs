//! Conversations out of messages, by what each says it answers (the REFERENCES algorithm of RFC 5256, after Zawinski).
//!
//! One step is done otherwise: the standard joins all conversations with the same subject, so that twelve invoices are
//! one. Here only an answer that lost its references joins the conversation with its subject.

use std::collections::HashMap;

use serde::Serialize;

use crate::{limits, subject};

/// What has to be known of a message to find its place.
#[derive(Debug, Clone, Copy, Default)]
pub struct Threaded<'a> {
    /// Its id, if it has one.
    pub message_id: Option<&'a str>,
    /// What it answers: the References, or In-Reply-To where there are none. The last is what it answers itself.
    pub references: &'a [String],
    /// The subject, decoded.
    pub subject: &'a str,
    /// When it was written, in any unit that grows.
    pub at: i64,
}

/// A message in its conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Link {
    /// Which of the messages that were given.
    pub index: usize,
    /// How many messages above it it answers, by way of one another; 0 for the first.
    pub depth: usize,
}

/// A conversation: its messages in the order of reading, each behind the one that it answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Thread {
    /// The base subject of the first message.
    pub subject: String,
    /// The messages.
    pub messages: Vec<Link>,
}

/// How far up a conversation is followed when a link could close a ring. Longer conversations are cut in two there.
const ANCESTORS_MAX: usize = 1000;

/// The conversations of some messages, by the date of the first message of each.
pub fn thread(messages: &[Threaded<'_>]) -> Vec<Thread> {
    let mut forest = Forest::default();
    let mut order: Vec<usize> = (0..messages.len()).collect();
    order.sort_by_key(|index| (messages[*index].at, *index));
    for index in order {
        forest.add(index, &messages[index]);
    }
    forest.join_lost_answers(messages);
    forest.threads(messages)
}

/// A message, or one that others speak of and that is not here.
#[derive(Default)]
struct Node {
    message: Option<usize>,
    parent: Option<usize>,
    children: Vec<usize>,
}

#[derive(Default)]
struct Forest<'a> {
    nodes: Vec<Node>,
    by_id: HashMap<&'a str, usize>,
}

impl<'a> Forest<'a> {
    fn add(&mut self, index: usize, message: &Threaded<'a>) {
        let known = message.message_id.map(|id| self.named(id));
        // A second message with the same id is one of its own (RFC 5256, step 1).
        let node = known.filter(|node| self.nodes[*node].message.is_none()).unwrap_or_else(|| self.fresh());
        self.nodes[node].message = Some(index);
        let skipped = message.references.len().saturating_sub(limits::REFERENCES);
        let mut above: Option<usize> = None;
        for id in &message.references[skipped..] {
            let next = self.named(id);
            if let Some(above) = above.filter(|_| self.nodes[next].parent.is_none()) {
                self.link(above, next);
            }
            above = Some(next);
        }
        if let Some(above) = above {
            // Its own word counts more than what others said of it.
            self.unlink(node);
            self.link(above, node);
        }
    }

    fn named(&mut self, id: &'a str) -> usize {
        if let Some(node) = self.by_id.get(id) {
            return *node;
        }
        let node = self.fresh();
        self.by_id.insert(id, node);
        node
    }

    fn fresh(&mut self) -> usize {
        self.nodes.push(Node::default());
        self.nodes.len() - 1
    }

    fn link(&mut self, parent: usize, child: usize) {
        if !self.would_close_a_ring(parent, child) {
            self.nodes[child].parent = Some(parent);
            self.nodes[parent].children.push(child);
        }
    }

    fn unlink(&mut self, child: usize) {
        if let Some(parent) = self.nodes[child].parent.take() {
            self.nodes[parent].children.retain(|other| *other != child);
        }
    }

    fn would_close_a_ring(&self, parent: usize, child: usize) -> bool {
        if parent == child {
            return true;
        }
        if self.nodes[child].children.is_empty() {
            return false;
        }
        let mut at = Some(parent);
        for _ in 0..ANCESTORS_MAX {
            match at {
                None => return false,
                Some(node) if node == child => return true,
                Some(node) => at = self.nodes[node].parent,
            }
        }
        true
    }

    /// Messages that nothing is above, in the order of their dates.
    fn roots(&self, messages: &[Threaded<'_>]) -> Vec<usize> {
        let mut roots: Vec<usize> =
            (0..self.nodes.len()).filter(|node| self.nodes[*node].parent.is_none()).collect();
        roots.sort_by_key(|node| self.first(*node).map(|index| (messages[index].at, index)));
        roots.retain(|node| self.first(*node).is_some());
        roots
    }

    /// The message that a conversation begins with: its own, or the earliest that answers what is not here.
    fn first(&self, root: usize) -> Option<usize> {
        let mut stack = vec![root];
        while let Some(node) = stack.pop() {
            if let Some(index) = self.nodes[node].message {
                return Some(index);
            }
            stack.extend(self.nodes[node].children.iter().rev());
        }
        None
    }

    fn join_lost_answers(&mut self, messages: &[Threaded<'a>]) {
        let roots = self.roots(messages);
        let mut by_subject: HashMap<String, usize> = HashMap::new();
        for root in &roots {
            let Some(index) = self.first(*root) else { continue };
            let base = subject::subject_base(messages[index].subject).to_lowercase();
            let lost = self.nodes[*root].message.is_some() && messages[index].references.is_empty();
            match by_subject.get(&base) {
                Some(other) if lost && !base.is_empty() && subject::is_answer(messages[index].subject) => {
                    self.link(*other, *root);
                }
                Some(_) => {}
                None => {
                    by_subject.insert(base, *root);
                }
            }
        }
    }

    fn threads(&self, messages: &[Threaded<'_>]) -> Vec<Thread> {
        let mut threads = Vec::new();
        for root in self.roots(messages) {
            let mut links = Vec::new();
            let mut stack = vec![(root, 0)];
            while let Some((node, depth)) = stack.pop() {
                let node = &self.nodes[node];
                // What is not here has no place: its answers take it.
                let below = node.message.map_or(depth, |index| {
                    links.push(Link { index, depth });
                    depth + 1
                });
                let mut children: Vec<_> = node.children.iter().map(|child| (*child, below)).collect();
                children
                    .sort_by_key(|(child, _)| self.first(*child).map(|index| (messages[index].at, index)));
                stack.extend(children.into_iter().rev());
            }
            if let Some(first) = links.first() {
                threads.push(Thread {
                    subject: subject::subject_base(messages[first.index].subject),
                    messages: links,
                });
            }
        }
        threads
    }
}
