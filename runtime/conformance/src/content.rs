//! Tools that answer at once, with one kind of content each.

use protocol::mcp::{self, Rich};

use crate::samples::{PNG, WAV, audio, failed, said};

fixture! {
    /// Returns a text.
    SimpleText = "mcp.test.simple_text";
    {}
    |_, _, _| Ok(said("This is a simple text response for testing."))
}

fixture! {
    /// Returns a picture.
    ImageContent = "mcp.test.image_content";
    {}
    |_, _, _| Ok(Rich::content([mcp::image(PNG, "image/png")]))
}

fixture! {
    /// Returns a sound.
    AudioContent = "mcp.test.audio_content";
    {}
    |_, _, _| Ok(Rich::content([audio(WAV, "audio/wav")]))
}

fixture! {
    /// Returns the content of a resource.
    EmbeddedResource = "mcp.test.embedded_resource";
    {}
    |_, _, _| {
        let text = "This is an embedded resource content.";
        Ok(Rich::content([mcp::embedded("test://embedded-resource", "text/plain", text)]))
    }
}

fixture! {
    /// Returns a text, a picture and a resource.
    MultipleContentTypes = "mcp.test.multiple_content_types";
    {}
    |_, _, _| {
        let text = r#"{"test":"data","value":123}"#;
        Ok(Rich::content([
            mcp::text("Multiple content types test:"),
            mcp::image(PNG, "image/png"),
            mcp::embedded("test://mixed-content-resource", "application/json", text),
        ]))
    }
}

fixture! {
    /// Always fails.
    ErrorHandling = "mcp.test.error_handling";
    {}
    |_, _, _| Err(failed("This tool intentionally returns an error for testing"))
}

fixture! {
    /// Greets.
    Greet = "mcp.greet";
    {
        /// Whom.
        name: String,
    }
    |params, _, _| Ok(said(&format!("Hello, {}!", params.name)))
}
