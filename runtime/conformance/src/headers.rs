//! A tool one of whose arguments is repeated in a header of the request (`Mcp-Param-Region`).

use crate::samples::said;

fixture! {
    /// Returns the region that it was called for.
    CustomHeader = "mcp.test.custom_header";
    {
        /// The region; over HTTP also in the header `Mcp-Param-Region`.
        #[schemars(extend("x-mcp-header" = "Region"))]
        region: String,
    }
    |params, _, _| Ok(said(&format!("Region: {}", params.region)))
}
