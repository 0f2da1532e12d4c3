//! Request and response shapes of CloudWatch Logs.
