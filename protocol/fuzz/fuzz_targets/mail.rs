//! Whatever a stranger mails is read within bounds, and every part that is told of is found by its number.
#![no_main]

use std::collections::HashSet;

use libfuzzer_sys::fuzz_target;
use mime::{Decoder, Headers, Message, Names, Preference, decode_part};

fuzz_target!(|bytes: &[u8]| {
    let _ = Headers::parse(bytes);
    let message = Message::parse(bytes);
    let (mut numbers, mut names) = (HashSet::new(), Names::default());
    for part in message.parts() {
        assert!(numbers.insert(&part.id), "two parts have the number {}", part.id);
        let (_, raw) = message.part(&part.id).expect("a part that is told of is there");
        let (whole, fine) = decode_part(part, raw);
        assert!(whole.len() <= raw.len(), "decoding made it longer");
        // In pieces the same comes out.
        let (mut decoder, mut pieces) = (Decoder::new(&part.encoding), Vec::new());
        raw.chunks(7).for_each(|piece| decoder.push(piece, &mut pieces));
        assert_eq!(decoder.finish(&mut pieces), fine || part.encoding == mime::Encoding::Identity);
        assert_eq!(pieces, *whole);
        let name = names.give(part);
        assert!(!name.is_empty() && name.len() <= 200 && !name.contains(['/', '\\', '\0']), "{name:?}");
    }
    let _ = (message.bodies(Preference::Both), message.nested(), message.calendars());
});
