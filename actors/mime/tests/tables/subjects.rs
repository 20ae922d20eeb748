//! What a subject is about, and what it becomes in an answer.

use mime::{reply_subject, subject_base};

#[test]
fn base_subjects() {
    for (subject, base) in [
        ("Budget", "Budget"),
        ("Re: Budget", "Budget"),
        ("RE: re:  FW: Budget", "Budget"),
        ("Re[2]: Budget", "Budget"),
        ("Re(3): Budget", "Budget"),
        ("Re^2: Budget", "Budget"),
        ("[list] Re: [list] Budget", "Budget"),
        ("Budget (fwd)", "Budget"),
        ("Budget (FWD) (fwd)", "Budget"),
        ("[fwd: Budget]", "Budget"),
        ("[Fwd: Re: [x] Budget] (fwd)", "Budget"),
        ("AW: WG: Haushalt", "Haushalt"),
        ("Antw: SV: Begroting", "Begroting"),
        ("回复：预算", "预算"),
        ("  Budget \t 2026 ", "Budget 2026"),
        ("Regarding: Budget", "Regarding: Budget"),
        ("Release: 2", "Release: 2"),
        ("[list]", "[list]"),
        ("Re:", ""),
        ("", ""),
        ("Re", "Re"),
        ("Iß: x", "Iß: x"),
    ] {
        assert_eq!(subject_base(subject), base, "{subject:?}");
    }
}

#[test]
fn subjects_of_answers() {
    for (subject, answer) in [
        ("Budget", "Re: Budget"),
        ("Re: Budget", "Re: Budget"),
        ("RE: Re: AW: Budget", "Re: Budget"),
        ("[list] Budget", "Re: [list] Budget"),
        ("Fwd: Budget", "Re: Fwd: Budget"),
        ("", "Re:"),
        ("Re:", "Re:"),
    ] {
        assert_eq!(reply_subject(subject), answer, "{subject:?}");
    }
}
