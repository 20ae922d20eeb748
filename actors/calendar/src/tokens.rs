//! The words that RFC 5545 and 5546 fix: states, roles, methods.
//!
//! Each is declared once with its spelling; reading, writing and JSON come from that. A word that is in no RFC is read
//! as the RFC says for it.

use serde::{Serialize, Serializer};

macro_rules! tokens {
    ($(#[$doc:meta])* $name:ident { $($(#[$word_doc:meta])* $word:ident = $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$word_doc])* $word,)*
        }

        impl $name {
            const ALL: &[(Self, &str)] = &[$((Self::$word, $text),)*];

            /// What RFC 5545 calls it.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$word => $text,)*
                }
            }

            /// Reads it in any case; none where it is another word.
            pub(crate) fn read(text: &str) -> Option<Self> {
                let text = text.trim();
                Self::ALL.iter().find(|(_, word)| word.eq_ignore_ascii_case(text)).map(|(token, _)| *token)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }
    };
}

tokens! {
    /// What a calendar that was sent is for (RFC 5546 section 1.4).
    Method {
        /// An event is made known; nothing is to be answered.
        Publish = "PUBLISH",
        /// An invitation, or a change of one.
        Request = "REQUEST",
        /// An attendee's answer.
        Reply = "REPLY",
        /// More occurrences of what was sent before.
        Add = "ADD",
        /// Something is called off: all of it, or one occurrence.
        Cancel = "CANCEL",
        /// An attendee asks for the latest version.
        Refresh = "REFRESH",
        /// An attendee proposes something else.
        Counter = "COUNTER",
        /// The organizer refuses a proposal.
        DeclineCounter = "DECLINECOUNTER",
    }
}

tokens! {
    /// The state of a component (RFC 5545 section 3.8.1.11).
    Status {
        /// An event that may take place.
        Tentative = "TENTATIVE",
        /// An event that takes place.
        Confirmed = "CONFIRMED",
        /// It was called off.
        Cancelled = "CANCELLED",
        /// A to-do that waits for somebody.
        NeedsAction = "NEEDS-ACTION",
        /// A to-do that is done.
        Completed = "COMPLETED",
        /// A to-do that is begun.
        InProcess = "IN-PROCESS",
        /// A journal entry that is a draft.
        Draft = "DRAFT",
        /// A journal entry that is final.
        Final = "FINAL",
    }
}

tokens! {
    /// Who may see it (RFC 5545 section 3.8.1.3). Another word is read as `Private`.
    Class {
        /// Everybody.
        Public = "PUBLIC",
        /// The owner.
        Private = "PRIVATE",
        /// Whom the owner says.
        Confidential = "CONFIDENTIAL",
    }
}

tokens! {
    /// What an attendee has answered (RFC 5545 section 3.2.12). Another word is read as `NeedsAction`.
    Partstat {
        /// Nothing yet.
        NeedsAction = "NEEDS-ACTION",
        /// Comes.
        Accepted = "ACCEPTED",
        /// Does not come.
        Declined = "DECLINED",
        /// May come.
        Tentative = "TENTATIVE",
        /// Sends somebody else.
        Delegated = "DELEGATED",
        /// Has done the to-do.
        Completed = "COMPLETED",
        /// Has begun the to-do.
        InProcess = "IN-PROCESS",
    }
}

tokens! {
    /// An attendee's part (RFC 5545 section 3.2.16). Another word is read as `Required`.
    Role {
        /// Leads.
        Chair = "CHAIR",
        /// Is needed.
        Required = "REQ-PARTICIPANT",
        /// Need not come.
        Optional = "OPT-PARTICIPANT",
        /// Is told of it.
        Informed = "NON-PARTICIPANT",
    }
}

tokens! {
    /// What an attendee is (RFC 5545 section 3.2.3). Another word is read as `Unknown`.
    UserType {
        /// A person.
        Individual = "INDIVIDUAL",
        /// Several people.
        Group = "GROUP",
        /// A thing, such as a projector.
        Resource = "RESOURCE",
        /// A room.
        Room = "ROOM",
        /// Something else.
        Unknown = "UNKNOWN",
    }
}
