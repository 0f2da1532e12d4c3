//! Request and response shapes of Amazon ECS.
