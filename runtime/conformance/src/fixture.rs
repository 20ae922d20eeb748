//! The form that all fixtures share: they change nothing, run in a task of their own, and reply with content blocks.

/// Declares a method: description, name, params, and what it replies.
macro_rules! fixture {
    (
        $(#[$about:meta])+
        $name:ident = $method:literal $(, task: $task:ident)? $(, limit: $limit:expr)?;
        { $($(#[$field_about:meta])* $field:ident: $type:ty),* $(,)? }
        |$params:pat_param, $context:pat_param, $fixtures:pat_param| $body:expr
    ) => {
        $(#[$about])+
        #[derive(serde::Deserialize, schemars::JsonSchema)]
        #[serde(deny_unknown_fields)]
        pub(crate) struct $name {
            $($(#[$field_about])* $field: $type),*
        }

        impl protocol::Method for $name {
            const NAME: &'static str = $method;
            const TIER: protocol::Tier = protocol::Tier::Elite;
            const EFFECT: protocol::Effect = protocol::Effect::READ;
            const RUN: protocol::Run = protocol::Run::Task;
            const RICH: bool = true;
            $(const TASK: protocol::TaskSupport = protocol::TaskSupport::$task;)?
            $(const LIMIT: Option<std::time::Duration> = Some($limit);)?

            type Reply = protocol::mcp::Rich;
            type Service = $crate::Fixtures;

            async fn call(
                self,
                context: &protocol::Context,
                fixtures: &$crate::Fixtures,
            ) -> Result<protocol::mcp::Rich, protocol::Error> {
                let ($params, $context, $fixtures) = (self, context, fixtures);
                $body
            }
        }
    };
}
